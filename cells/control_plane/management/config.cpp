#include <utility>

#include "cells/control_plane/management/resource.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

constexpr const char* type = "ParticipantContextConfig";

/// A configuration as a body gives it: values, and null for what a PATCH removes.
struct given_config {
  json::object entries;
  json::object private_entries;
};

/// What is wrong with an entry of ours: a duration that is none, attributes that are no JSON object.
std::optional<gateway::response> wrong_entry(const json::object& entries) {
  for (const auto& [name, v] : entries) {
    const std::string_view key = name;
    if (!v.is_string() || !key.starts_with("fondaco."))
      continue;
    const std::string_view text = v.get_string();
    if (key.ends_with(".ms") && !cells::duration_of(text))
      return api::invalid_field("must be milliseconds from 0 to 30 days", "entries." + std::string(key), v);
    if (key.ends_with(".attributes")) {
      const auto parsed = json::parse(text);
      if (!parsed || !parsed->is_object())
        return api::invalid_field("must be a JSON object, as a string", "entries." + std::string(key), v);
    }
  }
  return std::nullopt;
}

result<given_config> read_config(const gateway::request& r, bool patch) {
  auto body = api::read_body(r, {type});
  if (!body)
    return std::unexpected(std::move(body.error()));
  body_check check;
  const auto* open = check.text_map(*body, "entries", need::required, patch);
  const auto* hidden = check.text_map(*body, "privateEntries", need::optional, patch);
  if (check.failed())
    return std::unexpected(check.response());
  if (auto wrong = wrong_entry(*open))
    return std::unexpected(std::move(*wrong));
  return given_config{*open, hidden ? *hidden : json::object()};
}

/// The entries with each value sealed; nothing if the vault does not answer. Blocks.
std::optional<json::object> sealed_entries(cell_services& s, const tenant& owner, const json::object& given) {
  json::object out;
  for (const auto& [name, v] : given) {
    if (v.is_null()) {
      out[name] = nullptr;
      continue;
    }
    auto sealed = s.vault.seal(owner, v.get_string());
    if (!sealed)
      return std::nullopt;
    out[name] = *sealed;
  }
  return out;
}

/// RFC 7396 over one map.
void merge(json::object& body, const char* member, const json::object& changes) {
  auto& map = body[member];
  if (!map.is_object())
    map = json::object();
  for (const auto& [name, v] : changes) {
    if (v.is_null())
      map.get_object().erase(name);
    else
      map.get_object()[name] = v;
  }
}

record_change change_of(given_config given, bool patch) {
  return [given = std::move(given), patch](json::object before) -> result<json::object> {
    if (!patch)
      before = json::object();
    merge(before, "entries", given.entries);
    merge(before, "privateEntries", given.private_entries);
    return before;
  };
}

task<result<tenant>> enter_config(cell_services& s, request_ptr r, gateway::principal& who) {
  auto entering = enter_as_admin(s, r);
  auto admin = co_await std::move(entering);
  if (!admin)
    co_return std::unexpected(std::move(admin.error()));
  who = std::move(*admin);
  tenant owner(path_value(*r, "pc"));
  persistence::entity_key key{owner, cells::kinds::participant_context, owner.id()};
  auto looking = need_document(s, std::move(key), "ParticipantContext");
  auto known = co_await std::move(looking);
  if (!known)
    co_return std::unexpected(std::move(known.error()));
  co_return owner;
}

task<response> write_config(cell_services& s, request_ptr r, bool patch) {
  gateway::principal who;
  auto entering = enter_config(s, r, who);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto given = read_config(*r, patch);
  if (!given)
    co_return std::move(given.error());
  auto sealing = actors::in_pool(
      s.pool, s.edge, [&s, id = *owner, secrets = given->private_entries] { return sealed_entries(s, id, secrets); });
  auto sealed = co_await std::move(sealing);
  if (!sealed)
    co_return busy();
  if (!*sealed)
    co_return vault_unavailable();
  given->private_entries = std::move(**sealed);
  persistence::entity_key key{*owner, cells::kinds::participant_config, owner->id()};
  auto change = change_of(std::move(*given), patch);
  auto changing = change_record(s, std::move(key), std::move(change), type);
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  note_change(*r, who, "a participant context's configuration was changed", owner->id());
  co_return no_content();
}

task<response> get_config(cell_services& s, request_ptr r) {
  gateway::principal who;
  auto entering = enter_config(s, r, who);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  persistence::entity_key key{*owner, cells::kinds::participant_config, owner->id()};
  auto reading = need_document(s, std::move(key), type);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  const auto stored = stored_object(found->body);
  json::object out{{"@type", type}};
  for (const char* member : {"entries", "privateEntries"}) {
    const auto* map = json::object_at(stored, member);
    out[member] = map ? *map : json::object();
  }
  co_return api::object_response(std::move(out));
}

} // namespace

void add_config_routes(gateway::router& to, cell_services& s) {
  const auto path = participant_base + "config";
  to.add("PUT", path, [&s](request_ptr r) { return write_config(s, std::move(r), false); });
  to.add("PATCH", path, [&s](request_ptr r) { return write_config(s, std::move(r), true); });
  route(to, s, "GET", path, get_config);
}

} // namespace fondaco::control_plane::management
