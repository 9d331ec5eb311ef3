#pragma once

#include <vector>

#include "actors/entity_kind.hpp"

namespace fondaco::cells {

/// The records of identities: what a node with the role credential-service or issuer-service keeps. Bodies are what the
/// Identity API shows (identity API reference, section 4), except where said.
namespace kinds {
/// The participant context of the Identity API; id: the context's. `participantContextId`, `did`, `state` (100, 200 or
/// 300), `scopes`, `properties`, `apiTokenAlias`, `apiKeySha256`; `creation` is there until the creation came to its
/// end, and a context with it counts as absent. A copy in `node_tenant` makes the list.
inline constexpr const char* identity_context = "identity_context";
/// A key pair; id: its resource id. KeyPairResource and `did`; the private key is the vault's secret `secretName`
/// (`privateKeyAlias`, with the key's thumbprint if it was made here). Its record claims the name (`key_id`, its
/// absolute key id).
inline constexpr const char* key_pair = "key_pair";
/// A DID document; id: the DID. `did`, `services`, `state` (200 GENERATED, 300 PUBLISHED, 400 UNPUBLISHED); the methods
/// are those of the key pairs. Its record claims the name (`did`, the DID).
inline constexpr const char* did_document = "did_document";
/// An account at the STS; id: `clientId`. `clientId`, `did`, `secretSha256`; claims the name (`sts_client`, clientId).
inline constexpr const char* sts_account = "sts_account";
} // namespace kinds

/// Records of the above, which owe nothing.
std::vector<actors::entity_kind> identity_kinds();

} // namespace fondaco::cells
