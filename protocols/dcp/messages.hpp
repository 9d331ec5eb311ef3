#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::dcp {

/// The JSON-LD context that every message has (DCP 1.0.1, section 3).
inline constexpr std::string_view context = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld";

namespace limits {
/// The most credentials or credential objects of one message.
inline constexpr size_t message_credentials_max = 64;
/// The most scopes of one query.
inline constexpr size_t query_scopes_max = 64;
/// The longest payload of a delivered credential, in bytes.
inline constexpr size_t payload_bytes_max = 256u << 10;
} // namespace limits

/// Why a message was not read; the codes of this folder's faults.
enum class dcp_errc : uint8_t {
  /// A field is missing or has the wrong shape (400); the detail names it.
  malformed = 1,
  /// Both `scope` and `presentationDefinition` are there (exactly 400).
  scope_and_definition,
  /// A presentation definition, which is not supported (501).
  definition_unsupported,
  /// A scope is none of DCP's (400).
  bad_scope,
  /// A self-issued token or access token does not hold (401); the detail says which rule.
  bad_token,
};
/// The enumerator's name in snake_case.
std::string_view name_of(dcp_errc e) noexcept;

/// `PresentationQueryMessage`.
struct presentation_query {
  std::vector<std::string> scopes;
};
/// `PresentationResponseMessage`; each entry a compact JWS or an object.
struct presentation_response {
  json::array presentations;
};
/// An element of a `CredentialMessage`.
struct credential_container {
  std::string credential_type;
  /// A DCP profile, or one of EDC's names for it.
  std::string format;
  std::string payload;
};
/// `CredentialMessage`: the issuer delivers or rejects.
struct credential_message {
  std::string issuer_pid;
  std::string holder_pid;
  /// False if `status` is REJECTED.
  bool issued = true;
  std::string rejection_reason;
  std::vector<credential_container> credentials;
};
/// `CredentialObject`: what an issuer can issue; a sparse one has nothing but its id.
struct credential_object {
  std::string id;
  std::string credential_type;
  std::string credential_schema;
  std::string offer_reason;
  std::vector<std::string> binding_methods;
  std::string profile;
  json::object issuance_policy;
};
/// `CredentialOfferMessage`.
struct credential_offer {
  std::string issuer;
  std::vector<credential_object> credentials;
};
/// `CredentialRequestMessage`.
struct credential_request {
  std::string holder_pid;
  /// Ids of credential objects.
  std::vector<std::string> credential_ids;
};
/// `CredentialStatus`.
struct credential_status {
  std::string issuer_pid;
  std::string holder_pid;
  /// RECEIVED, REJECTED or ISSUED.
  std::string status;
};
/// `IssuerMetadata`.
struct issuer_metadata {
  std::string issuer;
  std::vector<credential_object> credentials_supported;
};

/// The readers take the compact form, `dcp:` prefixes, full IRIs and EDC's expanded form (DCP reference, section 8);
/// a fault names the field.
std::expected<presentation_query, fault> read_presentation_query(const json::value& body);
std::expected<presentation_response, fault> read_presentation_response(const json::value& body);
std::expected<credential_message, fault> read_credential_message(const json::value& body);
std::expected<credential_offer, fault> read_credential_offer(const json::value& body);
std::expected<credential_request, fault> read_credential_request(const json::value& body);
std::expected<credential_status, fault> read_credential_status(const json::value& body);
std::expected<issuer_metadata, fault> read_issuer_metadata(const json::value& body);

/// The writers give the compact form.
json::object write(const presentation_query& m);
json::object write(const presentation_response& m);
json::object write(const credential_message& m);
json::object write(const credential_offer& m);
json::object write(const credential_request& m);
json::object write(const credential_status& m);
json::object write(const issuer_metadata& m);

} // namespace fondaco::dcp
