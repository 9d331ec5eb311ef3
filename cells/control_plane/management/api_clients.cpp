#include <utility>

#include "cells/control_plane/management/resource.hpp"
#include "gateway/api_client.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

constexpr const char* type = "ApiClient";
constexpr const char* kind = cells::kinds::api_client;
constexpr const char* list_path = "apiclients";
/// How long the secret before goes on after a rotation, if the request does not say.
constexpr int64_t overlap_default_s = 3600;
/// The longest that it may go on.
constexpr int64_t overlap_max_s = 30LL * 24 * 3600;

json::object show_client(const gateway::api_client& c) {
  auto out = gateway::to_json(c);
  json::array secrets;
  for (const auto& held : c.secrets)
    secrets.push_back(
        json::object{{"until", held.until ? json::value(to_rfc3339(*held.until)) : json::value(nullptr)}});
  out["secrets"] = std::move(secrets);
  return out;
}

std::optional<gateway::api_client> stored_client(const persistence::document& d) {
  auto read = gateway::api_client_from_json(stored_object(d.body));
  return read ? std::optional(std::move(*read)) : std::nullopt;
}

/// 200 with the client and a secret that is never shown again.
response show_secret(const gateway::api_client& c, const std::string& secret) {
  auto body = show_client(c);
  body["client_secret"] = secret;
  auto out = gateway::json_response(200, json::write(body));
  out.headers.emplace_back("Cache-Control", "no-store");
  return out;
}

result<gateway::api_client> read_client(cell_services& s, const gateway::request& r) {
  auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  if (body->contains("secrets"))
    return std::unexpected(api::invalid_field("secrets cannot be given: the secret is made here", "secrets"));
  (*body)["secrets"] = json::array();
  if (!body->contains("client_id"))
    (*body)["client_id"] = s.runtime.fresh_id(cells::node_tenant).text();
  auto client = gateway::api_client_from_json(*body);
  if (!client)
    return std::unexpected(api::invalid_request(client.error().detail));
  if (!api::is_id(client->client_id))
    return std::unexpected(
        api::invalid_field("client_id must have 1 to 512 bytes without control characters", "client_id"));
  return std::move(*client);
}

task<result<bool>> context_exists(cell_services& s, std::optional<std::string> id) {
  if (!id)
    co_return true;
  persistence::entity_key key{tenant(*id), cells::kinds::participant_context, *id};
  auto looking = read_document(s, std::move(key));
  auto found = co_await std::move(looking);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  if (!*found)
    co_return std::unexpected(
        api::invalid_field("There is no such participant context", "participant_context_id", json::value(*id)));
  co_return true;
}

task<response> create_client(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto client = read_client(s, *r);
  if (!client)
    co_return std::move(client.error());
  auto looking = context_exists(s, client->participant_context_id);
  auto exists = co_await std::move(looking);
  if (!exists)
    co_return std::move(exists.error());
  auto made = read_creation(s, *r, cells::node_tenant, list_path, client->client_id);
  if (!made)
    co_return std::move(made.error());
  const auto secret = gateway::fresh_secret(s.random);
  gateway::rotate_secret(*client, secret, s.clock.now(), milliseconds(0));
  record_write w;
  w.kind = kind;
  w.id = client->client_id;
  w.body = json::write(gateway::to_json(*client));
  // A repeat cannot show the secret once more, so it is a conflict: the key's claim is all that is kept of it.
  w.names = key_claim(cells::node_tenant, list_path, *made);
  auto writing = write_record(s, cells::node_tenant, std::move(w), type);
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::move(written.error());
  note_change(*r, *who, "an API client was created", client->participant_context_id.value_or(""));
  co_return show_secret(*client, secret);
}

task<response> list_clients(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  persistence::query_spec all;
  all.limit = persistence::limits::read_rows_max;
  auto reading = query_documents(s, cells::node_tenant, kind, std::move(all));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  json::array out;
  for (const auto& d : *found)
    if (const auto client = stored_client(d))
      out.push_back(show_client(*client));
  co_return gateway::json_response(200, json::write(out));
}

task<response> get_client(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto id = path_value(*r, "id");
  persistence::entity_key key{cells::node_tenant, kind, id};
  auto reading = need_document(s, std::move(key), type);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  const auto client = stored_client(*found);
  if (!client)
    co_return api::not_found(type, id);
  co_return gateway::json_response(200, json::write(show_client(*client)));
}

task<response> remove_client(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto id = path_value(*r, "id");
  auto removing = remove_record(s, cells::node_tenant, kind, id, type);
  auto removed = co_await std::move(removing);
  if (!removed)
    co_return std::move(removed.error());
  note_change(*r, *who, "an API client was removed", "");
  co_return no_content();
}

result<milliseconds> read_overlap(const gateway::request& r) {
  if (r.body.empty())
    return std::chrono::seconds(overlap_default_s);
  auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  if (!body->contains("overlap_seconds"))
    return std::chrono::seconds(overlap_default_s);
  const auto given = json::integer_at(*body, "overlap_seconds");
  if (!given || *given < 0 || *given > overlap_max_s)
    return std::unexpected(
        api::invalid_field("overlap_seconds must be an integer from 0 to " + std::to_string(overlap_max_s),
                           "overlap_seconds", body->at("overlap_seconds")));
  return std::chrono::seconds(*given);
}

task<response> rotate_client(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto overlap = read_overlap(*r);
  if (!overlap)
    co_return std::move(overlap.error());
  auto id = path_value(*r, "id");
  const auto secret = gateway::fresh_secret(s.random);
  // Written by the change, in the pool, and read when the change is over.
  auto rotated = std::make_shared<gateway::api_client>();
  record_change change = [rotated, secret, id, now = s.clock.now(),
                          keep = *overlap](json::object before) -> result<json::object> {
    auto client = gateway::api_client_from_json(before);
    if (!client)
      return std::unexpected(api::not_found(type, id));
    gateway::rotate_secret(*client, secret, now, keep);
    *rotated = *client;
    return gateway::to_json(*client);
  };
  persistence::entity_key key{cells::node_tenant, kind, id};
  auto changing = change_record(s, std::move(key), std::move(change), type);
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  note_change(*r, *who, "an API client's secret was rotated", rotated->participant_context_id.value_or(""));
  co_return show_secret(*rotated, secret);
}

} // namespace

void add_api_client_routes(gateway::router& to, cell_services& s) {
  const auto base = management_base + list_path;
  route(to, s, "POST", base, create_client);
  route(to, s, "GET", base, list_clients);
  route(to, s, "GET", base + "/{id}", get_client);
  route(to, s, "DELETE", base + "/{id}", remove_client);
  route(to, s, "POST", base + "/{id}/rotate", rotate_client);
}

} // namespace fondaco::control_plane::management
