#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "persistence/journal.hpp"
#include "planes/codec/fields.hpp"
#include "protocols/base/time.hpp"
#include "protocols/vc/status_list.hpp"

namespace fondaco::issuer_service {

namespace limits {
/// How many of the latest allocations a list remembers by their keys, so that a repeat gets the same places. A repeat
/// that comes later gets others: a place may be lost, but is never given twice.
inline constexpr size_t remembered_allocations_max = 256;
/// The most places of one allocation.
inline constexpr size_t allocation_places_max = 64;
} // namespace limits

/// Why a status list refused a command; the codes of its faults.
enum class list_errc : uint8_t {
  /// The list has not so many places left. The caller must ask the next one.
  full = 1,
  /// There is no such list, or the place was never given away (404).
  not_found,
  /// A member of the command is missing or wrong (400). The caller must correct it.
  invalid,
};

/// The enumerator's name in snake_case.
std::string_view name_of(list_errc e) noexcept;

/// Who got which place.
struct allocation {
  std::string key;
  int64_t index = 0;

  bool operator==(const allocation&) const = default;
  static void each(auto& s, auto&& f) {
    f("key", s.key);
    f("index", s.index);
  }
};

/// The events of a status list. Each says in `at` when it was decided and in `cause` what made it.
namespace status_list_events {

/// The list began, all bits clear.
struct opened {
  static constexpr std::string_view what = "opened";
  timepoint at;
  std::string cause;
  std::string id;
  std::string purpose;
  int64_t number = 0;
  int64_t bits = 0;

  bool operator==(const opened&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("id", s.id);
    f("purpose", s.purpose);
    f("number", s.number);
    f("bits", s.bits);
  }
};

/// Places were given away.
struct allocated {
  static constexpr std::string_view what = "allocated";
  timepoint at;
  std::string cause;
  std::vector<allocation> places;

  bool operator==(const allocated&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("places", s.places);
  }
};

/// A bit changed.
struct changed {
  static constexpr std::string_view what = "changed";
  timepoint at;
  std::string cause;
  int64_t index = 0;
  bool value = false;

  bool operator==(const changed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("index", s.index);
    f("value", s.value);
  }
};

} // namespace status_list_events

/// One event of a status list.
using status_list_event =
    std::variant<status_list_events::opened, status_list_events::allocated, status_list_events::changed>;

/// A status list of an issuer, pure: gives its places away, each once, and keeps its bits (DCP reference, section 7).
/// It lives in its tenant's shard and is its own only writer, so that no place is given twice whoever asks. Its
/// document
/// (`purpose`, `number`, `encodedList`) is what is published, signed when it is asked for.
struct status_list {
  static constexpr std::string_view kind = "status_list";

  /// What is true of a list after its events.
  struct state {
    bool exists = false;
    std::string id;
    std::string purpose;
    /// The place of the list among those of its purpose.
    int64_t number = 0;
    int64_t bits = 0;
    /// The first place that is free.
    int64_t next = 0;
    std::vector<allocation> recent;
    /// The bits, as `vc::status_bits` encodes them.
    std::string encoded;
    timepoint created_at;
    timepoint updated_at;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// Gives a place for each key, all of them or none; begins the list if there is none.
  struct allocate {
    std::string id;
    std::string purpose;
    int64_t number = 0;
    /// A list that begins gets so many bits.
    int64_t bits = static_cast<int64_t>(vc::limits::status_list_bits);
    std::vector<std::string> keys;
  };
  /// Sets or clears the bit of a place.
  struct set_bit {
    int64_t index = 0;
    bool value = false;
    /// The id of the credential, for the history.
    std::string cause;
  };

  using command = std::variant<allocate, set_bit>;
  using event = status_list_event;
  /// Nothing is owed.
  struct effect {};

  struct reply {
    std::string id;
    /// One for each key of an allocation.
    std::vector<int64_t> indices;
  };

  static std::expected<actors::decision<status_list>, actors::refusal> decide(const state& s, const command& c,
                                                                              timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state&) { return {}; }
  static std::optional<timepoint> wake_at(const state&) { return std::nullopt; }
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// `ABSENT`, `OPEN` or `FULL`.
  static std::string status(const state& s);
  /// `purpose`, `number`, `bits`, `allocated`.
  static std::string view(const state& s);
};

} // namespace fondaco::issuer_service
