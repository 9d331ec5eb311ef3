#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "cells/identity/caller.hpp"
#include "cells/services.hpp"
#include "protocols/vc/credential.hpp"

namespace fondaco::identity {

namespace limits {
/// The most presentations of one answer.
inline constexpr size_t presentations_max = 16;
/// The most credentials of all presentations of one answer.
inline constexpr size_t presented_credentials_max = 64;
/// How long one caller's credentials may take to be verified, the look-ups included.
inline constexpr milliseconds verification_ms_max{20'000};
/// How long the id of a presentation without an end is remembered, so that it is not taken twice.
inline constexpr milliseconds presentation_memory_ms{24 * 3'600'000};
} // namespace limits

/// Why a caller's credentials were not taken; the codes of this file's faults.
enum class presentation_errc : uint8_t {
  /// The caller's DID document names no CredentialService to ask. Its owner must publish one.
  no_credential_service = 1,
  /// The credential service refused to present, or presented less than was asked. The caller must get the credential,
  /// or grant it in the token that it sends.
  not_presented,
  /// A presentation is malformed, for somebody else, not in time, or seen before. The holder must make a fresh one.
  bad_presentation,
  /// A credential is malformed or not in time. The holder must get a fresh one.
  bad_credential,
  /// A signature does not hold, or was made with a key that its signer does not publish for this use.
  bad_signature,
  /// A presentation or credential speaks of another holder than the caller.
  wrong_holder,
  /// The issuer does not count for the credential's type in this profile. The operator may trust it.
  untrusted_issuer,
  /// The status list says that the credential is revoked or suspended, or it cannot be trusted.
  revoked,
  /// A subject does not satisfy its schema, or the schema cannot be read.
  schema_violated,
  /// Something that has to be asked does not answer. Try again later.
  unavailable,
};

/// The enumerator's name in snake_case.
std::string_view name_of(presentation_errc e) noexcept;

/// What a participant demands of a caller's credentials.
struct presentation_demand {
  /// The dataspace profile, whose trusted issuers count.
  std::string profile;
  /// Scopes to ask for; each needs a credential. With none, nothing is asked.
  std::vector<std::string> scopes;
  /// The trace of the message that the caller sent; empty for none.
  std::string traceparent;
};

/// Asks the caller's credential service for a presentation and verifies it whole (DCP reference, section 5, B to G):
/// every presentation and credential by its signer's DID document, audience and times, holder binding, trusted issuer
/// of every type in the profile (`VerifiableCredential` aside), status lists, schemas. Any failure refuses all; the
/// fault's detail says what failed, in a sentence that both sides may read (`why`). `retry` faults are for now.
actors::task<std::expected<std::vector<vc::credential>, fault>> verify_credentials(cells::cell_services& s,
                                                                                   tenant owner, std::string own_did,
                                                                                   proven_caller caller,
                                                                                   presentation_demand demand);

/// Verifies one credential by itself: signature by its issuer's document, issuer, times, status; for what a holder is
/// sent (DCP reference, section 6.5, step 5).
actors::task<std::expected<vc::credential, fault>> verify_credential(cells::cell_services& s, std::string compact);

} // namespace fondaco::identity
