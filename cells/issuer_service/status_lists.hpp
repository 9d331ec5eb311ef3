#pragma once

#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports/task.hpp"
#include "cells/issuer_service/issuance_events.hpp"
#include "cells/issuer_service/status_list.hpp"
#include "cells/services.hpp"
#include "gateway/http.hpp"
#include "protocols/base/fault.hpp"

/// The status lists of an issuer as the rest of this folder uses them.
namespace fondaco::issuer_service {

namespace limits {
/// How long a published status list is valid.
inline constexpr milliseconds status_list_validity_ms{3'600'000};
/// How long a signed status list is handed out before it is signed anew; a change of the list or of its key is seen at
/// once, or after this time.
inline constexpr milliseconds status_list_resign_ms{60'000};
/// The most signed status lists that are kept in memory.
inline constexpr size_t signed_lists_max = 256;
/// How many lists are tried for one allocation: each but the last was full when it was asked.
inline constexpr int64_t lists_tried_max = 4;
} // namespace limits

/// Where everybody reads a status list: by the name of the public side, never a node's.
std::string status_list_url(const cells::cell_settings& settings, const std::string& list_id);

/// The id of the n-th list of a purpose, a function of them, so that whoever asks first makes the same.
std::string status_list_id(const cells::cell_services& s, const tenant& owner, const std::string& purpose,
                           int64_t number);

/// A place for each key in the latest list of the purpose, or the next one if that is full. `retry` faults are for now.
actors::task<std::expected<std::vector<status_place>, fault>>
allocate_places(cells::cell_services& s, tenant owner, std::string purpose, std::vector<std::string> keys);

/// Sets or clears a place's bit; durable when it answers.
actors::task<std::expected<void, actors::ask_error>> set_bit(cells::cell_services& s, tenant owner, status_place place,
                                                             bool value, std::string cause);

/// The place's bit as it is published; nothing if it cannot be read now. Blocks.
std::optional<bool> read_bit(cells::cell_services& s, const tenant& owner, const status_place& place);

/// Serves status lists: signs a list when it is asked for, and hands the same out for a while. Any thread may call.
class status_list_publisher {
public:
  explicit status_list_publisher(cells::cell_services& s) : s_(s) {}

  /// `GET /statuslist/{id}`: a JWT, or JSON for `Accept: application/json`; 404 for what is none of ours.
  gateway::task<gateway::response> answer(std::shared_ptr<const gateway::request> r);

private:
  struct signed_list {
    int64_t version = 0;
    timepoint signed_at;
    std::string compact;
  };
  using found = std::expected<std::string, gateway::response>;

  /// The compact JWS. Blocks.
  found find(const std::string& id);
  found sign(const std::string& id, const persistence::entity_key& key, const std::string& body, timepoint now) const;

  cells::cell_services& s_;
  std::mutex mutex_;
  std::map<std::string, signed_list> signed_;
};

/// What of a status list an Accept header asks for; nothing if it wants none of the two.
enum class list_form : uint8_t { jwt, json };
std::optional<list_form> choose_form(std::optional<std::string_view> accept);

} // namespace fondaco::issuer_service
