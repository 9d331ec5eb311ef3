#include "conformance/dsp_driver/webhooks.hpp"

#include <iostream>

namespace fondaco::conformance::driver {

void webhooks::know(std::map<std::string, std::string> local_agreements) {
  std::lock_guard lock(mutex_);
  local_agreements_ = std::move(local_agreements);
}

http::reply webhooks::handle(const http::message& request, const std::string& path) {
  const auto* authorization = request.header("Authorization");
  if (authorization == nullptr || *authorization != node_.counterparty_authorization()) {
    return {401, "the kit's Authorization header is not that of the counterparty", {}, false};
  }
  bool negotiation = path == "/negotiations/requests";
  if (request.first != "POST" || (!negotiation && path != "/transfers/requests")) {
    return {404, "the webhooks are /negotiations/requests and /transfers/requests", {}, false};
  }
  boost::system::error_code ec;
  auto order = json::parse(request.body, ec);
  if (ec || text_of(order, "connectorAddress").empty()) {
    return {400, "the body is not a JSON object with connectorAddress", {}, false};
  }
  auto started = negotiation ? start_negotiation(order) : start_transfer(order);
  if (!started) {
    std::cerr << "dsp_driver: " << started.error() << std::endl;
    return {502, started.error(), {}, false};
  }
  return {200, json::serialize(*started), {{"Content-Type", "application/json"}}, false};
}

result<json::value> webhooks::start_negotiation(const json::value& order) {
  auto request = management_body("ContractRequest");
  request["counterPartyAddress"] = text_of(order, "connectorAddress");
  request["profile"] = options_.profile;
  request["policy"] = json::object{{"@type", "Offer"},
                                   {"@id", text_of(order, "offerId")},
                                   {"assigner", text_of(order, "providerId")},
                                   {"target", text_of(order, "datasetId")},
                                   {"permission", json::array{json::object{{"action", "use"}}}}};
  return node_.manage_participant("POST", "/contractnegotiations", request);
}

result<json::value> webhooks::start_transfer(const json::value& order) {
  auto agreement = text_of(order, "agreementId");
  auto request = management_body("TransferRequest");
  {
    std::lock_guard lock(mutex_);
    auto known = local_agreements_.find(agreement);
    if (known == local_agreements_.end()) {
      return std::unexpected("no agreement was made for '" + agreement + "'");
    }
    request["contractId"] = known->second;
  }
  request["counterPartyAddress"] = text_of(order, "connectorAddress");
  request["profile"] = options_.profile;
  request["transferType"] = text_of(order, "format");
  return node_.manage_participant("POST", "/transferprocesses", request);
}

} // namespace fondaco::conformance::driver
