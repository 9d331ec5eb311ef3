#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/dps/flow_state.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/json/json.hpp"

/// The messages of Data Plane Signaling 1.0: plain JSON without `@context`. Written as a superset that planes of RC2,
/// RC3 and RC4 read; read in any of their spellings, JSON null counted as missing. A fault's code is a
/// `jsonld::message_errc`; it names the field and never quotes a value, since addresses and authorization are secrets.
namespace fondaco::dps {

/// DataFlowPrepareMessage and DataFlowStartMessage, which have the same fields.
struct data_flow_request {
  std::string message_id;
  /// The participant of the control plane that sends.
  std::string participant_id;
  std::string counter_party_id;
  std::string dataspace_context;
  /// The transfer process of the sending control plane; on the wire `processId` (RC3) and `dataFlowId` (RC4).
  std::string data_flow_id;
  std::string agreement_id;
  std::string dataset_id;
  /// On the wire `profile` (RC3) and `transferType` (RC2).
  std::string profile;
  /// What the control plane verified of the counterparty.
  json::object claims;
  json::object metadata;
  std::vector<std::string> labels;
  /// The consumer's address of a push; only in a start.
  std::optional<dsp::data_address> data_address;
  /// The base of callbacks, for RC2 planes; left out if empty.
  std::string callback_address;
  bool operator==(const data_flow_request&) const = default;
};

/// DataFlowStatusMessage: answers and callbacks.
struct status_message {
  /// Empty if the plane sent none, as some do.
  std::string message_id;
  /// Empty if the plane sent none; in a callback it need not be the id in the path, which counts.
  std::string data_flow_id;
  flow_state state = flow_state::initialized;
  std::optional<dsp::data_address> data_address;
  std::string error;
  bool operator==(const status_message&) const = default;
};

/// DataFlowSuspendMessage and DataFlowTerminateMessage.
struct stop_message {
  std::string message_id;
  std::string reason;
  bool operator==(const stop_message&) const = default;
};

/// DataFlowStartedNotificationMessage and DataFlowResumeMessage.
struct address_message {
  std::string message_id;
  std::optional<dsp::data_address> data_address;
  bool operator==(const address_message&) const = default;
};

/// DataFlowStatusResponseMessage: what GET status gives.
struct status_response {
  std::string data_flow_id;
  flow_state state = flow_state::initialized;
  bool operator==(const status_response&) const = default;
};

/// DataPlaneRegistrationMessage.
struct registration {
  std::string dataplane_id;
  /// Where the plane's paths begin: read without a trailing `/` and without `/dataflows`, so that `/dataflows/...`
  /// follows.
  std::string endpoint;
  /// On the wire `profiles` (RC3) and `transferTypes` (RC2).
  std::vector<std::string> profiles;
  std::vector<std::string> labels;
  /// How the plane authenticates; empty if not at all. Holds secrets.
  json::object authorization;
  bool operator==(const registration&) const = default;
};

/// Reads a prepare or start message: `processId` or `dataFlowId`, `profile` or `transferType`; both spellings only with
/// one value. `claims` may be missing.
std::expected<data_flow_request, fault> read_data_flow_request(const json::value& body);
/// Reads an answer or callback: `state` required, `messageId` and `dataFlowId` optional, `@type`s of addresses too.
std::expected<status_message, fault> read_status(const json::value& body);
/// Reads a suspend or terminate message. Its `messageId` may be missing, as peers leave it out.
std::expected<stop_message, fault> read_stop(const json::value& body);
/// Reads a started or resume message, `messageId` as above.
std::expected<address_message, fault> read_address_message(const json::value& body);
/// Reads the answer of GET status; `dataFlowId` may be missing.
std::expected<status_response, fault> read_status_response(const json::value& body);
/// Reads a registration: `profiles` or `transferTypes`, at least one; `endpoint` an http or https URL.
std::expected<registration, fault> read_registration(const json::value& body);

/// The superset bodies: both names of a renamed field, nothing that is empty, `claims` always.
json::object write_data_flow_request(const data_flow_request& m);
json::object write_status(const status_message& m);
json::object write_stop(const stop_message& m);
json::object write_address_message(const address_message& m);
json::object write_status_response(const status_response& m);
json::object write_registration(const registration& m);

/// What is wrong with the address of a call, by the direction of its profile: a prepare or a pull's start with one, a
/// push's start without one. Nothing if it is right, if the signal has no such rule, or if the profile names no
/// direction.
std::optional<fault> wrong_address(flow_signal signal, std::string_view profile, bool has_address);

} // namespace fondaco::dps
