#include "cells/control_plane/dsp_identity.hpp"

#include <algorithm>
#include <utility>

#include "cells/control_plane/message_log.hpp"
#include "cells/control_plane/peer_tokens.hpp"
#include "cells/identity/presentations.hpp"
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

/// What the look-up of a caller came to; `unproven` means that the token is self-issued and has to be proven first.
struct admission {
  enum class result : uint8_t { unavailable, unknown, unauthenticated, unproven, admitted };
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
  if (find_profile(s.settings, profile)->identity == cells::identity_mode::dcp)
    return {admission::result::unproven, dsp_caller{std::move(*self), profile, {}, false}};
  auto peer = token ? cells::accept_token(s, *self, profile, *token) : std::nullopt;
  if (!peer)
    return {admission::result::unauthenticated, std::nullopt};
  return {admission::result::admitted, dsp_caller{std::move(*self), profile, std::move(*peer), false}};
}

response unauthenticated(dsp_part part, const std::string& reason) {
  auto out = dsp_error(part, 401, reason);
  out.headers.emplace_back("WWW-Authenticate", "Bearer");
  return out;
}

/// The reasons of an error, in one text. A caller that proved nothing is found again by this line of the log alone.
std::string reasons_of(const response& error) {
  std::string out;
  const auto body = error.status >= 400 ? json::parse(error.body) : json::parse("{}");
  if (const auto* o = body ? body->if_object() : nullptr)
    if (const auto* list = json::array_at(*o, "reason"))
      for (const auto& reason : *list)
        if (reason.is_string())
          out += (out.empty() ? "" : " ") + std::string(reason.get_string());
  return out;
}

std::unexpected<dsp_rejection> reject(response answer, const gateway::request& r, std::string proven_id = {},
                                      std::vector<std::string> reasons = {}) {
  auto logged = noted(std::move(answer), r, r.path, proven_id, "");
  return std::unexpected(dsp_rejection{std::move(logged), std::move(proven_id), std::move(reasons)});
}

/// 503 for what is for now, else 401, with the reason in both.
response rejection_of(dsp_part part, const fault& why) {
  return why.remedy == cure::retry ? dsp_error(part, 503, why.detail) : unauthenticated(part, why.detail);
}

using entry = std::expected<dsp_caller, dsp_rejection>;

/// Proves a caller by its self-issued token and its credentials (DCP reference, section 5).
task<entry> prove(cell_services& s, request_ptr r, dsp_part part, dsp_caller caller, dsp_proof proof) {
  const auto token = identity::dcp_bearer(*r);
  if (!token)
    co_return reject(unauthenticated(part, "The Authorization header must hold a self-issued token: 'Bearer <token>'."),
                     *r);
  identity::presentation_demand demand;
  demand.profile = caller.profile;
  if (proof == dsp_proof::credentials)
    demand.scopes = find_profile(s.settings, caller.profile)->scopes;
  demand.traceparent = r->traceparent;
  const auto& self = caller.self;
  auto proving = identity::prove_caller(s, self.owner, self.identity, *token, !demand.scopes.empty());
  auto proven = co_await std::move(proving);
  if (!proven)
    co_return reject(rejection_of(part, proven.error()), *r);
  const auto did = proven->did;
  auto verifying = identity::verify_credentials(s, self.owner, self.identity, std::move(*proven), std::move(demand));
  const auto credentials = co_await std::move(verifying);
  if (!credentials && credentials.error().remedy == cure::retry)
    co_return reject(rejection_of(part, credentials.error()), *r);
  if (!credentials)
    co_return reject(rejection_of(part, credentials.error()), *r, did, {credentials.error().detail});
  json::array models;
  for (const auto& c : *credentials)
    models.push_back(vc::to_model(c));
  caller.peer.id = did;
  if (proof == dsp_proof::credentials)
    caller.peer.attributes["vc"] = std::move(models);
  caller.peer.traceparent = r->traceparent;
  caller.by_credentials = true;
  co_return caller;
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
  return find_profile(settings, profile) && std::ranges::find(p.profiles, profile) != p.profiles.end();
}

task<std::expected<dsp_caller, dsp_rejection>> enter_dsp(cell_services& s, request_ptr r, dsp_part part,
                                                         dsp_proof proof) {
  auto looking = actors::in_pool(s.pool, s.edge, tenant(path_param(*r, "pc")),
                                 [&s, owner = tenant(path_param(*r, "pc")), profile = path_param(*r, "profile"),
                                  token = dsp_bearer(*r)] { return look_up(s, owner, profile, token); });
  auto found = co_await std::move(looking);
  if (!found || found->how == admission::result::unavailable)
    co_return reject(dsp_unavailable(part), *r);
  if (found->how == admission::result::unknown)
    co_return reject(dsp_error(part, 404, "There is no such participant in this dataspace."), *r);
  if (found->how == admission::result::unauthenticated)
    co_return reject(
        unauthenticated(part, "The Authorization header must hold a bearer token that this participant accepts."), *r);
  dsp_caller caller = std::move(*found->caller);
  if (found->how == admission::result::unproven) {
    auto proving = prove(s, r, part, std::move(caller), proof);
    co_return co_await std::move(proving);
  }
  caller.peer.traceparent = r->traceparent;
  co_return caller;
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
  n.reason = reasons_of(out);
  note(std::move(n));
  return out;
}

} // namespace fondaco::control_plane
