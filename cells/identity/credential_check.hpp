#pragma once

#include <expected>
#include <string>

#include "cells/identity/presentations.hpp"
#include "protocols/did/document.hpp"
#include "protocols/jose/jws.hpp"
#include "protocols/vc/credential.hpp"

/// The checks of single signatures and credentials that `presentations.cpp` is made of.
namespace fondaco::identity {

namespace limits {
/// How long a status list is taken as it was; a revocation is seen after that.
inline constexpr milliseconds status_list_cache_ms{60'000};
/// How long a schema is taken as it was.
inline constexpr milliseconds schema_cache_ms{300'000};
/// The bytes of status lists (inflated), and of schemas, that are kept.
inline constexpr size_t fetched_cache_bytes_max = 64u << 20;
/// The most status entries, and schemas, of one credential.
inline constexpr size_t credential_lookups_max = 8;
} // namespace limits

using checked = std::expected<void, fault>;

/// A fault of the caller's (401), or one that is for now.
fault refused(presentation_errc code, std::string detail);
fault for_now(std::string detail);

/// `the credential MembershipCredential`, for sentences.
std::string words_for(const vc::credential& what);

/// Checks a signature by the signer's DID document, which is asked anew once if the key is not in the cached one or
/// does not fit. The `kid` has to be one of the signer's own. `what` begins the sentences.
actors::task<checked> check_signature(cells::cell_services& s, jose::jws envelope, std::string signer,
                                      did::relationship use, std::string what);

/// Looks every status entry up; the lists are signed by the credential's issuer, or refused. Nothing is begun after
/// `deadline`.
actors::task<checked> check_statuses(cells::cell_services& s, vc::credential what, timepoint deadline);

/// Judges the subjects (JsonSchemaValidator2018), or the whole credential (JsonSchema), by each schema.
actors::task<checked> check_schemas(cells::cell_services& s, vc::signed_credential given, timepoint deadline);

} // namespace fondaco::identity
