#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cells/control_plane/process.hpp"
#include "planes/codec/fields.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::credential_service {

/// Who wanted a credential request.
enum class request_origin : uint8_t {
  /// A client of the Identity API.
  api,
  /// An offer of the issuer that said everything about its credentials.
  offer,
  /// An offer of the issuer that left something to its metadata.
  sparse_offer,
};
/// `api`, `offer` or `sparse_offer`.
std::string_view name_of(request_origin o) noexcept;

/// A credential that is asked for.
struct requested_credential {
  /// The credential object's id at the issuer.
  std::string id;
  /// Empty until the issuer's metadata told it.
  std::string credential_type;
  /// A DCP profile or one of EDC's names for it; empty until the issuer's metadata told it.
  std::string format;

  bool operator==(const requested_credential&) const = default;
  static void each(auto& s, auto&& f) {
    f("id", s.id);
    f("credential_type", s.credential_type);
    f("format", s.format);
  }
};

/// True if the issuer's metadata has to complete it.
inline bool is_sparse(const requested_credential& c) noexcept { return c.credential_type.empty() || c.format.empty(); }

/// The events of a credential request. Each says in `at` when it was decided and in `cause` what made it.
namespace credential_request_events {

/// The request began.
struct opened {
  static constexpr std::string_view what = "opened";
  timepoint at;
  /// The idempotency key; empty for none.
  std::string cause;
  std::string id;
  std::string issuer_did;
  std::vector<requested_credential> wanted;
  request_origin origin = request_origin::api;
  std::string request_digest;
  timepoint window_until;
  std::string traceparent;

  bool operator==(const opened&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("id", s.id);
    f("issuer_did", s.issuer_did);
    f("wanted", s.wanted);
    f("origin", s.origin);
    f("request_digest", s.request_digest);
    f("window_until", s.window_until);
    f("traceparent", s.traceparent);
  }
};

/// The issuer was found and what is asked for is known whole; the message goes out from here on.
struct requesting {
  static constexpr std::string_view what = "requesting";
  timepoint at;
  std::string cause;
  std::vector<requested_credential> wanted;

  bool operator==(const requesting&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("wanted", s.wanted);
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

/// The issuer took the request.
struct requested {
  static constexpr std::string_view what = "requested";
  timepoint at;
  std::string cause;
  /// Empty if the issuer did not name its process.
  std::string issuer_pid;
  timepoint poll_at;

  bool operator==(const requested&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("issuer_pid", s.issuer_pid);
    f("poll_at", s.poll_at);
  }
};

/// The issuer was asked how far it is.
struct polled {
  static constexpr std::string_view what = "polled";
  timepoint at;
  std::string cause;
  /// What is worth remembering of its answer; empty if nothing is.
  std::string text;
  bool said_by_peer = false;
  timepoint poll_at;

  bool operator==(const polled&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("text", s.text);
    f("said_by_peer", s.said_by_peer);
    f("poll_at", s.poll_at);
  }
};

/// Credentials arrived and are kept.
struct issued {
  static constexpr std::string_view what = "issued";
  timepoint at;
  std::string cause;
  std::string issuer_pid;
  /// The ids of the held credentials.
  std::vector<std::string> credentials;

  bool operator==(const issued&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("issuer_pid", s.issuer_pid);
    f("credentials", s.credentials);
  }
};

/// The request ended without a credential.
struct ended {
  static constexpr std::string_view what = "ended";
  timepoint at;
  std::string cause;
  std::vector<control_plane::process_cause> causes;

  bool operator==(const ended&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("causes", s.causes);
  }
};

} // namespace credential_request_events

/// One event of a credential request.
using credential_request_event = std::variant<credential_request_events::opened, credential_request_events::requesting,
                                              credential_request_events::attempt_failed,
                                              credential_request_events::requested, credential_request_events::polled,
                                              credential_request_events::issued, credential_request_events::ended>;

} // namespace fondaco::credential_service

namespace fondaco::planes {
template <> struct enumerators<credential_service::request_origin> {
  using enum credential_service::request_origin;
  static constexpr enumerator<credential_service::request_origin> all[] = {
      {api, "api"}, {offer, "offer"}, {sparse_offer, "sparse_offer"}};
};
} // namespace fondaco::planes
