#include "planes/api/records.hpp"

#include <utility>

#include "actors/ports/log.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"
#include "planes/record.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::planes::api {

namespace {

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
    return conflict("Object of type " + type + " with ID=" + id + " already exists");
  if (e.code == actors::ask_errc::refused && e.why.code == "name_taken")
    return conflict("The idempotency key was used with another request; choose a new key.");
  if (e.code == actors::ask_errc::refused && e.why.code == "bad_record")
    return invalid_request(e.why.detail);
  return from_ask(e, type, id);
}

} // namespace

response busy() {
  return error_response(503, {{"Too many reads wait; ask again after a moment.", "Unavailable", "", nullptr}});
}

response vault_unavailable() {
  return error_response(503, {{"The vault does not answer; ask again after a moment.", "Unavailable", "", nullptr}});
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

task<result<std::optional<persistence::document>>> read_document(node_services& s, persistence::entity_key key) {
  auto reading = actors::in_pool(s.pool, s.edge, key.owner, [&s, key] { return s.documents.get(key); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(from_query(found->error()));
  co_return std::move(**found);
}

task<result<persistence::document>> need_document(node_services& s, persistence::entity_key key, std::string type) {
  auto id = key.id;
  auto reading = read_document(s, std::move(key));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  if (!*found)
    co_return std::unexpected(not_found(type, id));
  co_return std::move(**found);
}

task<result<std::vector<persistence::document>>> query_documents(node_services& s, tenant owner, std::string kind,
                                                                 persistence::query_spec spec) {
  auto reading =
      actors::in_pool(s.pool, s.edge, owner, [&s, owner, kind, spec] { return s.documents.query(owner, kind, spec); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(from_query(found->error()));
  co_return std::move(**found);
}

task<result<std::vector<persistence::entity_row>>> query_rows(node_services& s, tenant owner, std::string kind,
                                                              persistence::query_spec spec) {
  auto reading = actors::in_pool(s.pool, s.edge, owner,
                                 [&s, owner, kind, spec] { return s.documents.query_entities(owner, kind, spec); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(from_query(found->error()));
  co_return std::move(**found);
}

task<result<persistence::entity_row>> need_row(node_services& s, persistence::entity_key key, std::string type) {
  if (!shard_of_id(s, key.id))
    co_return std::unexpected(not_found(type, key.id));
  auto reading = actors::in_pool(s.pool, s.edge, key.owner, [&s, key] { return s.journal.read_row(key); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(
        error_response(503, {{"The store does not answer; ask again.", "Unavailable", "", nullptr}}));
  auto& row = **found;
  if (!row || row->status == "REMOVED")
    co_return std::unexpected(not_found(type, key.id));
  co_return std::move(*row);
}

task<result<gateway::principal>> admit(node_services& s, request_ptr r, std::string scope,
                                       std::optional<tenant> owner) {
  auto admission = gateway::admit(s.tokens, r, std::move(scope), std::move(owner));
  auto admitted = co_await std::move(admission);
  if (!admitted)
    co_return std::unexpected(gateway::to_response(admitted.error()));
  co_return std::move(*admitted);
}

task<result<timepoint>> write_record(node_services& s, tenant owner, record_write w, std::string type) {
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
                                    s.command_timeout_ms);
  auto reply = co_await std::move(asking);
  if (!reply)
    co_return std::unexpected(refused_record(reply.error(), type, id));
  co_return reply->created_at;
}

task<result<bool>> remove_record(node_services& s, tenant owner, std::string kind, std::string id, std::string type) {
  persistence::entity_key key{owner, kind, id};
  record::command command = record::remove{std::move(kind), ""};
  auto asking = actors::ask<record>(s.runtime, s.edge, std::move(key), s.runtime.shard_for(owner), std::move(command),
                                    s.command_timeout_ms);
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
result<draft> make_draft(node_services& s, const persistence::entity_key& key, const record_change& change) {
  const auto row = s.journal.read_row(key);
  auto before = s.documents.get(key);
  if (!row || !before)
    return std::unexpected(
        error_response(503, {{"The store does not answer; ask again.", "Unavailable", "", nullptr}}));
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

task<result<bool>> change_record(node_services& s, persistence::entity_key key, record_change change,
                                 std::string type) {
  for (unsigned attempt = 1;; ++attempt) {
    auto making = actors::in_pool(s.pool, s.edge, key.owner, [&s, key, change] { return make_draft(s, key, change); });
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

std::optional<shard_number> shard_of_id(const node_services& s, std::string_view id) {
  const auto parsed = parse_uuid(id);
  if (!parsed || (parsed->version() != 7 && parsed->version() != 8) || parsed->shard() >= s.runtime.shards() ||
      parsed->text() != id)
    return std::nullopt;
  return parsed->shard();
}

result<creation> read_creation(node_services& s, const gateway::request& r, const tenant& owner, std::string_view route,
                               std::string_view given_id) {
  creation c;
  if (const auto key = gateway::header(r, key_header)) {
    if (!is_id(*key))
      return std::unexpected(invalid_request("Idempotency-Key must have 1 to 512 bytes without control characters."));
    c.request_id = *key;
    c.request_digest = hex(sha256(r.body));
  }
  if (!given_id.empty() && !is_id(given_id))
    return std::unexpected(invalid_field("@id must have 1 to 512 bytes without control characters", "@id"));
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

void note_change(std::string component, const gateway::request& r, const gateway::principal& who,
                 const std::string& what, const std::string& participant_context) {
  write_log(
      {severity::info,
       std::move(component),
       log_category::audit,
       what,
       {{"subject", who.subject}, {"participant_context", participant_context}, {"correlation_id", r.correlation_id}}});
}

} // namespace fondaco::planes::api
