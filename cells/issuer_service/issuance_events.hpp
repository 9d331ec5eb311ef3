#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cells/control_plane/process.hpp"
#include "planes/codec/fields.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::issuer_service {

/// A credential that is to be made: everything but the signature and its places in status lists.
struct planned_credential {
  /// A `urn:uuid:`; a function of the issuance and the definition.
  std::string credential_id;
  std::string definition_id;
  std::string credential_type;
  /// A DCP profile, as `vc11-sl2021/jwt`.
  std::string format;
  /// JSON-LD contexts besides the data model's.
  std::vector<std::string> contexts;
  /// Empty for none.
  std::string schema_url;
  /// 0: it ends when it begins.
  int64_t validity_s = 0;
  std::vector<std::string> status_purposes;
  /// The subject without its id, which is the holder's DID.
  json::object subject;
  std::string name;
  std::string description;

  bool operator==(const planned_credential&) const = default;
  static void each(auto& s, auto&& f) {
    f("credential_id", s.credential_id);
    f("definition_id", s.definition_id);
    f("credential_type", s.credential_type);
    f("format", s.format);
    f("contexts", s.contexts);
    f("schema_url", s.schema_url);
    f("validity_s", s.validity_s);
    f("status_purposes", s.status_purposes);
    f("subject", s.subject);
    f("name", s.name);
    f("description", s.description);
  }
};

/// A credential's place in a status list.
struct status_place {
  /// `revocation` or `suspension`.
  std::string purpose;
  std::string list_id;
  int64_t index = 0;

  bool operator==(const status_place&) const = default;
  static void each(auto& s, auto&& f) {
    f("purpose", s.purpose);
    f("list_id", s.list_id);
    f("index", s.index);
  }
};

/// What became of a credential after it was made.
enum class credential_state : uint8_t { issued, suspended, revoked };
/// `issued`, `suspended` or `revoked`.
std::string_view name_of(credential_state s) noexcept;

/// A credential that was signed.
struct made_credential {
  std::string credential_id;
  std::string definition_id;
  std::string credential_type;
  std::string format;
  /// The compact JWS, sealed by the vault; empty in the state once it was delivered.
  std::string sealed;
  /// What the admin API shows of it.
  json::object model;
  std::vector<status_place> places;
  credential_state status = credential_state::issued;

  bool operator==(const made_credential&) const = default;
  static void each(auto& s, auto&& f) {
    f("credential_id", s.credential_id);
    f("definition_id", s.definition_id);
    f("credential_type", s.credential_type);
    f("format", s.format);
    f("sealed", s.sealed);
    f("model", s.model);
    f("places", s.places);
    f("status", s.status);
  }
};

/// The events of an issuance. Each says in `at` when it was decided and in `cause` what made it.
namespace issuance_events {

/// A holder's request was granted.
struct approved {
  static constexpr std::string_view what = "approved";
  timepoint at;
  std::string cause;
  std::string id;
  std::string participant_context;
  std::string holder_pid;
  std::string holder_id;
  std::string holder_did;
  /// The holder's access token, which goes back to it with the delivery, sealed; empty for none.
  std::string sealed_token;
  /// What the attestations said.
  json::object claims;
  std::vector<planned_credential> plan;
  timepoint window_until;
  std::string traceparent;

  bool operator==(const approved&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("id", s.id);
    f("participant_context", s.participant_context);
    f("holder_pid", s.holder_pid);
    f("holder_id", s.holder_id);
    f("holder_did", s.holder_did);
    f("sealed_token", s.sealed_token);
    f("claims", s.claims);
    f("plan", s.plan);
    f("window_until", s.window_until);
    f("traceparent", s.traceparent);
  }
};

/// A holder's request was not granted; it was told so at once.
struct rejected {
  static constexpr std::string_view what = "rejected";
  timepoint at;
  std::string cause;
  std::string id;
  std::string participant_context;
  std::string holder_pid;
  std::string holder_id;
  std::string holder_did;
  /// The ids of the definitions that it asked for.
  std::vector<std::string> definitions;
  std::vector<control_plane::process_cause> causes;
  std::string traceparent;

  bool operator==(const rejected&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("id", s.id);
    f("participant_context", s.participant_context);
    f("holder_pid", s.holder_pid);
    f("holder_id", s.holder_id);
    f("holder_did", s.holder_did);
    f("definitions", s.definitions);
    f("causes", s.causes);
    f("traceparent", s.traceparent);
  }
};

/// The credentials are signed and have their places in status lists; from here on they are delivered.
struct made {
  static constexpr std::string_view what = "made";
  timepoint at;
  std::string cause;
  std::vector<made_credential> credentials;

  bool operator==(const made&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("credentials", s.credentials);
  }
};

/// A try failed for now.
struct attempt_failed {
  static constexpr std::string_view what = "attempt_failed";
  timepoint at;
  std::string cause;
  std::string text;

  bool operator==(const attempt_failed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("text", s.text);
  }
};

/// The holder refused the delivery in a way that may be a race at its side: once more, later.
struct refused {
  static constexpr std::string_view what = "refused";
  timepoint at;
  std::string cause;
  std::string text;
  timepoint again_at;

  bool operator==(const refused&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("text", s.text);
    f("again_at", s.again_at);
  }
};

/// The holder took the credentials.
struct delivered {
  static constexpr std::string_view what = "delivered";
  timepoint at;
  std::string cause;

  bool operator==(const delivered&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
  }
};

/// The issuance ended without a delivery.
struct ended {
  static constexpr std::string_view what = "ended";
  timepoint at;
  std::string cause;
  std::vector<control_plane::process_cause> causes;
  /// True if the holder is still to be told that it gets nothing.
  bool telling = false;

  bool operator==(const ended&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("causes", s.causes);
    f("telling", s.telling);
  }
};

/// The holder was told that it gets nothing, or cannot be told.
struct told {
  static constexpr std::string_view what = "told";
  timepoint at;
  std::string cause;
  /// Why it cannot be told; empty if it was.
  std::string text;
  bool said_by_peer = false;

  bool operator==(const told&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("text", s.text);
    f("said_by_peer", s.said_by_peer);
  }
};

/// A credential was revoked, suspended or resumed; its bits say so already.
struct marked {
  static constexpr std::string_view what = "marked";
  timepoint at;
  std::string cause;
  std::string credential_id;
  credential_state status = credential_state::issued;

  bool operator==(const marked&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("credential_id", s.credential_id);
    f("status", s.status);
  }
};

} // namespace issuance_events

/// One event of an issuance.
using issuance_event =
    std::variant<issuance_events::approved, issuance_events::rejected, issuance_events::made,
                 issuance_events::attempt_failed, issuance_events::refused, issuance_events::delivered,
                 issuance_events::ended, issuance_events::told, issuance_events::marked>;

} // namespace fondaco::issuer_service

namespace fondaco::planes {
template <> struct enumerators<issuer_service::credential_state> {
  using enum issuer_service::credential_state;
  static constexpr enumerator<issuer_service::credential_state> all[] = {
      {issued, "issued"}, {suspended, "suspended"}, {revoked, "revoked"}};
};
} // namespace fondaco::planes
