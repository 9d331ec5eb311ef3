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

namespace fondaco::participants {

/// Why a VPA refused a command; the codes of its faults.
enum class vpa_errc : uint8_t {
  /// There is no such VPA (404).
  not_found = 1,
  /// A VPA with this id exists and has another type (409).
  already_exists,
  /// The type is not one that a cell can run (400); the detail names those that are.
  bad_type,
  /// The VPA is disposed of, which nothing undoes (409).
  disposed,
};

/// The enumerator's name in snake_case.
std::string_view name_of(vpa_errc e) noexcept;

/// The types of VPAs: the roles that a participant context can have in a cell.
enum class vpa_type : uint8_t { control_plane, credential_service, issuer_service, data_plane };
/// `control-plane` and so on, as the management plane says it.
std::string_view name_of(vpa_type t) noexcept;
/// The type with this name; nothing if there is none.
std::optional<vpa_type> parse_vpa_type(std::string_view name) noexcept;

/// Whether a VPA acts. Frozen: its entities keep still and new work is refused. Disposed: for good.
enum class vpa_state : uint8_t { active, frozen, disposed };
/// `ACTIVE`, `FROZEN` or `DISPOSED`.
std::string_view name_of(vpa_state s) noexcept;

/// The events of a VPA. Each says in `at` when it was decided and in `cause` which request made it.
namespace vpa_events {

/// The VPA was made.
struct created {
  static constexpr std::string_view what = "created";
  timepoint at;
  std::string cause;
  std::string id;
  vpa_type type = vpa_type::control_plane;

  bool operator==(const created&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("id", s.id);
    f("type", s.type);
  }
};

/// The VPA was frozen, thawed or disposed of.
struct moved {
  static constexpr std::string_view what = "moved";
  timepoint at;
  std::string cause;
  vpa_state to = vpa_state::frozen;
  std::string reason;

  bool operator==(const moved&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("to", s.to);
    f("reason", s.reason);
  }
};

} // namespace vpa_events

/// One event of a VPA.
using vpa_event = std::variant<vpa_events::created, vpa_events::moved>;

/// A virtual participant agent: one role of a participant context in a cell (blueprint, sections 3 and 5).
struct vpa {
  static constexpr std::string_view kind = "vpa";

  struct state {
    bool exists = false;
    std::string id;
    vpa_type type = vpa_type::control_plane;
    vpa_state at = vpa_state::active;
    /// Why it was moved last.
    std::string reason;
    timepoint created_at;
    timepoint updated_at;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// Makes the VPA; again with the same type changes nothing.
  struct create {
    std::string id;
    /// `control-plane` and so on.
    std::string type;
    std::string request_id;
  };
  /// Each changes nothing where it is so already.
  struct freeze_it {
    std::string reason;
    std::string request_id;
  };
  struct thaw_it {
    std::string request_id;
  };
  struct dispose {
    std::string reason;
    std::string request_id;
  };

  using command = std::variant<create, freeze_it, thaw_it, dispose>;
  using event = vpa_event;
  /// Nothing is owed.
  struct effect {};

  struct reply {
    std::string id;
    vpa_type type = vpa_type::control_plane;
    vpa_state at = vpa_state::active;
    /// True if this command made the VPA.
    bool created = false;
  };

  static std::expected<actors::decision<vpa>, actors::refusal> decide(const state& s, const command& c, timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state&) { return {}; }
  static std::optional<timepoint> wake_at(const state&) { return std::nullopt; }
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// `ABSENT`, `ACTIVE`, `FROZEN` or `DISPOSED`.
  static std::string status(const state& s);
  static std::string view(const state& s);
};

} // namespace fondaco::participants

namespace fondaco::planes {
template <> struct enumerators<participants::vpa_type> {
  using enum participants::vpa_type;
  static constexpr enumerator<participants::vpa_type> all[] = {{control_plane, "control-plane"},
                                                               {credential_service, "credential-service"},
                                                               {issuer_service, "issuer-service"},
                                                               {data_plane, "data-plane"}};
};
template <> struct enumerators<participants::vpa_state> {
  using enum participants::vpa_state;
  static constexpr enumerator<participants::vpa_state> all[] = {
      {active, "active"}, {frozen, "frozen"}, {disposed, "disposed"}};
};
} // namespace fondaco::planes
