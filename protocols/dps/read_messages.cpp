#include <array>

#include "protocols/dps/messages.hpp"
#include "protocols/dsp/envelope.hpp"
#include "protocols/jsonld/fields.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::dps {

namespace {

using jsonld::fields;
using jsonld::message_errc;
using jsonld::need;

/// Runs a reader over the fields of a body and gives what it filled, or the first fault.
template <typename Message, typename Reader>
std::expected<Message, fault> read(const json::value& body, const char* name, Reader reader) {
  const auto* o = body.if_object();
  if (!o)
    return std::unexpected(
        make_fault(message_errc::not_an_object,
                   std::string(name) + " is " + std::string(jsonld::kind_of(body)) + "; allowed is an object"));
  fields f(*o, name);
  Message out;
  reader(f, out);
  if (f.failure())
    return std::unexpected(*f.failure());
  return out;
}

/// The text of a field that was renamed between release candidates.
std::string renamed(fields& f, const char* now, const char* before) {
  if (!f.find(before))
    return f.text(now, need::required);
  auto old = f.text(before, need::required);
  if (f.find(now) && f.text(now, need::required) != old)
    f.refuse(message_errc::exclusive_fields,
             std::string(now) + " and " + before + " differ; allowed is one of them, or both with one value");
  return old;
}

void read_address(fields& f, const char* name, std::optional<dsp::data_address>& out) {
  const auto* o = f.object("dataAddress", need::optional);
  if (!o)
    return;
  auto address = dsp::read_data_address(*o, std::string(name) + ": dataAddress");
  if (address)
    out = std::move(*address);
  else
    f.refuse(address.error());
}

flow_state read_state(fields& f) {
  constexpr std::array<std::string_view, 9> names{"INITIALIZED", "PREPARING", "PREPARED",   "STARTING",  "STARTED",
                                                  "SUSPENDED",   "COMPLETED", "TERMINATED", "INITIATING"};
  auto place = f.one_of("state", need::required, names);
  auto state = place ? parse_flow_state(names[*place]) : std::nullopt;
  return state.value_or(flow_state::initialized);
}

json::object read_object(fields& f, const char* name) {
  const auto* o = f.object(name, need::optional);
  return o ? *o : json::object();
}

} // namespace

std::expected<data_flow_request, fault> read_data_flow_request(const json::value& body) {
  const char* name = "DataFlowMessage";
  return read<data_flow_request>(body, name, [&](fields& f, data_flow_request& out) {
    out.message_id = f.text("messageId", need::required);
    out.participant_id = f.text("participantId", need::required);
    out.counter_party_id = f.text("counterPartyId", need::required);
    out.dataspace_context = f.text("dataspaceContext", need::required);
    out.data_flow_id = renamed(f, "dataFlowId", "processId");
    out.agreement_id = f.text("agreementId", need::required);
    out.dataset_id = f.text("datasetId", need::required);
    out.profile = renamed(f, "profile", "transferType");
    out.claims = read_object(f, "claims");
    out.metadata = read_object(f, "metadata");
    out.labels = f.texts("labels", need::optional, limits::id_bytes_max);
    read_address(f, name, out.data_address);
    out.callback_address = f.base_url("callbackAddress", need::optional);
  });
}

std::expected<status_message, fault> read_status(const json::value& body) {
  const char* name = "DataFlowStatusMessage";
  return read<status_message>(body, name, [&](fields& f, status_message& out) {
    out.message_id = f.text("messageId", need::optional);
    out.data_flow_id = f.text("dataFlowId", need::optional);
    out.state = read_state(f);
    read_address(f, name, out.data_address);
    out.error = f.scalar("error", need::optional);
  });
}

std::expected<stop_message, fault> read_stop(const json::value& body) {
  return read<stop_message>(body, "DataFlowStopMessage", [&](fields& f, stop_message& out) {
    out.message_id = f.text("messageId", need::optional);
    out.reason = f.scalar("reason", need::optional);
  });
}

std::expected<address_message, fault> read_address_message(const json::value& body) {
  const char* name = "DataFlowAddressMessage";
  return read<address_message>(body, name, [&](fields& f, address_message& out) {
    out.message_id = f.text("messageId", need::optional);
    read_address(f, name, out.data_address);
  });
}

std::expected<status_response, fault> read_status_response(const json::value& body) {
  return read<status_response>(body, "DataFlowStatusResponseMessage", [&](fields& f, status_response& out) {
    out.data_flow_id = f.text("dataFlowId", need::optional);
    out.state = read_state(f);
  });
}

std::expected<registration, fault> read_registration(const json::value& body) {
  return read<registration>(body, "DataPlaneRegistrationMessage", [&](fields& f, registration& out) {
    constexpr std::string_view flows = "/dataflows";
    out.dataplane_id = f.text("dataplaneId", need::required);
    out.endpoint = f.base_url("endpoint", need::required);
    if (out.endpoint.ends_with(flows))
      out.endpoint.resize(out.endpoint.size() - flows.size());
    const char* listed = f.find("transferTypes") && !f.find("profiles") ? "transferTypes" : "profiles";
    out.profiles = f.texts(listed, need::required, limits::id_bytes_max);
    out.labels = f.texts("labels", need::optional, limits::id_bytes_max);
    out.authorization = read_object(f, "authorization");
    if (!out.authorization.empty() && !json::string_at(out.authorization, "type"))
      f.refuse(message_errc::missing_field, "authorization.type is missing; required is a string");
  });
}

std::optional<fault> wrong_address(flow_signal signal, std::string_view profile, bool has_address) {
  auto way = direction_of(profile);
  if (!way)
    return std::nullopt;
  if (signal == flow_signal::prepare && has_address)
    return make_fault(message_errc::wrong_field, "DataFlowMessage: dataAddress is there; allowed in a prepare is none");
  if (signal == flow_signal::start && has_address && *way == direction::pull)
    return make_fault(message_errc::wrong_field,
                      "DataFlowMessage: dataAddress is there; allowed in the start of a pull is none");
  if (signal == flow_signal::start && !has_address && *way == direction::push)
    return make_fault(message_errc::missing_field,
                      "DataFlowMessage: dataAddress is missing; required in the start of a push is the consumer's");
  return std::nullopt;
}

} // namespace fondaco::dps
