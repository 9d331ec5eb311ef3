#include "cells/control_plane/dsp_identity.hpp"

#include <algorithm>
#include <utility>

#include "cells/control_plane/message_log.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;
using gateway::response;
using gateway::task;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return out;
}

/// What the look-up of a caller came to.
struct admission {
  enum class result : uint8_t { unavailable, unknown, unauthenticated, admitted };
  result how = result::unknown;
  std::optional<dsp_caller> caller;
};

/// An unknown participant, and one that cannot be read now: a peer gives up for good on the answer to the first.
admission::result why_missing(cell_services& s, const tenant& owner) {
  const auto context = s.documents.get({owner, cells::kinds::participant_context, owner.id()});
  return context ? admission::result::unknown : admission::result::unavailable;
}

admission look_up(cell_services& s, const tenant& owner, const std::string& profile,
                  const std::optional<std::string>& token) {
  auto self = cells::read_participant(s, owner);
  if (!self)
    return {why_missing(s, owner), std::nullopt};
  if (!takes_part(s.settings, *self, profile))
    return {admission::result::unknown, std::nullopt};
  auto peer = token ? cells::accept_token(s, *self, profile, *token) : std::nullopt;
  if (!peer)
    return {admission::result::unauthenticated, std::nullopt};
  return {admission::result::admitted, dsp_caller{std::move(*self), profile, std::move(*peer)}};
}

} // namespace

std::optional<std::string> dsp_bearer(const gateway::request& r) {
  std::optional<std::string_view> value;
  for (const auto& [name, text] : r.headers) {
    if (name != "authorization")
      continue;
    if (value)
      return std::nullopt;
    value = text;
  }
  if (!value)
    return std::nullopt;
  const auto blank = value->find(' ');
  if (blank == std::string_view::npos || lower(value->substr(0, blank)) != "bearer")
    return std::nullopt;
  auto token = value->substr(blank);
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  while (token.ends_with(' '))
    token.remove_suffix(1);
  if (token.empty() || token.find(' ') != std::string_view::npos)
    return std::nullopt;
  return std::string(token);
}

bool takes_part(const cells::cell_settings& settings, const cells::participant& p, std::string_view profile) {
  const bool known = std::ranges::any_of(settings.profiles, [&](const auto& one) { return one.name == profile; });
  return known && std::ranges::find(p.profiles, profile) != p.profiles.end();
}

task<std::expected<dsp_caller, response>> enter_dsp(cell_services& s, request_ptr r, dsp_part part) {
  auto looking = actors::in_pool(s.pool, s.edge,
                                 [&s, owner = tenant(path_param(*r, "pc")), profile = path_param(*r, "profile"),
                                  token = dsp_bearer(*r)] { return look_up(s, owner, profile, token); });
  auto found = co_await std::move(looking);
  if (!found || found->how == admission::result::unavailable)
    co_return std::unexpected(noted(dsp_unavailable(part), *r, r->path, "", ""));
  if (found->how == admission::result::unknown)
    co_return std::unexpected(
        noted(dsp_error(part, 404, "There is no such participant in this dataspace."), *r, r->path, "", ""));
  if (found->how == admission::result::unauthenticated) {
    auto out = dsp_error(part, 401, "The Authorization header must hold a bearer token that this participant accepts.");
    out.headers.emplace_back("WWW-Authenticate", "Bearer");
    co_return std::unexpected(noted(std::move(out), *r, r->path, "", ""));
  }
  co_return std::move(*found->caller);
}

response dsp_error(dsp_part part, int status, const std::vector<std::string>& reasons, const process_pids& pids) {
  const auto code = std::to_string(status);
  json::object body;
  switch (part) {
  case dsp_part::catalog: body = dsp::write_catalog_error(code, ""); break;
  case dsp_part::negotiation:
    body = dsp::write_negotiation_error(pids.consumer_pid, pids.provider_pid, code, "");
    break;
  case dsp_part::transfer: body = dsp::write_transfer_error(pids.consumer_pid, pids.provider_pid, code, ""); break;
  }
  if (!reasons.empty())
    body["reason"] = json::array(reasons.begin(), reasons.end());
  auto out = gateway::json_response(status, json::write(body));
  if (status == 429 || status == 503)
    out.headers.emplace_back("Retry-After", "1");
  return out;
}

response dsp_error(dsp_part part, int status, const std::string& reason, const process_pids& pids) {
  return dsp_error(part, status, std::vector<std::string>{reason}, pids);
}

response dsp_unavailable(dsp_part part, const process_pids& pids) {
  return dsp_error(part, 503, "The request cannot be served now; send it again after a moment.", pids);
}

response dsp_refusal(dsp_part part, const actors::ask_error& e, const process_pids& pids) {
  using actors::ask_errc;
  switch (e.code) {
  case ask_errc::overloaded: return dsp_error(part, 429, "Too many requests; send it again after a moment.", pids);
  case ask_errc::not_owner: return dsp_error(part, 421, "Another node serves this process.", pids);
  case ask_errc::duplicate: return dsp_error(part, 409, "The message was acted on before.", pids);
  case ask_errc::quarantined:
  case ask_errc::unavailable:
  case ask_errc::timed_out: return dsp_unavailable(part, pids);
  case ask_errc::refused: break;
  }
  if (e.why.code == "not_found")
    return dsp_error(part, 404, e.why.detail, pids);
  return dsp_error(part, e.why.code == "agreement_refused" ? 409 : 400, e.why.detail, pids);
}

std::expected<json::value, response> read_dsp_body(const gateway::request& r, dsp_part part) {
  if (const auto type = gateway::header(r, "content-type")) {
    auto media = lower(type->substr(0, type->find(';')));
    while (media.ends_with(' '))
      media.pop_back();
    if (media != "application/json" && media != "application/ld+json")
      return std::unexpected(dsp_error(part, 415, "Content-Type must be application/json or application/ld+json."));
  }
  auto body = json::parse(r.body);
  if (!body)
    return std::unexpected(dsp_error(part, 400, "The body is not acceptable JSON: " + body.error().detail));
  return std::move(*body);
}

process_pids pids_of(const json::value& body) {
  const auto* o = body.if_object();
  const auto text = [o](std::string_view name) {
    const auto* member = o ? o->if_contains(name) : nullptr;
    const auto found = member ? jsonld::text_of(*member) : std::nullopt;
    return found && found->size() <= fondaco::limits::id_bytes_max ? std::string(*found) : std::string();
  };
  return {text("consumerPid"), text("providerPid")};
}

const std::string& path_param(const gateway::request& r, std::string_view name) {
  const auto found = r.params.find(name);
  invariant(found != r.params.end(), "a route reads the parameters of its own pattern");
  return found->second;
}

response dsp_done() { return gateway::json_response(200, ""); }

response noted(response out, const gateway::request& r, const std::string& message, const std::string& counterparty,
               const std::string& entity_id) {
  message_note n;
  n.received = true;
  n.message = message;
  n.participant_context = path_param(r, "pc");
  if (const auto profile = r.params.find("profile"); profile != r.params.end())
    n.profile = profile->second;
  n.counterparty = counterparty;
  n.entity_id = entity_id;
  n.correlation_id = r.correlation_id;
  n.outcome = std::to_string(out.status);
  note(std::move(n));
  return out;
}

} // namespace fondaco::control_plane
