#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/base/time.hpp"
#include "protocols/jose/jws.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::vc {

namespace limits {
/// The longest credential that is read, in bytes of its compact form.
inline constexpr size_t credential_bytes_max = 64u << 10;
/// How far clocks may lie apart when a credential's or presentation's times are judged (DCP reference, section 2.1).
inline constexpr milliseconds leeway_ms{5'000};
} // namespace limits

/// Why a credential or presentation was not taken; the codes of this folder's faults.
enum class vc_errc : uint8_t {
  /// The text is no JWS, or its payload not of the shape that the data model asks for. The sender must correct it.
  malformed = 1,
  /// Its profile, proof or status type is not one of ours. The sender must use a profile of DCP 1.0.1.
  unsupported,
  /// It says two different things about itself (`iss` and `issuer`, `sub` and the subject's id).
  contradictory,
  /// Its validity has not begun (`not_yet_valid`) or is over (`expired`). Get a fresh one.
  not_yet_valid,
  expired,
  /// The status list says that it is revoked or suspended.
  revoked,
  /// A subject does not satisfy the credential's schema.
  schema_violated,
  /// The presentation is meant for another verifier. The holder must make one for this audience.
  wrong_audience,
};

/// The enumerator's name in snake_case.
std::string_view name_of(vc_errc e) noexcept;

/// The credential profiles of DCP 1.0.1: data model, proof and status list.
enum class profile : uint8_t {
  /// `vc11-sl2021/jwt`: VCDM 1.1 in a JWT's `vc` claim.
  vc11_jwt,
  /// `vc20-bssl/jwt`: VCDM 2.0 as the JWS payload itself.
  vc20_jose,
};
/// The DCP name, as `vc11-sl2021/jwt`.
std::string_view name_of(profile p) noexcept;
/// The name that EDC's stored credentials use: `VC1_0_JWT` or `VC2_0_JOSE`.
std::string_view edc_name_of(profile p) noexcept;
/// The profile that either name (or the alias `vc10-sl2021/jwt`) means.
std::optional<profile> parse_profile(std::string_view name) noexcept;

/// Where a credential's revocation or suspension is found.
struct status_entry {
  std::string id;
  /// `BitstringStatusListEntry` or `StatusList2021Entry`.
  std::string type;
  std::string purpose;
  uint64_t index = 0;
  /// The URL of the status list credential.
  std::string list_url;
  bool operator==(const status_entry&) const = default;
};

/// A schema that the credential's subjects satisfy.
struct schema_reference {
  std::string id;
  std::string type;
  bool operator==(const schema_reference&) const = default;
};

/// A verifiable credential as either data model says it.
struct credential {
  profile form = profile::vc11_jwt;
  std::vector<std::string> contexts;
  std::string id;
  std::vector<std::string> types;
  /// The issuer's DID.
  std::string issuer;
  /// Each with its `id` (the subject's DID) where it has one.
  std::vector<json::object> subjects;
  /// The later of what the JWT and the credential say; nothing if neither does.
  std::optional<timepoint> valid_from;
  /// The earlier of what the JWT and the credential say; nothing if neither does.
  std::optional<timepoint> valid_until;
  std::vector<status_entry> statuses;
  std::vector<schema_reference> schemas;
  std::string name;
  std::string description;
  bool operator==(const credential&) const = default;
};

/// A credential as it came: what it says and the envelope that has to prove it.
struct signed_credential {
  credential what;
  jose::jws envelope;
  /// The compact JWS, byte for byte.
  std::string compact;
};

/// Takes a compact JWS apart (DCP reference, sections 4.2 and 4.3). Nothing is verified: neither signature nor times.
std::expected<signed_credential, fault> read_credential(std::string_view compact);

/// The signed credential. `kid` is absolute; the key is the issuer's. Writes what section 4.2 or 4.3 recommends.
std::string sign_credential(const credential& what, const jose::key_pair& key, const std::string& kid,
                            std::string_view jti, timepoint now);

/// Not yet valid, expired, or neither.
std::expected<void, fault> check_times(const credential& what, timepoint now, milliseconds leeway = limits::leeway_ms);

/// The object that the Identity API and policies see (identity API reference, section 4.4): `@context`, `id`, `type`,
/// `issuer` {`id`}, `issuanceDate`, `expirationDate`, `credentialSubject` [], `credentialStatus` [].
json::object to_model(const credential& what);

/// The credential that such an object says, as `PUT /credentials` takes it.
std::expected<credential, fault> from_model(const json::object& model, profile form);

} // namespace fondaco::vc
