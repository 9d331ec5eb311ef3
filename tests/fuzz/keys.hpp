#pragma once

#include "protocols/base/time.hpp"
#include "protocols/jose/jwk.hpp"

/// The keys of the fuzz targets: always the same ones, so that a kept token verifies in every run.
namespace fondaco::fuzz {

/// The moment of every run: 2026-01-31T12:00:00Z.
inline constexpr timepoint now = from_epoch_ms(1'769'860'800'000);

/// The Ed25519 pair of RFC 8037, appendix A.
const jose::key_pair& ed25519();
/// The P-256 pair of RFC 7515, appendix A.3.
const jose::key_pair& p256();
/// The public halves of both, and an RSA key (`rsa`) that signed a few tokens of the corpus.
const jose::key_set& published_keys();

} // namespace fondaco::fuzz
