#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::did {

namespace limits {
/// The longest DID document that is read, in bytes.
inline constexpr size_t document_bytes_max = 64u << 10;
/// The most services or verification methods of a document.
inline constexpr size_t document_entries_max = 64;
} // namespace limits

/// Why a DID or its document was not taken; the codes of this folder's faults.
enum class did_errc : uint8_t {
  /// The text is no `did:web` of at most 512 bytes. The sender must correct it.
  malformed_did = 1,
  /// The document is no JSON object of the shape that DID core and DCP 1.0.1 ask for. Its owner must correct it.
  malformed_document,
  /// The document's `id` is another DID. Its owner must correct it.
  wrong_document,
  /// Two verification methods have the same id. Its owner must correct it.
  duplicate_method,
};

/// The enumerator's name in snake_case.
std::string_view name_of(did_errc e) noexcept;

/// An endpoint that a DID document publishes.
struct service {
  std::string id;
  /// `CredentialService`, `IssuerService`, `ProtocolEndpoint` or any other.
  std::string type;
  std::string endpoint;
  bool operator==(const service&) const = default;
};

/// A public key of a DID document.
struct verification_method {
  /// Absolute: `<did>#<fragment>`.
  std::string id;
  /// `JsonWebKey2020` or another type that holds a `publicKeyJwk`.
  std::string type = "JsonWebKey2020";
  std::string controller;
  json::object public_key_jwk;
  bool operator==(const verification_method&) const = default;
};

/// What a key may be used for (DCP 1.0.1; `authentication` signs presentations, `assertionMethod` credentials,
/// `capabilityInvocation` self-issued tokens).
enum class relationship : uint8_t { authentication, assertion_method, capability_invocation };

/// A DID document (DID core 1.0, as far as DCP uses it).
struct document {
  std::string id;
  std::vector<service> services;
  std::vector<verification_method> methods;
  /// Absolute ids of the methods in each relationship; an empty list means that the document does not say.
  std::vector<std::string> authentication;
  std::vector<std::string> assertion_method;
  std::vector<std::string> capability_invocation;
  bool operator==(const document&) const = default;
};

/// Reads a document and makes its relative ids (`#k`, `k`) absolute; its `id` must be `expected_did`. Methods without a
/// `publicKeyJwk` are left out; unknown members are ignored.
std::expected<document, fault> read_document(const json::value& body, std::string_view expected_did);

/// The document as it is published: DID core and DCP contexts, absolute ids, the three relationships.
json::object write_document(const document& d);

/// The first service of a type; null if there is none.
const service* find_service(const document& d, std::string_view type) noexcept;

/// The method that a JWS header's `kid` names (absolute, `#k` or `k`); without a `kid` the only one that may be used in
/// this relationship. Null if there is none, if several fit, or if a list of the relationship leaves it out. A `strict`
/// reader takes a missing list as an empty one.
const verification_method* find_method(const document& d, const std::optional<std::string>& kid, relationship r,
                                       bool strict) noexcept;

/// Where a `did:web` document is: `https://<host>/<path>/did.json`, or `http` if `plain_http` (did:web, "Read").
std::expected<std::string, fault> web_url(std::string_view did, bool plain_http);

/// The `did:web` whose document a request for `path` at `host` (a Host header) asks for; nothing if it is no such path.
std::optional<std::string> web_did(std::string_view host, std::string_view path);

/// The part of a DID URL before `#`.
std::string_view did_of(std::string_view did_url) noexcept;

} // namespace fondaco::did
