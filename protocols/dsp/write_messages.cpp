#include "protocols/dsp/envelope.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::dsp {

namespace {

void put_pids(json::object& out, std::string_view consumer_pid, std::string_view provider_pid) {
  invariant(!consumer_pid.empty() && !provider_pid.empty(), "a message inside a process has both pids");
  out["providerPid"] = provider_pid;
  out["consumerPid"] = consumer_pid;
}

json::object policy_json(const json::object& policy, std::string_view type) {
  invariant(policy.contains("@id"), "an offer or agreement has an id");
  auto out = without_empty_lists(policy);
  out["@type"] = type;
  return out;
}

/// Writes the receiver's pid if it is known, else the address that the answers go to.
void put_address_or_pid(json::object& out, std::string_view pid_name, const std::string& pid,
                        const std::string& callback_address) {
  invariant(!pid.empty() || !callback_address.empty(), "an opening message has a callback address");
  if (pid.empty())
    out["callbackAddress"] = jsonld::without_trailing_slash(callback_address);
  else
    out[pid_name] = pid;
}

json::object write_process(std::string_view type, const process_view& p) {
  auto out = write_root(type);
  put_pids(out, p.consumer_pid, p.provider_pid);
  out["state"] = p.state;
  return out;
}

json::object write_error(std::string_view type, std::string_view consumer_pid, std::string_view provider_pid,
                         std::string_view code, std::string_view reason) {
  auto out = write_root(type);
  out["providerPid"] = provider_pid;
  out["consumerPid"] = consumer_pid;
  put_cause(out, code, reason.empty() ? std::vector<std::string>{} : std::vector<std::string>{std::string(reason)});
  return out;
}

} // namespace

json::object write_negotiation(const negotiation_envelope& m) {
  auto out = write_root(name_of(m.type), m.message_id);
  switch (m.type) {
  case negotiation_message::request:
    invariant(!m.consumer_pid.empty(), "a contract request has a consumer pid");
    out["consumerPid"] = m.consumer_pid;
    put_address_or_pid(out, "providerPid", m.provider_pid, m.callback_address);
    out["offer"] = policy_json(m.policy, "Offer");
    return out;
  case negotiation_message::offer:
    invariant(!m.provider_pid.empty(), "a contract offer has a provider pid");
    out["providerPid"] = m.provider_pid;
    put_address_or_pid(out, "consumerPid", m.consumer_pid, m.callback_address);
    out["offer"] = policy_json(m.policy, "Offer");
    return out;
  default: break;
  }
  put_pids(out, m.consumer_pid, m.provider_pid);
  if (m.type == negotiation_message::agreement)
    out["agreement"] = policy_json(m.policy, "Agreement");
  if (m.type == negotiation_message::accepted)
    out["eventType"] = "ACCEPTED";
  if (m.type == negotiation_message::finalized)
    out["eventType"] = "FINALIZED";
  if (m.type == negotiation_message::termination)
    put_cause(out, m.code, m.reasons);
  return out;
}

json::object write_transfer(const transfer_envelope& m) {
  auto out = write_root(name_of(m.type), m.message_id);
  if (m.type == transfer_message::request) {
    invariant(!m.consumer_pid.empty() && !m.agreement_id.empty() && !m.format.empty() && !m.callback_address.empty(),
              "a transfer request has a consumer pid, an agreement, a format and a callback address");
    out["consumerPid"] = m.consumer_pid;
    out["agreementId"] = m.agreement_id;
    out["format"] = m.format;
    out["callbackAddress"] = jsonld::without_trailing_slash(m.callback_address);
  } else {
    put_pids(out, m.consumer_pid, m.provider_pid);
  }
  if (m.address && (m.type == transfer_message::request || m.type == transfer_message::start))
    out["dataAddress"] = write_data_address(*m.address);
  if (m.type == transfer_message::suspension || m.type == transfer_message::termination)
    put_cause(out, m.code, m.reasons);
  return out;
}

json::object write_negotiation_process(const process_view& p) { return write_process("ContractNegotiation", p); }

json::object write_transfer_process(const process_view& p) { return write_process("TransferProcess", p); }

json::object write_negotiation_error(std::string_view consumer_pid, std::string_view provider_pid,
                                     std::string_view code, std::string_view reason) {
  return write_error("ContractNegotiationError", consumer_pid, provider_pid, code, reason);
}

json::object write_transfer_error(std::string_view consumer_pid, std::string_view provider_pid, std::string_view code,
                                  std::string_view reason) {
  return write_error("TransferError", consumer_pid, provider_pid, code, reason);
}

json::object write_catalog_error(std::string_view code, std::string_view reason) {
  auto out = write_root("CatalogError");
  put_cause(out, code, reason.empty() ? std::vector<std::string>{} : std::vector<std::string>{std::string(reason)});
  return out;
}

} // namespace fondaco::dsp
