#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cells/issuer_service/definition.hpp"
#include "cells/services.hpp"

/// What the issuer's records say, as the protocol reads them. All of it blocks: for the reader pool; a silent store
/// throws (`in_pool` then gives nothing).
namespace fondaco::issuer_service {

/// Somebody who may get credentials (identity API reference, section 5.3).
struct holder_record {
  std::string id;
  std::string did;
  json::object properties;
};

/// The types of attestations that there are.
inline constexpr std::string_view holder_attestation = "holder";

/// The holder with this id; nothing if there is none.
std::optional<holder_record> read_holder(cells::cell_services& s, const tenant& owner, const std::string& id);

/// The holder with this DID, the one that was registered first if there are several; nothing if there is none.
std::optional<holder_record> find_holder(cells::cell_services& s, const tenant& owner, const std::string& did);

/// A credential definition; nothing if there is none.
std::optional<definition> read_stored_definition(cells::cell_services& s, const tenant& owner, const std::string& id);

/// All credential definitions, in the order of their creation.
std::vector<definition> read_definitions(cells::cell_services& s, const tenant& owner);

/// True if there is such an attestation definition.
bool has_attestation(cells::cell_services& s, const tenant& owner, const std::string& id);

/// What the attestations of these definitions say about a holder, merged flat.
struct attested_claims {
  json::object claims;
  /// Which of them say nothing, in sentences for the holder; empty if all went well.
  std::vector<std::string> failures;
};
attested_claims read_claims(cells::cell_services& s, const tenant& owner, const std::vector<definition>& wanted,
                            const holder_record& about);

} // namespace fondaco::issuer_service
