// What the tenants of a fabric do: publish, find, negotiate, transfer.

#include "e2e/api.hpp"
#include "e2e/fabric.hpp"

namespace fondaco::e2e {

namespace {

std::string below(const tenancy& t, const std::string& rest) {
  return "/api/management/v5beta/participants/" + t.context + rest;
}

} // namespace

http::header_list fabric::traced() const {
  return traceparent_.empty() ? http::header_list{} : http::header_list{{"traceparent", traceparent_}};
}

json::value fabric::call(const std::string& method, const std::string& path, const json::object& body) {
  const auto got = at(control()).send(method, path, body, traced());
  check(got.status >= 200 && got.status < 300,
        method + " " + path + " was answered " + std::to_string(got.status) + ": " + got.body);
  return got.value();
}

std::string fabric::dsp(const tenancy& t) const {
  return control_->url("protocol") + "/api/dsp/" + t.context + "/" + dataspace;
}

void fabric::publish(const tenancy& t, const std::string& asset, const std::string& file) {
  auto& who = at(control());
  auto body = managed("Asset");
  body["@id"] = asset;
  body["properties"] = json::object{{"name", asset}};
  body["dataAddress"] = json::object{{"type", "File"}, {"path", file}};
  who.call("POST", below(t, "/assets"), body);
  auto members = managed("PolicyDefinition");
  members["@id"] = asset + "-policy";
  members["policy"] = policy("MembershipCredential", "active");
  who.call("POST", below(t, "/policydefinitions"), members);
  auto definition = managed("ContractDefinition");
  definition["@id"] = asset + "-definition";
  definition["accessPolicyId"] = asset + "-policy";
  definition["contractPolicyId"] = asset + "-policy";
  json::object selector{{"@type", "Criterion"}, {"operandLeft", "id"}, {"operator", "="}, {"operandRight", asset}};
  definition["assetsSelector"] = json::array{std::move(selector)};
  who.call("POST", below(t, "/contractdefinitions"), definition);
}

json::object fabric::find_offer(const tenancy& consumer, const tenancy& provider, const std::string& asset) {
  auto body = managed("CatalogRequest");
  body["counterPartyAddress"] = dsp(provider);
  body["counterPartyId"] = did(provider.name);
  body["profile"] = dataspace;
  const auto catalog = call("POST", below(consumer, "/catalog/request"), body);
  check(catalog.is_object(), "a catalog is no JSON object");
  for (const auto& d : array_at(catalog.get_object(), "dataset")) {
    const auto offers = array_at(d.as_object(), "hasPolicy");
    if (text_at(d.as_object(), "@id") == asset && !offers.empty())
      return offers.front().as_object();
  }
  return {};
}

std::string fabric::negotiate(const tenancy& consumer, const tenancy& provider, const std::string& asset,
                              json::object offer) {
  auto body = managed("ContractRequest");
  body["counterPartyAddress"] = dsp(provider);
  body["counterPartyId"] = did(provider.name);
  body["profile"] = dataspace;
  offer["@type"] = "Offer";
  offer["assigner"] = did(provider.name);
  offer["target"] = asset;
  body["policy"] = std::move(offer);
  const auto made = call("POST", below(consumer, "/contractnegotiations"), body);
  return text_at(made.as_object(), "@id");
}

std::string fabric::process_state(const tenancy& t, const std::string& path) {
  const auto got = at(control()).send("GET", below(t, path) + "/state");
  return got.status == 200 ? text_at(got.object(), "state") : std::to_string(got.status);
}

void fabric::await_process(const tenancy& t, const std::string& path, const std::string& wanted, milliseconds within) {
  wait_for(
      t.name + "'s " + path + " to be " + wanted,
      [&](std::string& saw) -> std::optional<bool> {
        saw = process_state(t, path);
        check(saw == wanted || (saw != "TERMINATED" && saw != "FINALIZED" && saw != "COMPLETED"),
              t.name + "'s " + path + " is " + saw + ": " +
                  control().ctl({"why", path.substr(path.rfind('/') + 1)}).out);
        return saw == wanted ? std::optional(true) : std::nullopt;
      },
      within);
}

std::string fabric::start_transfer(const tenancy& consumer, const tenancy& provider, const std::string& negotiation) {
  const auto agreement = call("GET", below(consumer, "/contractnegotiations/" + negotiation + "/agreement"));
  auto body = managed("TransferRequest");
  body["counterPartyAddress"] = dsp(provider);
  body["profile"] = dataspace;
  body["contractId"] = text_at(agreement.as_object(), "@id");
  body["transferType"] = transfer_type;
  return text_at(call("POST", below(consumer, "/transferprocesses"), body).as_object(), "@id");
}

answer fabric::pull(const tenancy& consumer, const std::string& transfer) {
  const auto edr = call("GET", below(consumer, "/edrs/" + transfer + "/dataaddress"));
  auto headers = traced();
  headers.emplace_back("Authorization", text_at(edr.as_object(), "authorization"));
  return send("GET", text_at(edr.as_object(), "endpoint"), std::move(headers));
}

} // namespace fondaco::e2e
