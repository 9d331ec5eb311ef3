#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "actors/entity_kind.hpp"
#include "persistence/journal.hpp"
#include "planes/codec/fields.hpp"

namespace fondaco::planes {

/// Why a record refused a command; the codes of its faults.
enum class record_errc : uint8_t {
  /// There is no such record (404).
  not_found = 1,
  /// A record with this id exists (409). The caller must choose another id, or replace it.
  already_exists,
  /// The request id was used with another content (409). The caller must choose a new one.
  idempotency_key_reused,
  /// The record has changed since the caller read it (409). The caller must read it again.
  version_conflict,
  /// The kind, id or body is missing or too long (400). The caller must correct it.
  bad_record,
};

/// The enumerator's name in snake_case.
std::string_view name_of(record_errc e) noexcept;

/// The events of a record. Each says in `at` when it was decided and in `cause` which request made it.
namespace record_events {

/// The record got a body: its first (`created`) or another.
struct written {
  static constexpr std::string_view what = "written";
  timepoint at;
  std::string cause;
  std::string record_kind;
  std::string id;
  bool created = false;
  std::string digest;
  /// JSON text; secrets in it are sealed.
  std::string body;

  bool operator==(const written&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("record_kind", s.record_kind);
    f("id", s.id);
    f("created", s.created);
    f("digest", s.digest);
    f("body", s.body);
  }
};

/// The record was removed.
struct removed {
  static constexpr std::string_view what = "removed";
  timepoint at;
  std::string cause;
  std::string record_kind;

  bool operator==(const removed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("record_kind", s.record_kind);
  }
};

} // namespace record_events

/// One event of a record.
using record_event = std::variant<record_events::written, record_events::removed>;

/// A document with a history: assets, policy and contract definitions, participant contexts, configurations, data
/// planes, profiles, API clients. One decider serves all kinds; the kind comes with each command and is the prefix of
/// the events' types (`asset.created`), of the document and of the entity's key.
struct record {
  /// The document's body is written by the decision, not kept in the state: lists and reads ask the documents.
  struct state {
    bool exists = false;
    std::string record_kind;
    std::string id;
    /// Counts the writes of this life and the ones before it.
    int64_t version = 0;
    timepoint created_at;
    timepoint updated_at;
    /// The last request that wrote and the digest of what it asked, so that its repeat gets the same answer.
    std::string request_id;
    std::string digest;
    /// True if that request created.
    bool request_created = false;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// When a put is allowed.
  enum class mode : uint8_t {
    /// Only if there is no such record.
    create,
    /// Only if there is one.
    replace,
    /// Always.
    upsert,
  };

  /// Writes the body.
  struct put {
    std::string record_kind;
    std::string id;
    /// A JSON object's text.
    std::string body;
    mode when = mode::create;
    /// The idempotency key and the digest of the request; empty for none.
    std::string request_id;
    std::string digest;
    /// The version that the caller has read; nothing if it does not care.
    std::optional<int64_t> expected_version;
    /// Public names that the record takes (an API client's id, a participant's identity).
    std::vector<persistence::name_claim> names;
  };
  /// Removes the record.
  struct remove {
    std::string record_kind;
    std::string request_id;
  };

  using command = std::variant<put, remove>;
  using event = record_event;
  /// Nothing is owed.
  struct effect {};

  struct reply {
    std::string id;
    int64_t version = 0;
    timepoint created_at;
    timepoint updated_at;
    /// True if this request made the record (also when it is repeated).
    bool created = false;
  };

  static std::expected<actors::decision<record>, actors::refusal> decide(const state& s, const command& c,
                                                                         timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state&) { return {}; }
  static std::optional<timepoint> wake_at(const state&) { return std::nullopt; }
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// `ABSENT`, `PRESENT` or `REMOVED`.
  static std::string status(const state& s);
  static std::string view(const state& s);
};

/// The kind of entity of records with this name; it owes nothing.
actors::entity_kind record_kind(std::string name);

} // namespace fondaco::planes
