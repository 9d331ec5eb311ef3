#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "planes/codec/fields.hpp"

namespace fondaco::cfm {

/// A document of an application: what it is, not what it holds.
struct application_document {
  std::string name;
  std::string media_type;
  std::string sha256;
  int64_t bytes = 0;

  bool operator==(const application_document&) const = default;
  static void each(auto& s, auto&& f) {
    f("name", s.name);
    f("media_type", s.media_type);
    f("sha256", s.sha256);
    f("bytes", s.bytes);
  }
};

/// What an organisation applies for.
struct application_terms {
  std::string organisation;
  /// The DID that it will have.
  std::string identifier;
  /// Dataspace profiles of the tenant manager that it wants to join; empty for all.
  std::vector<std::string> dataspace_profile_ids;
  /// What the issuer attests (properties of the VPA `cfm.issuer`).
  json::object attestation;
  /// Properties of the tenant.
  json::object properties;

  bool operator==(const application_terms&) const = default;
  static void each(auto& s, auto&& f) {
    f("organisation", s.organisation);
    f("identifier", s.identifier);
    f("dataspace_profile_ids", s.dataspace_profile_ids);
    f("attestation", s.attestation);
    f("properties", s.properties);
  }
};

/// The events of an application. Each says in `at` when it was decided and in `cause` which request made it.
namespace application_events {

/// An organisation applied.
struct submitted {
  static constexpr std::string_view what = "submitted";
  timepoint at;
  std::string cause;
  std::string id;
  application_terms terms;

  bool operator==(const submitted&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("id", s.id);
    f("terms", s.terms);
  }
};

/// A document was added or replaced.
struct attached {
  static constexpr std::string_view what = "attached";
  timepoint at;
  std::string cause;
  application_document document;

  bool operator==(const attached&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("document", s.document);
  }
};

/// Somebody decided.
struct decided {
  static constexpr std::string_view what = "decided";
  timepoint at;
  std::string cause;
  bool approved = false;
  std::string by;
  std::string reason;

  bool operator==(const decided&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("approved", s.approved);
    f("by", s.by);
    f("reason", s.reason);
  }
};

/// A step of the provisioning is done: `tenant` or `profile` with the id that the tenant manager gave, `active` with
/// the participant context's.
struct advanced {
  static constexpr std::string_view what = "advanced";
  timepoint at;
  std::string cause;
  std::string step;
  std::string id;

  bool operator==(const advanced&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("step", s.step);
    f("id", s.id);
  }
};

/// A step of the provisioning failed: for now (noted once a cause), or for good.
struct stumbled {
  static constexpr std::string_view what = "stumbled";
  timepoint at;
  std::string cause;
  bool for_good = false;
  std::string detail;

  bool operator==(const stumbled&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("for_good", s.for_good);
    f("detail", s.detail);
  }
};

/// A failed provisioning is taken up again.
struct retried {
  static constexpr std::string_view what = "retried";
  timepoint at;
  std::string cause;

  bool operator==(const retried&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
  }
};

} // namespace application_events

/// One event of an application.
using application_event =
    std::variant<application_events::submitted, application_events::attached, application_events::decided,
                 application_events::advanced, application_events::stumbled, application_events::retried>;

} // namespace fondaco::cfm
