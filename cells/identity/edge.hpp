#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cells/identity/kinds.hpp"
#include "cells/services.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"
#include "planes/api/records.hpp"
#include "planes/record.hpp"

/// The edge that the routes of the Identity API share.
namespace fondaco::identity {

namespace api = planes::api;
using api::request_ptr;
using api::result;
using cells::cell_services;
using gateway::response;
using gateway::task;

/// Where the Identity API's participant routes begin.
inline constexpr std::string_view participants_path = "/api/identity/v1beta/participants";

/// The types as errors name them.
inline constexpr const char* context_type = "ParticipantContext";
inline constexpr const char* key_type_name = "KeyPairResource";
inline constexpr const char* did_type = "DidResource";

/// The states of a participant context as the Identity API numbers them (identity API reference, section 8.1).
namespace context_states {
inline constexpr int64_t created = 100;
inline constexpr int64_t activated = 200;
inline constexpr int64_t deactivated = 300;
} // namespace context_states

/// Token (or API key, section 3.1), scope and ownership of the path's participant, before any look-up: 401 or 403.
task<result<gateway::principal>> enter(cell_services& s, request_ptr r, const char* scope);

/// The same for what only administrators of the API may do.
task<result<gateway::principal>> enter_as_admin(cell_services& s, request_ptr r);

/// The key of a participant's context.
persistence::entity_key context_key(const tenant& owner);

/// The participant context of the path, with its times; 404 if there is none, or its creation did not come to its end.
task<result<persistence::document>> need_context(cell_services& s, tenant owner);

/// True if the context's body says that its creation came to its end.
bool is_complete(const json::object& context);

/// Whose things a request is about.
struct visit {
  gateway::principal who;
  tenant owner;
  std::string did;
  /// The context's, as `context_states` has it.
  int64_t state = context_states::created;
};

/// Enters, then demands that the participant context of the path is there.
task<result<visit>> enter_context(cell_services& s, request_ptr r, const char* scope);

/// Writes the document that `change` makes of what is there, if nobody has written meanwhile, else once more; takes the
/// names with it. 409 with `taken` if a name belongs to something else.
task<result<bool>> change_named(cell_services& s, persistence::entity_key key, api::record_change change,
                                std::vector<persistence::name_claim> names, std::string type, std::string taken);

/// Brings the list of participant contexts into line with the context as it is now.
task<result<bool>> publish_to_list(cell_services& s, tenant owner);

/// A QuerySpec as the Identity API takes it (section 3.6), without JSON-LD; an empty body gives the default one.
result<persistence::query_spec> read_query(const gateway::request& r);

/// `offset` and `limit` of the query string.
result<persistence::query_spec> read_page(const gateway::request& r);

/// A boolean of the query string, or the default; 400 if it is neither `true` nor `false`.
result<bool> read_flag(const gateway::request& r, std::string_view name, std::optional<bool> otherwise);

/// A boolean member, or the default; anything else is refused.
bool flag(api::body_check& check, const json::object& o, std::string_view name, bool otherwise);

/// 200 with a JSON array.
response array_of(json::array items);
/// 200 with a bare text, as the peers' endpoints that give a string do.
response text_response(std::string text);
/// Keeps an answer with a secret out of caches.
void never_store(response& r);

/// The string member, or an empty text.
std::string text_at(const json::object& o, std::string_view name);

} // namespace fondaco::identity
