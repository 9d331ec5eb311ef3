#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cells/services.hpp"
#include "persistence/documents.hpp"
#include "planes/api/records.hpp"
#include "protocols/dcp/scope.hpp"
#include "protocols/json/json.hpp"
#include "protocols/vc/credential.hpp"

/// The credentials that a participant holds: records `verifiable_credential` whose body is a
/// VerifiableCredentialResource (identity API reference, section 4.4) with the compact form sealed.
namespace fondaco::credential_service {

namespace limits {
/// The most credentials that are looked at to answer one query or list; the newest ones count.
inline constexpr size_t held_credentials_max = persistence::limits::read_rows_max;
} // namespace limits

/// The states of a held credential (identity API reference, section 8.6).
enum class held_state : int { issued = 500, expired = 800, not_yet_valid = 900 };

/// What is kept of a credential.
struct holding {
  std::string id;
  vc::signed_credential given;
  /// The credential object's id at the issuer; empty if nobody told it.
  std::string credential_object_id;
  /// The process ids of the request that it came by; empty if it came by none.
  std::string holder_pid;
  std::string issuer_pid;
  /// Policies as the client gave them; null for none.
  json::value issuance_policy;
  json::value reissuance_policy;
};

/// The body of a credential's document, made from what it was; 409 if another issuer's credential has the id, 503 if
/// the vault does not answer. Blocks.
planes::api::result<json::object> make_body(cells::cell_services& s, const tenant& owner, const holding& h,
                                            const json::object& before);

/// The VerifiableCredentialResource of a document, with `rawVc` opened and the state as of now; 503 if the vault does
/// not answer. Blocks.
planes::api::result<json::object> show_credential(cells::cell_services& s, const persistence::document& d);

/// A held credential as a query sees it.
struct held_credential {
  std::string id;
  vc::credential what;
  /// The compact form as the vault sealed it.
  std::string sealed;
  timepoint created_at;
};

/// The held credential of a document; nothing if its body cannot be read.
std::optional<held_credential> read_held(const persistence::document& d);

/// What of the held credentials may be presented (DCP reference, section 3.2): covered by a requested and by a granted
/// scope, valid now; the newest first, and of one issuer's credentials of the same types only the newest, unless a
/// scope names another by its id.
std::vector<held_credential> select_credentials(std::vector<held_credential> held,
                                                const std::vector<dcp::scope>& requested,
                                                const std::vector<dcp::scope>& granted, timepoint now);

} // namespace fondaco::credential_service
