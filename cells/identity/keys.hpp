#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cells/services.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/did/document.hpp"
#include "protocols/jose/jwk.hpp"
#include "protocols/json/json.hpp"

/// The keys of participants: what signs tokens, presentations and credentials. All of it blocks: for the reader pool;
/// a silent store or vault throws (`in_pool` then gives nothing).
namespace fondaco::identity {

/// What a key pair may sign (`usage` of the Identity API).
enum class key_usage : uint8_t { sign_token, sign_presentation, sign_credentials };
/// `sign_token` and so on.
std::string_view name_of(key_usage u) noexcept;

/// The usage with this name; nothing if there is none.
std::optional<key_usage> parse_key_usage(std::string_view name) noexcept;

/// The states of a key pair as the Identity API numbers them (identity API reference, section 8.2).
namespace key_states {
inline constexpr int64_t created = 100;
inline constexpr int64_t activated = 200;
inline constexpr int64_t rotated = 300;
inline constexpr int64_t revoked = 400;
} // namespace key_states

/// The states of a DID document (section 8.3).
namespace did_states {
inline constexpr int64_t generated = 200;
inline constexpr int64_t published = 300;
inline constexpr int64_t unpublished = 400;
} // namespace did_states

/// An id of a document's part made absolute: `#k` and `k` get the DID in front, a URI stays as it is.
std::string absolute_id(std::string_view did, std::string_view id);

/// A key that signs, with the absolute id that headers name.
struct signer {
  jose::key_pair key;
  /// `<did>#<fragment>`.
  std::string kid;
  /// The participant's DID.
  std::string did;
};

/// The active key pair of a participant for a usage: the only one, or the default one of several. A fault says that
/// there is none, or several without a default, with the cure.
std::expected<signer, fault> find_signer(cells::cell_services& s, const tenant& owner, key_usage usage);

/// The stored bodies of a participant's key pairs in these states, in the order of their creation.
std::vector<json::object> read_key_bodies(cells::cell_services& s, const tenant& owner, std::vector<int64_t> states);

/// The participant's DID document as it is (or would be) published: services and the methods of its keys that are
/// active or rotated; nothing if the participant has none.
std::optional<did::document> read_own_document(cells::cell_services& s, const tenant& owner);

/// The same for a stored body of kind `did_document`.
did::document document_of(cells::cell_services& s, const tenant& owner, const json::object& stored);

/// The participant's DID; nothing if this node keeps no identity of it.
std::optional<std::string> read_own_did(cells::cell_services& s, const tenant& owner);

/// The tenant whose DID this is, from the table of public names; nothing if it is not one of ours.
std::optional<tenant> owner_of_did(cells::cell_services& s, std::string_view did);

} // namespace fondaco::identity
