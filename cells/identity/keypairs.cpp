#include <algorithm>
#include <charconv>
#include <utility>

#include "cells/identity/key_records.hpp"
#include "cells/identity/route_groups.hpp"
#include "planes/api/bodies.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;
using api::body_check;

constexpr const char* component = "identity";

task<result<json::object>> need_key(cell_services& s, tenant owner, std::string id) {
  persistence::entity_key key{std::move(owner), kinds::key_pair, std::move(id)};
  auto reading = api::need_document(s, std::move(key), key_type_name);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  co_return api::stored_object(found->body);
}

task<response> list_keys(cell_services& s, request_ptr r) {
  auto entering = enter_context(s, r, "keypairs:read");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  persistence::query_spec all;
  all.limit = persistence::limits::read_rows_max;
  auto reading = api::query_documents(s, v->owner, kinds::key_pair, std::move(all));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  json::array out;
  for (const auto& d : *found)
    out.push_back(show_key(api::stored_object(d.body)));
  co_return array_of(std::move(out));
}

task<response> get_key(cell_services& s, request_ptr r) {
  auto entering = enter_context(s, r, "keypairs:read");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  auto reading = need_key(s, v->owner, api::path_value(*r, "id"));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  co_return gateway::json_response(200, json::write(show_key(std::move(*found))));
}

/// The descriptor in a body, for a participant that may still get keys.
result<key_descriptor> read_descriptor(const gateway::request& r, const visit& v) {
  if (v.state != context_states::created && v.state != context_states::activated)
    return std::unexpected(
        api::invalid_request("The participant context is deactivated; activate it before it gets keys."));
  auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  body_check check;
  auto d = read_key_descriptor(*body, v.did, check, "");
  if (check.failed())
    return std::unexpected(check.response());
  return d;
}

task<response> put_key(cell_services& s, request_ptr r) {
  auto entering = enter_context(s, r, "keypairs:write");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  const auto make_default = read_flag(*r, "makeDefault", false);
  if (!make_default)
    co_return make_default.error();
  auto d = read_descriptor(*r, *v);
  if (!d)
    co_return std::move(d.error());
  const auto id = resource_id_of(s, v->owner, *d);
  auto adding = add_key(s, v->owner, v->did, std::move(*d), *make_default);
  auto added = co_await std::move(adding);
  if (!added)
    co_return std::move(added.error());
  if (*make_default) {
    auto clearing = clear_other_defaults(s, v->owner, id);
    auto cleared = co_await std::move(clearing);
    if (!cleared)
      co_return std::move(cleared.error());
  }
  if (!*added)
    co_return api::conflict("Object of type " + std::string(key_type_name) + " with ID=" + id + " already exists");
  api::note_change(component, *r, v->who, "a key pair was added", v->owner.id());
  co_return api::no_content();
}

/// Moves a key pair to another state if it is in one of those before; 400 else.
task<result<bool>> move_key(cell_services& s, tenant owner, std::string id, std::vector<int64_t> before_states,
                            int64_t to, int64_t rotation_ms) {
  const auto now = to_epoch_ms(s.clock.now());
  api::record_change change = [id, before_states, to, rotation_ms, now](json::object before) -> result<json::object> {
    if (before.empty())
      return std::unexpected(api::not_found(key_type_name, id));
    const auto state = json::integer_at(before, "state").value_or(0);
    if (std::ranges::find(before_states, state) == before_states.end())
      return std::unexpected(api::invalid_request("The key pair " + id + " is in state " + std::to_string(state) +
                                                  ", from which this step does not lead on."));
    if (state != to)
      before["timestamp"] = now;
    before["state"] = to;
    if (to == key_states::rotated)
      before["rotationDuration"] = rotation_ms;
    if (to != key_states::activated)
      before["defaultPair"] = false;
    return before;
  };
  persistence::entity_key key{std::move(owner), kinds::key_pair, std::move(id)};
  auto changing = api::change_record(s, std::move(key), std::move(change), key_type_name);
  co_return co_await std::move(changing);
}

task<response> activate_key(cell_services& s, request_ptr r) {
  auto entering = enter_context(s, r, "keypairs:write");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  std::vector<int64_t> from{key_states::created, key_states::activated};
  auto moving = move_key(s, v->owner, api::path_value(*r, "id"), std::move(from), key_states::activated, 0);
  auto moved = co_await std::move(moving);
  if (!moved)
    co_return std::move(moved.error());
  api::note_change(component, *r, v->who, "a key pair was activated", v->owner.id());
  co_return api::no_content();
}

