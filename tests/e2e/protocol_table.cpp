#include "e2e/protocol_matrix.hpp"

namespace fondaco::e2e {

namespace {

using rows = std::vector<protocol_route>;

/// A DSP message with a fresh id.
std::string message_of(const std::string& type, const std::string& members = "") {
  return R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@id":"urn:uuid:${uuid}","@type":")" + type +
         "\"" + (members.empty() ? "" : "," + members) + "}";
}

/// One that names both processes; `pids` is the name of what was learned of the two.
std::string to_process(const std::string& type, const std::string& pids, const std::string& members = "") {
  return message_of(type, "${" + pids + "}" + (members.empty() ? "" : "," + members));
}

const std::string dsp = "/api/dsp/{pc}/{profile}", negotiations = dsp + "/negotiations",
                  one_negotiation = negotiations + "/{pid}", transfers = dsp + "/transfers",
                  one_transfer = transfers + "/{pid}";

rows catalog_rows() {
  return {{"POST", dsp + "/catalog/request", "", message_of("CatalogRequestMessage")},
          {"GET", dsp + "/catalog/datasets/{id}", "id=alphas", "", "alphas"}};
}

protocol_route update(const std::string& base, const std::string& verb, const std::string& id, const std::string& type,
                      const std::string& pids, const std::string& members = "", int admitted = 0) {
  return {"POST",
          base + "/" + verb,
          "pid=${" + id + "}",
          to_process(type, pids, members),
          "${" + id + "}",
          true,
          admitted,
          "",
          ""};
}

// Alpha provides in `first` and `second`; in `offered` and `bought` it is the consumer of the test.
rows negotiation_rows() {
  const std::string asking = R"("consumerPid":"urn:uuid:first","callbackAddress":"${callback}","offer":${offer})";
  return {
      {"POST", negotiations + "/request", "", message_of("ContractRequestMessage", asking), "${offer_id}", false, 0,
       "first", "providerPid"},
      {"POST", negotiations + "/offers", "",
       message_of("ContractOfferMessage",
                  R"("providerPid":"urn:uuid:x","callbackAddress":"${callback}","offer":${offer})"),
       "", false, 400},
      {"GET", one_negotiation, "pid=${first}", "", "${first}", true},
      {"POST", one_negotiation + "/request", "pid=${first}",
       message_of("ContractRequestMessage",
                  R"("consumerPid":"urn:uuid:first","providerPid":"${first}","offer":${offer})"),
       "${first}", true, 400},
      {"POST", one_negotiation + "/agreement/verification", "pid=${first}",
       message_of("ContractAgreementVerificationMessage", R"("consumerPid":"urn:uuid:first","providerPid":"${first}")"),
       "${first}", true},
      update(one_negotiation, "offers", "offered", "ContractOfferMessage", "offered_pids", R"("offer":${own_offer})"),
      update(one_negotiation, "termination", "offered", "ContractNegotiationTerminationMessage", "offered_pids"),
      update(one_negotiation, "agreement", "bought", "ContractAgreementMessage", "bought_pids",
             R"("agreement":${own_agreement})"),
      update(one_negotiation, "events", "bought", "ContractNegotiationEventMessage", "bought_pids",
             R"("eventType":"FINALIZED")")};
}

// The second transfer under one agreement ends otherwise than the first.
rows transfer_rows() {
  const auto asking = [](const std::string& pid) {
    return message_of("TransferRequestMessage", R"("consumerPid":")" + pid +
                                                    R"(","callbackAddress":"${callback}","format":"HttpData-PULL",)"
                                                    R"("agreementId":"${agreement}")");
  };
  const auto pids = [](const std::string& consumer, const std::string& provider) {
    return R"("consumerPid":")" + consumer + R"(","providerPid":"${)" + provider + R"(}")";
  };
  const auto to = [&](const std::string& verb, const std::string& type, const std::string& consumer,
                      const std::string& provider) -> protocol_route {
    return {"POST",
            one_transfer + "/" + verb,
            "pid=${" + provider + "}",
            message_of(type, pids(consumer, provider)),
            "${" + provider + "}",
            true};
  };
  return {{"POST", transfers + "/request", "", asking("urn:uuid:t1"), "${agreement}", true, 0, "t1", "providerPid"},
          {"GET", one_transfer, "pid=${t1}", "", "${t1}", true},
          to("suspension", "TransferSuspensionMessage", "urn:uuid:t1", "t1"),
          to("start", "TransferStartMessage", "urn:uuid:t1", "t1"),
          to("completion", "TransferCompletionMessage", "urn:uuid:t1", "t1"),
          {"POST", transfers + "/request", "", asking("urn:uuid:t2"), "${agreement}", true, 0, "t2", "providerPid"},
          to("termination", "TransferTerminationMessage", "urn:uuid:t2", "t2")};
}

} // namespace

std::vector<protocol_route> dsp_table() {
  rows all;
  for (auto part : {catalog_rows(), negotiation_rows(), transfer_rows()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<protocol_route> public_table() {
  const std::string flow = "/api/public/{flow}";
  return {{"GET", flow, "flow=${flow}", "", "${flow}", true},
          {"GET", flow + "/{rest...}", "flow=${flow} rest...=part", "", "${flow}", true}};
}

std::vector<protocol_route> callback_table() {
  const std::string one = "/api/signaling/transfers/{id}", flow = one + "/dataflow";
  const auto told = [](const std::string& state) {
    return R"({"messageId":"${uuid}","dataFlowId":"${provided}","state":")" + state + R"("})";
  };
  return {{"GET", one + "/agreement", "id=${provided}"},
          {"POST", flow + "/prepared", "id=${provided}", told("PREPARED")},
          {"POST", flow + "/started", "id=${provided}", told("STARTED")},
          {"POST", flow + "/errored", "id=${provided}", told("STARTED")},
          {"POST", flow + "/completed", "id=${provided}", told("COMPLETED")}};
}

std::vector<protocol_route> signaling_table() {
  const std::string plane = "/api/dataplane/{pc}", flows = plane + "/dataflows", one = flows + "/{id}";
  const auto begun = [](const std::string& flow) {
    return R"({"messageId":"${uuid}","participantId":"did:web:alpha.example","counterPartyId":"did:web:peer.example",)"
           R"("dataspaceContext":"closed","agreementId":"${uuid}","datasetId":"cargo","profile":"HttpData-PULL",)"
           R"("metadata":{"dataAddress":{"type":"File","path":"data"}},"processId":"${)" +
           flow + R"(}"})";
  };
  const auto tell = [&](const std::string& what, const std::string& flow, const std::string& body) -> protocol_route {
    return {"POST", one + "/" + what, "id=${" + flow + "}", body, "${" + flow + "}"};
  };
  const std::string plain = R"({"messageId":"${uuid}"})";
  const std::string address =
      R"({"messageId":"${uuid}","dataAddress":{"@type":"DataAddress","endpointType":"https://w3id.org/idsa/v4.1/HTTP",)"
      R"("endpoint":"https://data.example/x"}})";
  return {{"POST", flows + "/prepare", "", begun("in")},
          tell("started", "in", address),
          {"POST", flows + "/start", "", begun("out")},
          {"GET", one + "/status", "id=${out}", "", "${out}"},
          tell("suspend", "out", plain),
          tell("resume", "out", plain),
          tell("completed", "out", ""),
          tell("terminate", "in", plain),
          {"DELETE", plane}};
}

} // namespace fondaco::e2e
