#include "cells/control_plane/management/edge.hpp"

#include <algorithm>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/api/bodies.hpp"
#include "cells/api/errors.hpp"
#include "cells/participants/record.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::control_plane::management {

namespace api = cells::api;
using participants::record;

namespace {

constexpr std::string_view scope_prefix = "management-api:";
constexpr std::string_view key_header = "idempotency-key";
constexpr const char* key_space = "idempotency_key";

record::mode mode_of(write_mode m) {
  switch (m) {
  case write_mode::create: return record::mode::create;
  case write_mode::replace: return record::mode::replace;
  case write_mode::upsert: break;
  }
  return record::mode::upsert;
}

response refused_record(const actors::ask_error& e, const std::string& type, const std::string& id) {
  if (e.code == actors::ask_errc::refused && e.why.code == "already_exists")
    return api::conflict("Object of type " + type + " with ID=" + id + " already exists");
  if (e.code == actors::ask_errc::refused && e.why.code == "name_taken")
    return api::conflict("The idempotency key was used with another request; choose a new key.");
  if (e.code == actors::ask_errc::refused && e.why.code == "bad_record")
    return api::invalid_request(e.why.detail);
  return api::from_ask(e, type, id);
}

persistence::entity_key context_key(const tenant& owner) {
  return {owner, cells::kinds::participant_context, owner.id()};
}

} // namespace

response busy() {
  return api::error_response(503, {{"Too many reads wait; ask again after a moment.", "Unavailable", "", nullptr}});
}

response vault_unavailable() {
  return api::error_response(503,
                             {{"The vault does not answer; ask again after a moment.", "Unavailable", "", nullptr}});
}

response no_content() { return {.status = 204, .headers = {}, .body = {}, .stream = {}, .content_length = {}}; }

const std::string& path_value(const gateway::request& r, std::string_view name) {
  const auto found = r.params.find(name);
  invariant(found != r.params.end(), "a route reads only the segments that its pattern names");
  return found->second;
}

json::object stored_object(std::string_view text) {
  auto parsed = json::parse(text);
  return parsed && parsed->is_object() ? std::move(parsed->get_object()) : json::object{};
}