task<result<bool>> remove_secret(cell_services& s, tenant owner, std::string name) {
  auto removing =
      actors::in_pool(s.pool, s.edge, owner, [&s, owner, name] { return s.vault.remove(owner, name).has_value(); });
  const auto removed = co_await std::move(removing);
  if (!removed || !*removed)
    co_return std::unexpected(api::vault_unavailable());
  co_return true;
}

/// Adds the successor that the body describes, before the old key goes; nothing without a body.
task<result<bool>> add_successor(cell_services& s, request_ptr r, visit v, json::object old) {
  if (r->body.empty())
    co_return true;
  auto d = read_descriptor(*r, v);
  if (!d)
    co_return std::unexpected(std::move(d.error()));
  if (resource_id_of(s, v.owner, *d) == text_at(old, "id") || d->key_id == text_at(old, "keyId"))
    co_return std::unexpected(api::invalid_field("The successor needs a key id and a resource id of its own", "keyId",
                                                 json::value(d->key_id)));
  const bool make_default = json::boolean_at(old, "defaultPair").value_or(false);
  auto adding = add_key(s, v.owner, v.did, std::move(*d), make_default);
  co_return co_await std::move(adding);
}

/// How long a rotated key is still published, as the query parameter `duration` says it.
result<int64_t> read_duration(const gateway::request& r) {
  const auto text = gateway::query_value(r, "duration");
  if (!text)
    return 0;
  int64_t ms = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), ms);
  if (error != std::errc{} || end != text->data() + text->size() || ms < 0)
    return std::unexpected(
        api::invalid_field("The query parameter duration must be milliseconds of at least 0", "duration"));
  return ms;
}

/// Rotates or revokes. Every step is repeated by a repeated request until all are done.
task<response> retire_key(cell_services& s, request_ptr r, std::vector<int64_t> from, int64_t to) {
  auto entering = enter_context(s, r, "keypairs:write");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  const auto id = api::path_value(*r, "id");
  const auto rotation_ms = read_duration(*r);
  if (!rotation_ms)
    co_return rotation_ms.error();
  auto reading = need_key(s, v->owner, id);
  auto old = co_await std::move(reading);
  if (!old)
    co_return std::move(old.error());
  if (const auto state = json::integer_at(*old, "state").value_or(0); std::ranges::find(from, state) == from.end())
    co_return api::invalid_request("The key pair " + id + " is in state " + std::to_string(state) +
                                   ", from which this step does not lead on.");
  auto adding = add_successor(s, r, *v, *old);
  auto added = co_await std::move(adding);
  if (!added)
    co_return std::move(added.error());
  auto moving = move_key(s, v->owner, id, std::move(from), to, *rotation_ms);
  auto moved = co_await std::move(moving);
  if (!moved)
    co_return std::move(moved.error());
  auto removing = remove_secret(s, v->owner, text_at(*old, "secretName"));
  auto removed = co_await std::move(removing);
  if (!removed)
    co_return std::move(removed.error());
  api::note_change(component, *r, v->who,
                   to == key_states::rotated ? "a key pair was rotated" : "a key pair was revoked", v->owner.id());
  co_return api::no_content();
}

task<response> rotate_key(cell_services& s, request_ptr r) {
  std::vector<int64_t> from{key_states::activated, key_states::rotated};
  auto retiring = retire_key(s, std::move(r), std::move(from), key_states::rotated);
  co_return co_await std::move(retiring);
}

task<response> revoke_key(cell_services& s, request_ptr r) {
  std::vector<int64_t> from{key_states::created, key_states::activated, key_states::rotated, key_states::revoked};
  auto retiring = retire_key(s, std::move(r), std::move(from), key_states::revoked);
  co_return co_await std::move(retiring);
}

} // namespace

void add_key_routes(gateway::router& to, cell_services& s) {
  const auto base = std::string(participants_path) + "/{p}/keypairs";
  api::route(to, s, "GET", base, list_keys);
  api::route(to, s, "PUT", base, put_key);
  api::route(to, s, "GET", base + "/{id}", get_key);
  api::route(to, s, "POST", base + "/{id}/activate", activate_key);
  api::route(to, s, "POST", base + "/{id}/rotate", rotate_key);
  api::route(to, s, "POST", base + "/{id}/revoke", revoke_key);
}

} // namespace fondaco::identity
