#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "planes/codec/fields.hpp"

namespace fondaco::cfm {

/// A virtual participant agent as the CFM knows it (CFM reference, section 3.4).
struct profile_vpa {
  std::string id;
  /// `cfm.connector` and so on.
  std::string type;
  std::string cell_id;
  std::string external_cell_id;
  json::object properties;

  bool operator==(const profile_vpa&) const = default;
  static void each(auto& s, auto&& f) {
    f("id", s.id);
    f("type", s.type);
    f("cell_id", s.cell_id);
    f("external_cell_id", s.external_cell_id);
    f("properties", s.properties);
  }
};

/// What a participant profile is made of.
struct profile_terms {
  std::string identifier;
  std::string tenant_id;
  std::vector<std::string> dataspace_profile_ids;
  json::object participant_roles;
  json::object properties;
  std::vector<profile_vpa> vpas;
  /// The credential specifications that its dataspace profiles and roles ask for: a JSON array.
  json::value credential_specs;

  bool operator==(const profile_terms&) const = default;
  static void each(auto& s, auto&& f) {
    f("identifier", s.identifier);
    f("tenant_id", s.tenant_id);
    f("dataspace_profile_ids", s.dataspace_profile_ids);
    f("participant_roles", s.participant_roles);
    f("properties", s.properties);
    f("vpas", s.vpas);
    f("credential_specs", s.credential_specs);
  }
};

/// The events of a participant profile. Each says in `at` when it was decided and in `cause` which request or message
/// made it.
namespace profile_events {

/// The profile was made, and its deployment is owed under this manifest id.
struct deploying {
  static constexpr std::string_view what = "deploying";
  timepoint at;
  std::string cause;
  std::string id;
  profile_terms terms;
  std::string manifest_id;
  /// The digest of the request that made it; empty if it had no idempotency key.
  std::string digest;

  bool operator==(const deploying&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("id", s.id);
    f("terms", s.terms);
    f("manifest_id", s.manifest_id);
    f("digest", s.digest);
  }
};

/// Its disposal is owed under this manifest id.
struct disposing {
  static constexpr std::string_view what = "disposing";
  timepoint at;
  std::string cause;
  std::string manifest_id;

  bool operator==(const disposing&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("manifest_id", s.manifest_id);
  }
};

/// The broker has the manifest.
struct handed_over {
  static constexpr std::string_view what = "handed_over";
  timepoint at;
  std::string cause;

  bool operator==(const handed_over&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
  }
};

/// The broker did not take the manifest, for the first time or for another reason than before.
struct put_off {
  static constexpr std::string_view what = "put_off";
  timepoint at;
  std::string cause;
  std::string detail;

  bool operator==(const put_off&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("detail", s.detail);
  }
};

/// An orchestration of the profile ended: of its deployment (`deploy`) or its disposal. A disposal that nobody here
/// asked for undoes a deployment that failed; its end may come before the deployment's.
struct ended {
  static constexpr std::string_view what = "ended";
  timepoint at;
  std::string cause;
  /// The orchestration.
  std::string manifest_id;
  bool deploy = false;
  bool success = false;
  std::string detail;
  json::object output;

  bool operator==(const ended&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("manifest_id", s.manifest_id);
    f("deploy", s.deploy);
    f("success", s.success);
    f("detail", s.detail);
    f("output", s.output);
  }
};

/// The disposed profile was removed from the lists.
struct removed {
  static constexpr std::string_view what = "removed";
  timepoint at;
  std::string cause;

  bool operator==(const removed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
  }
};

} // namespace profile_events

/// One event of a participant profile.
using profile_event = std::variant<profile_events::deploying, profile_events::disposing, profile_events::handed_over,
                                   profile_events::put_off, profile_events::ended, profile_events::removed>;

} // namespace fondaco::cfm
