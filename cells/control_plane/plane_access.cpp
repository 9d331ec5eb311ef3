#include "cells/control_plane/plane_access.hpp"

#include <algorithm>
#include <utility>

#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/peer_exchange.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;

fault unavailable(std::string detail) { return {"unavailable", std::move(detail), cure::retry}; }
fault unusable(std::string detail) { return {"unusable", std::move(detail), cure::fix_input}; }

/// The `authorization` of the registration: an object, or one that was sealed whole; nothing if there is none.
std::expected<std::optional<json::object>, fault> read_authorization(cell_services& s, const tenant& owner,
                                                                     const std::string& dataplane_id) {
  auto row = s.documents.get({owner, cells::kinds::data_plane, dataplane_id});
  if (!row)
    return std::unexpected(unavailable("The store does not answer."));
  if (!*row)
    return std::nullopt;
  const auto body = document_body(**row);
  const auto* given = body.if_contains("authorization");
  if (!given || given->is_null())
    return std::nullopt;
  if (const auto* o = given->if_object())
    return o->empty() ? std::nullopt : std::optional(*o);
  if (!given->is_string())
    return std::unexpected(unusable("The data plane's authorization cannot be read; register it again."));
  const auto text = s.vault.open(owner, std::string_view(given->get_string()));
  if (!text && text.error() == persistence::vault_errc::unavailable)
    return std::unexpected(unavailable("The vault does not answer."));
  const auto opened = text ? json::parse(*text) : std::unexpected(json::parse_error{});
  if (!opened || !opened->is_object())
    return std::unexpected(unusable("The data plane's authorization cannot be opened; register it again."));
  return opened->get_object();
}

/// A value that may be sealed for itself.
std::string opened(cell_services& s, const tenant& owner, const json::object& o, const char* name) {
  const std::string text(json::string_at(o, name).value_or(""));
  if (!text.starts_with("v1."))
    return text;
  const auto plain = s.vault.open(owner, text);
  return plain ? *plain : text;
}

std::string form_encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '*';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 0x0f]);
    }
  }
  return out;
}

} // namespace

std::expected<bool, fault> wants_authorization(cell_services& s, const tenant& owner, const std::string& dataplane_id) {
  auto authorization = read_authorization(s, owner, dataplane_id);
  if (authorization)
    return authorization->has_value();
  if (authorization.error().remedy == cure::retry)
    return std::unexpected(std::move(authorization.error()));
  return true;
}

std::expected<plane_access, fault> read_plane_access(cell_services& s, const tenant& owner,
                                                     const std::string& dataplane_id) {
  auto authorization = read_authorization(s, owner, dataplane_id);
  if (!authorization)
    return std::unexpected(std::move(authorization.error()));
  plane_access out;
  if (!*authorization)
    return out;
  const auto& o = **authorization;
  const auto type = json::string_at(o, "type").value_or("");
  if (type != "oauth2_client_credentials")
    return std::unexpected(unusable("The data plane's authorization is of type '" + std::string(type) +
                                    "'; supported is oauth2_client_credentials."));
  out.credentials = plane_credentials{opened(s, owner, o, "tokenEndpoint"), opened(s, owner, o, "clientId"),
                                      opened(s, owner, o, "clientSecret")};
  return out;
}

actors::task<std::expected<plane_access_token, fault>>
plane_token(cell_services& s, std::shared_ptr<plane_tokens> tokens, tenant owner, plane_credentials with) {
  plane_access_token out;
  if (auto known = tokens->find(owner, with, s.clock.now())) {
    out.token = std::move(*known);
    co_return out;
  }
  actors::http_call call;
  call.method = "POST";
  call.url = with.token_endpoint;
  call.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  call.headers.emplace_back("Accept", "application/json");
  call.body = "grant_type=client_credentials&client_id=" + form_encoded(with.client_id) +
              "&client_secret=" + form_encoded(with.client_secret);
  auto exchanging = exchange(s, std::move(call));
  const auto answer = co_await std::move(exchanging);
  const auto status = answer ? answer->status : 0;
  if (status != 200)
    co_return std::unexpected(
        may_pass(answer) ? unavailable("The data plane's token endpoint does not answer (" + outcome_of(answer) + ").")
                         : unusable("The data plane's token endpoint refused (" + outcome_of(answer) + ")."));
  const auto body = json::parse(answer->body);
  const auto* o = body ? body->if_object() : nullptr;
  const auto token = o ? json::string_at(*o, "access_token") : std::nullopt;
  const bool sendable =
      token && !token->empty() && std::ranges::all_of(*token, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (!sendable)
    co_return std::unexpected(unusable("The data plane's token endpoint gave no access_token."));
  const auto stated = json::integer_at(*o, "expires_in");
  const auto lives =
      stated && *stated > 0 && *stated < 86'400 ? milliseconds(*stated * 1000) : limits::plane_token_age_ms;
  if (lives > limits::plane_token_margin_ms)
    tokens->keep(owner, with, std::string(*token), s.clock.now() + lives - limits::plane_token_margin_ms);
  out.token = *token;
  out.fresh = true;
  co_return out;
}

} // namespace fondaco::control_plane
