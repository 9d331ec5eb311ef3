#include "protocols/dps/messages.hpp"
#include "protocols/dsp/envelope.hpp"

namespace fondaco::dps {

namespace {

using dsp::put;

void put_texts(json::object& out, const char* name, const std::vector<std::string>& texts) {
  if (!texts.empty())
    out[name] = json::array(texts.begin(), texts.end());
}

void put_address(json::object& out, const std::optional<dsp::data_address>& address) {
  if (address)
    out["dataAddress"] = dsp::write_data_address(*address);
}

} // namespace

json::object write_data_flow_request(const data_flow_request& m) {
  invariant(!m.message_id.empty() && !m.data_flow_id.empty() && !m.profile.empty(),
            "a data flow request has a message id, a flow id and a profile");
  json::object out;
  out["messageId"] = m.message_id;
  out["participantId"] = m.participant_id;
  out["counterPartyId"] = m.counter_party_id;
  out["dataspaceContext"] = m.dataspace_context;
  out["processId"] = m.data_flow_id;
  out["dataFlowId"] = m.data_flow_id;
  out["agreementId"] = m.agreement_id;
  out["datasetId"] = m.dataset_id;
  out["profile"] = m.profile;
  out["transferType"] = m.profile;
  out["claims"] = m.claims;
  if (!m.metadata.empty())
    out["metadata"] = m.metadata;
  put_texts(out, "labels", m.labels);
  put_address(out, m.data_address);
  put(out, "callbackAddress", m.callback_address);
  return out;
}

json::object write_status(const status_message& m) {
  invariant(!m.message_id.empty() && !m.data_flow_id.empty(), "a status message has a message id and a flow id");
  json::object out;
  out["messageId"] = m.message_id;
  out["dataFlowId"] = m.data_flow_id;
  out["state"] = name_of(m.state);
  put_address(out, m.data_address);
  put(out, "error", m.error);
  return out;
}

json::object write_stop(const stop_message& m) {
  invariant(!m.message_id.empty(), "a suspend or terminate message has a message id");
  json::object out;
  out["messageId"] = m.message_id;
  put(out, "reason", m.reason);
  return out;
}

json::object write_address_message(const address_message& m) {
  invariant(!m.message_id.empty(), "a started or resume message has a message id");
  json::object out;
  out["messageId"] = m.message_id;
  put_address(out, m.data_address);
  return out;
}

json::object write_status_response(const status_response& m) {
  json::object out;
  out["dataFlowId"] = m.data_flow_id;
  out["state"] = name_of(m.state);
  return out;
}

json::object write_registration(const registration& m) {
  json::object out;
  out["dataplaneId"] = m.dataplane_id;
  out["endpoint"] = m.endpoint;
  out["profiles"] = json::array(m.profiles.begin(), m.profiles.end());
  out["transferTypes"] = json::array(m.profiles.begin(), m.profiles.end());
  put_texts(out, "labels", m.labels);
  if (!m.authorization.empty())
    out["authorization"] = m.authorization;
  return out;
}

} // namespace fondaco::dps
