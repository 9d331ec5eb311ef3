#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::dsp {

/// The JSON-LD context that every message carries (DSP 2025-1, section 4).
inline constexpr std::string_view context_url = "https://w3id.org/dspace/2025/1/context.jsonld";

/// The states of a contract negotiation (DSP 2025-1, section 7).
enum class negotiation_state : uint8_t { requested, offered, accepted, agreed, verified, finalized, terminated };

/// The states of a transfer process (DSP 2025-1, section 8).
enum class transfer_state : uint8_t { requested, started, suspended, completed, terminated };

/// Which side of a process the local participant is.
enum class role : uint8_t { consumer, provider };

/// The messages that move a negotiation.
enum class negotiation_message : uint8_t { request, offer, accepted, agreement, verification, finalized, termination };

/// The messages that move a transfer process.
enum class transfer_message : uint8_t { request, start, suspension, completion, termination };

/// `REQUESTED` and so on.
std::string_view name_of(negotiation_state s) noexcept;
std::string_view name_of(transfer_state s) noexcept;
/// The state with this name in capitals; nothing if there is none.
std::optional<negotiation_state> parse_negotiation_state(std::string_view name) noexcept;
std::optional<transfer_state> parse_transfer_state(std::string_view name) noexcept;
/// `CONSUMER` or `PROVIDER`.
std::string_view name_of(role r) noexcept;
/// The `@type` of the message, as `ContractRequestMessage`.
std::string_view name_of(negotiation_message m) noexcept;
std::string_view name_of(transfer_message m) noexcept;

/// The state that a message leads to, if `sender` may send it in `from` (`std::nullopt`: before the first message);
/// nothing if it may not (DSP 2025-1, section 7, the state machine; termination by either side in any live state).
std::optional<negotiation_state> next_state(std::optional<negotiation_state> from, negotiation_message m,
                                            role sender) noexcept;
/// The same for a transfer process (DSP 2025-1, section 8).
std::optional<transfer_state> next_state(std::optional<transfer_state> from, transfer_message m, role sender) noexcept;

/// True for FINALIZED and TERMINATED.
constexpr bool is_final(negotiation_state s) noexcept {
  return s == negotiation_state::finalized || s == negotiation_state::terminated;
}
/// True for COMPLETED and TERMINATED.
constexpr bool is_final(transfer_state s) noexcept {
  return s == transfer_state::completed || s == transfer_state::terminated;
}

/// A message of the negotiation protocol, of any type: the fields that its type has are set.
struct negotiation_envelope {
  negotiation_message type = negotiation_message::request;
  /// The root `@id`; empty if the peer sent none.
  std::string message_id;
  std::string consumer_pid;
  std::string provider_pid;
  /// Without a trailing slash.
  std::string callback_address;
  /// The offer or agreement as it came, canonical names, `@id` and `@type` included.
  json::object policy;
  std::string code;
  std::vector<std::string> reasons;
  bool operator==(const negotiation_envelope&) const = default;
};

/// The address of data at an endpoint (DSP 2025-1, section 8, DataAddress).
struct data_address {
  std::string endpoint_type;
  std::string endpoint;
  std::vector<std::pair<std::string, std::string>> properties;
  bool operator==(const data_address&) const = default;
};

/// A message of the transfer protocol, of any type: the fields that its type has are set.
struct transfer_envelope {
  transfer_message type = transfer_message::request;
  std::string message_id;
  std::string consumer_pid;
  std::string provider_pid;
  std::string callback_address;
  std::string agreement_id;
  std::string format;
  std::optional<data_address> address;
  std::string code;
  std::vector<std::string> reasons;
  bool operator==(const transfer_envelope&) const = default;
};

/// What a peer says of a process: ContractNegotiation or TransferProcess.
struct process_view {
  std::string consumer_pid;
  std::string provider_pid;
  /// The state's name in capitals.
  std::string state;
  bool operator==(const process_view&) const = default;
};

/// Reads a negotiation message that was expected to be one of a type; the fault (its code is a `jsonld::message_errc`
/// or, for the policy, an `odrl::policy_errc`) names the field that was wrong and what is allowed. `@context` must be
/// an array of strings with `context_url`. Otherwise lenient: scalars also as `{"@id"}`, `{"@value"}` or `[x]`,
/// enumerated values and policy terms also with prefix or IRI, unknown terms tolerated. The policy comes out canonical
/// with nothing dropped, and has only been checked for what makes it an offer or agreement: `odrl::read_policy` reads
/// the rest.
std::expected<negotiation_envelope, fault> read_negotiation(const json::value& body, negotiation_message expected);
/// Reads an event message: ACCEPTED or FINALIZED.
std::expected<negotiation_envelope, fault> read_negotiation_event(const json::value& body);
/// The same for a transfer message.
std::expected<transfer_envelope, fault> read_transfer(const json::value& body, transfer_message expected);
/// Reads a ContractNegotiation or TransferProcess.
std::expected<process_view, fault> read_process(const json::value& body);
/// Reads a DataAddress; `@type` may be missing, since peers of Data Plane Signaling leave it out. Faults never quote
/// it.
std::expected<data_address, fault> read_data_address(const json::value& body);

/// The exact compacted JSON of a message (DSP 2025-1, sections 7 and 8). `callback_address` is written only where the
/// message opens a process (the receiver's pid is still empty); what is empty is left out. The pids that the type
/// requires must be set, and for offers and agreements the policy's `@id`.
json::object write_negotiation(const negotiation_envelope& m);
json::object write_transfer(const transfer_envelope& m);
json::object write_data_address(const data_address& a);
/// The body of ContractNegotiation.
json::object write_negotiation_process(const process_view& p);
/// The body of TransferProcess.
json::object write_transfer_process(const process_view& p);
/// ContractNegotiationError, TransferError (pids required, may be empty) and CatalogError.
json::object write_negotiation_error(std::string_view consumer_pid, std::string_view provider_pid,
                                     std::string_view code, std::string_view reason);
json::object write_transfer_error(std::string_view consumer_pid, std::string_view provider_pid, std::string_view code,
                                  std::string_view reason);
json::object write_catalog_error(std::string_view code, std::string_view reason);

/// One format in which a dataset can be had.
struct distribution {
  std::string format;
};

/// A dataset of a catalog: an asset with the offers that the asker may see.
struct dataset {
  std::string id;
  /// Public properties of the asset by name.
  json::object properties;
  /// Offers without target, `@id` and `@type` included.
  std::vector<json::object> offers;
  std::vector<distribution> distributions;
};

/// A catalog as a participant serves it.
struct catalog {
  std::string id;
  std::string participant_id;
  /// The service's id and the DSP base URL of its endpoints.
  std::string service_id;
  std::string endpoint_url;
  std::vector<dataset> datasets;
};

/// The body of Catalog (DSP 2025-1, section 6). A dataset without offer or distribution is left out: the schema demands
/// one of each, and nobody could ask for it.
json::object write_catalog(const catalog& c);
/// The body of Dataset as a root object; it must have an offer and a distribution.
json::object write_dataset(const catalog& c, const dataset& d);
/// Checks a CatalogRequestMessage; gives its filter (null if it has none).
std::expected<json::value, fault> read_catalog_request(const json::value& body);
/// The body of CatalogRequestMessage; a null filter is left out.
json::object write_catalog_request(const json::value& filter);

/// An entry of the version document (DSP 2025-1, section 2).
struct protocol_version {
  std::string version;
  std::string path;
  std::string binding;
  std::string profile;
};
/// The body of VersionResponse: plain JSON.
json::object write_versions(const std::vector<protocol_version>& versions);

} // namespace fondaco::dsp
