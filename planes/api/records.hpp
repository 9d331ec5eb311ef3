#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/http.hpp"
#include "planes/services.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::planes::api {

using gateway::response;
using gateway::task;
using request_ptr = std::shared_ptr<const gateway::request>;

/// A value, or the response that says why there is none.
template <class T> using result = std::expected<T, response>;

namespace limits {
/// How often a change that depends on what was read is tried again when somebody else changed it meanwhile.
inline constexpr unsigned change_attempts_max = 8;
} // namespace limits

/// Token and scope (`identity-api:keypairs:write`); with `owner`, that the caller may act for it: its context is that
/// one, or it administers the scope's API. 401 or 403 before any look-up.
task<result<gateway::principal>> admit(node_services& s, request_ptr r, std::string scope, std::optional<tenant> owner);

/// 503: the reader pool's queue is full.
response busy();
/// 503: the vault does not answer.
response vault_unavailable();

/// The value of a `{name}` segment of the path.
const std::string& path_value(const gateway::request& r, std::string_view name);

/// The document with this key, or nothing.
task<result<std::optional<persistence::document>>> read_document(node_services& s, persistence::entity_key key);
/// The document with this key, or 404 for `type`.
task<result<persistence::document>> need_document(node_services& s, persistence::entity_key key, std::string type);
task<result<std::vector<persistence::document>>> query_documents(node_services& s, tenant owner, std::string kind,
                                                                 persistence::query_spec spec);
task<result<std::vector<persistence::entity_row>>> query_rows(node_services& s, tenant owner, std::string kind,
                                                              persistence::query_spec spec);
/// The row of a process whose id carries its shard, or 404 for `type`; a removed one is not there.
task<result<persistence::entity_row>> need_row(node_services& s, persistence::entity_key key, std::string type);

/// When a record may be written.
enum class write_mode : uint8_t { create, replace, upsert };

/// A body to be kept as a document of the tenant.
struct record_write {
  std::string kind;
  std::string id;
  std::string body;
  write_mode when = write_mode::create;
  /// The Idempotency-Key and the digest of the request; empty for none.
  std::string request_id;
  std::string request_digest;
  /// The version that the body was made from; nothing if any will do.
  std::optional<int64_t> expected_version;
  std::vector<persistence::name_claim> names;
};

/// Writes a record and gives the moment of its creation; `type` names it in errors.
task<result<timepoint>> write_record(node_services& s, tenant owner, record_write w, std::string type);
/// Removes a record; 404 if there is none.
task<result<bool>> remove_record(node_services& s, tenant owner, std::string kind, std::string id, std::string type);

/// Makes the body of a record from what it was (an empty object if there was none), or says why not. Blocks: runs in
/// the reader pool.
using record_change = std::function<result<json::object>(json::object before)>;

/// Changes a record as one step: read, make, write if nobody has written meanwhile; else once more.
task<result<bool>> change_record(node_services& s, persistence::entity_key key, record_change change, std::string type);

/// A JSON object from stored text; an empty one if it is none.
json::object stored_object(std::string_view text);

/// The shard in an id that this group gave; nothing if it is no such id.
std::optional<shard_number> shard_of_id(const node_services& s, std::string_view id);

/// What a request that creates something says about its identity.
struct creation {
  std::string id;
  /// The Idempotency-Key, and the digest of the body; empty for none.
  std::string request_id;
  std::string request_digest;
};

/// The id of what a POST creates: the one given, else one derived from the Idempotency-Key, else a fresh one. 400 for
/// an id or a key that is not 1 to 512 bytes without control characters.
result<creation> read_creation(node_services& s, const gateway::request& r, const tenant& owner, std::string_view route,
                               std::string_view given_id);

/// The claim that keeps an Idempotency-Key to what it created; nothing without a key.
std::vector<persistence::name_claim> key_claim(const tenant& owner, std::string_view route, const creation& c);

/// 204 without a body.
response no_content();

/// A line of the audit log: who changed what, by which API (`management`, `identity`).
void note_change(std::string component, const gateway::request& r, const gateway::principal& who,
                 const std::string& what, const std::string& participant_context);

/// Binds a route to a coroutine function of a plane's services.
template <class Services, class F>
void route(gateway::router& to, Services& s, const char* method, std::string pattern, F f) {
  to.add(method, std::move(pattern), [&s, f](request_ptr r) { return f(s, std::move(r)); });
}

} // namespace fondaco::planes::api
