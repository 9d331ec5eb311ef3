#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/vc/credential.hpp"

namespace fondaco::vc {

namespace limits {
/// The longest presentation that is read, in bytes of its compact form.
inline constexpr size_t presentation_bytes_max = 512u << 10;
/// The most credentials of one presentation.
inline constexpr size_t presentation_credentials_max = 64;
} // namespace limits

/// A verifiable presentation as it came, not verified.
struct signed_presentation {
  profile form = profile::vc11_jwt;
  /// `iss`, or `holder` in VCDM 2.0.
  std::string holder;
  std::vector<std::string> audiences;
  std::optional<std::string> jti;
  std::optional<timepoint> issued_at;
  std::optional<timepoint> not_before;
  std::optional<timepoint> expires_at;
  /// Compact JWS of the credentials.
  std::vector<std::string> credentials;
  jose::jws envelope;
};

/// Takes one entry of a presentation response apart: a JWT of VCDM 1.1 (`vp` an object or an array), a JOSE
/// presentation of VCDM 2.0, plain or in EDC's double wrap, as a string or as an `EnvelopedVerifiablePresentation`
/// object (DCP reference, sections 4.4 and 4.5). Of a double wrap, `envelope` is the inner token, and nothing that the
/// outer one alone says counts.
std::expected<signed_presentation, fault> read_presentation(const json::value& entry);

/// What a presentation is made of.
struct presentation_draft {
  profile form = profile::vc11_jwt;
  std::string holder;
  std::string audience;
  std::string jti;
  timepoint now;
  milliseconds valid_for{60'000};
  /// Compact JWS of credentials of this form only.
  std::vector<std::string> credentials;
};

/// The signed presentation; `kid` is absolute, the key is the holder's.
std::string sign_presentation(const presentation_draft& draft, const jose::key_pair& key, const std::string& kid);

/// True if the audience is among those meant and the times hold at `now`; the fault says which does not. A presentation
/// without `aud` or `exp` is refused in both forms.
std::expected<void, fault> check_presentation(const signed_presentation& p, std::string_view audience, timepoint now,
                                              milliseconds leeway = limits::leeway_ms);

} // namespace fondaco::vc