task<result<std::optional<persistence::document>>> read_document(cell_services& s, persistence::entity_key key) {
  auto reading = actors::in_pool(s.pool, s.edge, [&s, key] { return s.documents.get(key); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(api::from_query(found->error()));
  co_return std::move(**found);
}

task<result<persistence::document>> need_document(cell_services& s, persistence::entity_key key, std::string type) {
  auto id = key.id;
  auto reading = read_document(s, std::move(key));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  if (!*found)
    co_return std::unexpected(api::not_found(type, id));
  co_return std::move(**found);
}

task<result<std::vector<persistence::document>>> query_documents(cell_services& s, tenant owner, std::string kind,
                                                                 persistence::query_spec spec) {
  auto reading =
      actors::in_pool(s.pool, s.edge, [&s, owner, kind, spec] { return s.documents.query(owner, kind, spec); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(api::from_query(found->error()));
  co_return std::move(**found);
}

task<result<std::vector<persistence::entity_row>>> query_rows(cell_services& s, tenant owner, std::string kind,
                                                              persistence::query_spec spec) {
  auto reading = actors::in_pool(s.pool, s.edge,
                                 [&s, owner, kind, spec] { return s.documents.query_entities(owner, kind, spec); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(api::from_query(found->error()));
  co_return std::move(**found);
}

task<result<persistence::entity_row>> need_row(cell_services& s, persistence::entity_key key, std::string type) {
  if (!shard_of_id(s, key.id))
    co_return std::unexpected(api::not_found(type, key.id));
  auto reading = actors::in_pool(s.pool, s.edge, [&s, key] { return s.journal.read_row(key); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(
        api::error_response(503, {{"The store does not answer; ask again.", "Unavailable", "", nullptr}}));
  auto& row = **found;
  if (!row || row->status == "REMOVED")
    co_return std::unexpected(api::not_found(type, key.id));
  co_return std::move(*row);
}

task<result<tenant>> enter(cell_services& s, request_ptr r, const char* scope) {
  tenant owner(path_value(*r, "pc"));
  std::string required = std::string(scope_prefix) + scope;
  auto admission = gateway::admit(s.tokens, r, std::move(required), owner);
  auto admitted = co_await std::move(admission);
  if (!admitted)
    co_return std::unexpected(gateway::to_response(admitted.error()));
  auto reading = need_document(s, context_key(owner), "ParticipantContext");
  auto context = co_await std::move(reading);
  if (!context)
    co_return std::unexpected(std::move(context.error()));
  co_return owner;
}

task<result<cells::participant>> enter_with_config(cell_services& s, request_ptr r, const char* scope) {
  auto entering = enter(s, r, scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::unexpected(std::move(owner.error()));
  auto reading = actors::in_pool(s.pool, s.edge, [&s, who = *owner] { return cells::read_participant(s, who); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(api::not_found("ParticipantContext", owner->id()));
  co_return std::move(**found);
}

task<result<gateway::principal>> enter_as_admin(cell_services& s, request_ptr r) {
  std::string required = std::string(scope_prefix) + "admin";
  std::optional<tenant> nobody;
  auto admission = gateway::admit(s.tokens, r, std::move(required), std::move(nobody));
  auto admitted = co_await std::move(admission);
  if (!admitted)
    co_return std::unexpected(gateway::to_response(admitted.error()));
  co_return std::move(*admitted);
}

task<result<timepoint>> write_record(cell_services& s, tenant owner, record_write w, std::string type) {
  persistence::entity_key key{owner, w.kind, w.id};
  record::put put;
  put.record_kind = std::move(w.kind);
  put.id = std::move(w.id);
  put.body = std::move(w.body);
  put.when = mode_of(w.when);
  put.request_id = std::move(w.request_id);
  put.digest = std::move(w.request_digest);
  put.expected_version = w.expected_version;
  put.names = std::move(w.names);
  auto id = key.id;
  record::command command = std::move(put);
  auto asking = actors::ask<record>(s.runtime, s.edge, std::move(key), s.runtime.shard_for(owner), std::move(command),
                                    s.settings.command_timeout_ms);
  auto reply = co_await std::move(asking);
  if (!reply)
    co_return std::unexpected(refused_record(reply.error(), type, id));
  co_return reply->created_at;
}

task<result<bool>> remove_record(cell_services& s, tenant owner, std::string kind, std::string id, std::string type) {
  persistence::entity_key key{owner, kind, id};
  record::command command = record::remove{std::move(kind), ""};
  auto asking = actors::ask<record>(s.runtime, s.edge, std::move(key), s.runtime.shard_for(owner), std::move(command),
                                    s.settings.command_timeout_ms);
  auto reply = co_await std::move(asking);
  if (!reply)
    co_return std::unexpected(refused_record(reply.error(), type, id));
  co_return true;
}

namespace {

struct draft {
  json::object body;
  int64_t version = 0;
};

// The row is read first: if somebody writes between the two reads, the version is the older one and the write is
// refused.
result<draft> make_draft(cell_services& s, const persistence::entity_key& key, const record_change& change) {
  const auto row = s.journal.read_row(key);
  auto before = s.documents.get(key);
  if (!row || !before)
    return std::unexpected(
        api::error_response(503, {{"The store does not answer; ask again.", "Unavailable", "", nullptr}}));
  draft out;
  if (*row && *before)
    out.version = json::integer_at(stored_object((*row)->view), "version").value_or(0);
  auto body = change(*before ? stored_object((*before)->body) : json::object());
  if (!body)
    return std::unexpected(std::move(body.error()));
  out.body = std::move(*body);
  return out;
}

} // namespace

task<result<bool>> change_record(cell_services& s, persistence::entity_key key, record_change change,
                                 std::string type) {
  for (unsigned attempt = 1;; ++attempt) {
    auto making = actors::in_pool(s.pool, s.edge, [&s, key, change] { return make_draft(s, key, change); });
    auto made = co_await std::move(making);
    if (!made)
      co_return std::unexpected(busy());
    if (!*made)
      co_return std::unexpected(std::move(made->error()));
    record_write w;
    w.kind = key.kind;
    w.id = key.id;
    w.body = json::write((*made)->body);
    w.when = write_mode::upsert;
    w.expected_version = (*made)->version;
    auto writing = write_record(s, key.owner, std::move(w), type);
    auto written = co_await std::move(writing);
    if (written)
      co_return true;
    if (written.error().status != 409 || attempt >= limits::change_attempts_max)
      co_return std::unexpected(std::move(written.error()));
  }
}

std::optional<shard_number> shard_of_id(const cell_services& s, std::string_view id) {
  const auto parsed = parse_uuid(id);
  if (!parsed || (parsed->version() != 7 && parsed->version() != 8) || parsed->shard() >= s.runtime.shards() ||
      parsed->text() != id)
    return std::nullopt;
  return parsed->shard();
}

result<creation> read_creation(cell_services& s, const gateway::request& r, const tenant& owner, std::string_view route,
                               std::string_view given_id) {
  creation c;
  if (const auto key = gateway::header(r, key_header)) {
    if (!api::is_id(*key))
      return std::unexpected(
          api::invalid_request("Idempotency-Key must have 1 to 512 bytes without control characters."));
    c.request_id = *key;
    c.request_digest = hex(sha256(r.body));
  }
  if (!given_id.empty() && !api::is_id(given_id))
    return std::unexpected(api::invalid_field("@id must have 1 to 512 bytes without control characters", "@id"));
  if (!given_id.empty())
    c.id = given_id;
  else if (!c.request_id.empty())
    c.id = derive_uuid(s.runtime.shard_for(owner), {owner.id(), route, c.request_id}).text();
  else
    c.id = s.runtime.fresh_id(owner).text();
  return c;
}

std::vector<persistence::name_claim> key_claim(const tenant& owner, std::string_view route, const creation& c) {
  if (c.request_id.empty())
    return {};
  const auto name = derive_uuid(0, {owner.id(), route, c.request_id}).text();
  return {{key_space, name}};
}

result<std::string> read_profile(const cell_services& s, const cells::participant& p, const json::object& body) {
  const bool has_profile = body.contains("profile");
  if (has_profile == body.contains("protocol"))
    return std::unexpected(api::invalid_field("exactly one of profile and protocol is required", "profile"));
  const char* field = has_profile ? "profile" : "protocol";
  const auto name = json::string_at(body, field);
  if (!name)
    return std::unexpected(api::invalid_field(std::string(field) + " must be a string", field, body.at(field)));
  const auto known = std::ranges::any_of(s.settings.profiles, [&](const auto& one) { return one.name == *name; });
  if (!known || std::ranges::find(p.profiles, *name) == p.profiles.end())
    return std::unexpected(api::invalid_field(
        "No profile '" + std::string(*name) + "' for participant '" + p.owner.id() + "'", field, json::value(*name)));
  return std::string(*name);
}

process_settings settings_of(const cell_services& s, const cells::participant& p) {
  process_settings out;
  out.reaction_delay_ms = cells::duration_entry(p, "fondaco.dsp.reaction.delay.ms", out.reaction_delay_ms);
  out.send_window_ms = cells::duration_entry(p, "fondaco.dsp.send.window.ms", s.settings.send_window_ms);
  out.idle_max_ms = cells::duration_entry(p, "fondaco.dsp.peer.silence.ms", s.settings.peer_silence_ms);
  return out;
}

response from_process(const actors::ask_error& e, std::string_view type, std::string_view id) {
  const bool body_was_wrong = e.why.code == "bad_message" || e.why.code == "no_data_plane";
  if (e.code == actors::ask_errc::refused && body_was_wrong)
    return api::invalid_request(e.why.detail);
  return api::from_ask(e, type, id);
}

void note_change(const gateway::request& r, const gateway::principal& who, const std::string& what,
                 const std::string& participant_context) {
  write_log(
      {severity::info,
       "management",
       log_category::audit,
       what,
       {{"subject", who.subject}, {"participant_context", participant_context}, {"correlation_id", r.correlation_id}}});
}

} // namespace fondaco::control_plane::management
