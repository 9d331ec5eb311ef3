// Stages 5 and 6, and the stranger.

#include <filesystem>

#include "protocols/base/digest.hpp"
#include "tools/fondaco/journey_stages.hpp"

namespace fondaco::tools {

namespace {

constexpr const char* management_context = "https://w3id.org/edc/connector/management/v2";
constexpr const char* transfer_type = "HttpData-PULL";
constexpr const char* asset_id = "dataset-1";

json::object typed(const char* type) {
  json::object o;
  o["@context"] = json::array{management_context};
  o["@type"] = type;
  return o;
}

json::object membership_policy() {
  json::object constraint{{"leftOperand", membership}, {"operator", "eq"}, {"rightOperand", "active"}};
  json::object rule{{"action", "use"}};
  rule["constraint"] = json::array{std::move(constraint)};
  json::object policy{{"@type", "Set"}};
  policy["permission"] = json::array{std::move(rule)};
  return policy;
}

bool is_url(const std::string& data) { return data.starts_with("http://") || data.starts_with("https://"); }

} // namespace

std::string journey_stages::management(const journey_member& m, const std::string& path) const {
  return "/api/management/v5beta/participants/" + m.context + path;
}

std::string journey_stages::provider_dsp() const {
  return world_.control().url("protocol") + "/api/dsp/" + acme_.context + "/" + journey_profile;
}

void journey_stages::configure() {
  console_.step("configure", "acme", "publishes the data, for members only", [&] {
    auto& node = world_.control();
    auto asset = typed("Asset");
    asset["@id"] = asset_id;
    asset["properties"] = json::object{{"name", std::filesystem::path(options_.data).filename().string()}};
    json::object address{{"type", is_url(options_.data) ? "HttpData" : "File"}};
    if (is_url(options_.data)) {
      address["baseUrl"] = options_.data;
    } else {
      const auto folder = std::filesystem::path(world_.files()) / acme_.context;
      std::filesystem::create_directories(folder);
      const auto copy = folder / std::filesystem::path(options_.data).filename();
      std::filesystem::copy_file(options_.data, copy, std::filesystem::copy_options::overwrite_existing);
      address["path"] = copy.string();
    }
    asset["dataAddress"] = std::move(address);
    console_.call(node, "POST", management(acme_, "/assets"), asset);
    auto policy = typed("PolicyDefinition");
    policy["@id"] = "members";
    policy["policy"] = membership_policy();
    console_.call(node, "POST", management(acme_, "/policydefinitions"), policy);
    auto definition = typed("ContractDefinition");
    definition["@id"] = "offer-1";
    definition["accessPolicyId"] = "members";
    definition["contractPolicyId"] = "members";
    definition["assetsSelector"] = json::array{};
    console_.call(node, "POST", management(acme_, "/contractdefinitions"), definition);
    if (options_.crash) {
      auto slow = typed("ParticipantContextConfig");
      slow["entries"] = json::object{{"fondaco.dsp.reaction.delay.ms", "1500"}};
      console_.call(node, "PATCH", management(acme_, "/config"), slow);
    }
    return std::string(asset_id);
  });
}

json::object journey_stages::find_offer(const journey_member& who) {
  auto body = typed("CatalogRequest");
  body["counterPartyAddress"] = provider_dsp();
  body["counterPartyId"] = acme_.did;
  body["profile"] = journey_profile;
  const auto catalog = console_.call(world_.control(), "POST", management(who, "/catalog/request"), body).object();
  if (const auto* datasets = json::array_at(catalog, "dataset"))
    for (const auto& d : *datasets)
      if (json::string_at(d.as_object(), "@id") == asset_id)
        if (const auto* offers = json::array_at(d.as_object(), "hasPolicy"); offers && !offers->empty())
          return offers->front().as_object();
  throw broken_journey{"the catalog has no offer for " + std::string(asset_id)};
}

std::string journey_stages::request_contract(const journey_member& who, json::object offer) {
  auto body = typed("ContractRequest");
  body["counterPartyAddress"] = provider_dsp();
  body["counterPartyId"] = acme_.did;
  body["profile"] = journey_profile;
  offer["@type"] = "Offer";
  offer["assigner"] = acme_.did;
  offer["target"] = asset_id;
  body["policy"] = std::move(offer);
  return text_of(console_.call(world_.control(), "POST", management(who, "/contractnegotiations"), body).object(),
                 "@id");
}

std::string journey_stages::negotiation_state(const journey_member& who, const std::string& id) {
  const auto path = management(who, "/contractnegotiations/" + id + "/state");
  return text_of(console_.try_call(world_.control(), "GET", path).object(), "state");
}

void journey_stages::negotiate(json::object offer) {
  console_.step("negotiate", "globex", "negotiates a contract with acme, who checks the credential", [&] {
    negotiation_ = request_contract(globex_, std::move(offer));
    if (options_.crash)
      crash_in_negotiation();
    return console_.await("the state FINALIZED", [&] {
      const auto s = negotiation_state(globex_, negotiation_);
      if (s == "TERMINATED")
        throw broken_journey{"the negotiation ended: " + console_.why(world_.control(), negotiation_)};
      return std::pair(s == "FINALIZED", s);
    });
  });
}

void journey_stages::transfer() {
  console_.step("transfer", "globex", "starts a transfer under the agreement", [&] {
    const auto agreement = console_.call(world_.control(), "GET",
                                         management(globex_, "/contractnegotiations/" + negotiation_ + "/agreement"));
    auto body = typed("TransferRequest");
    body["counterPartyAddress"] = provider_dsp();
    body["profile"] = journey_profile;
    body["contractId"] = text_of(agreement.object(), "@id");
    body["transferType"] = transfer_type;
    transfer_ = text_of(
        console_.call(world_.control(), "POST", management(globex_, "/transferprocesses"), body).object(), "@id");
    return console_.await("the state STARTED", [&] {
      const auto path = management(globex_, "/transferprocesses/" + transfer_ + "/state");
      const auto s = text_of(console_.try_call(world_.control(), "GET", path).object(), "state");
      if (s == "TERMINATED")
        throw broken_journey{"the transfer ended: " + console_.why(world_.control(), transfer_)};
      return std::pair(s == "STARTED", s);
    });
  });
}

void journey_stages::pull_and_compare() {
  const auto edr =
      console_.call(world_.control(), "GET", management(globex_, "/edrs/" + transfer_ + "/dataaddress")).object();
  const auto endpoint = text_of(edr, "endpoint");
  const auto token = text_of(edr, "authorization");
  if (endpoint.empty() || token.empty())
    throw broken_journey{"the endpoint data reference has no endpoint or no token"};
  if (options_.crash)
    crash_in_pull(endpoint, token);
  demo_pull pulled;
  console_.step("pull", "globex", "pulls the bytes through acme's data plane", [&] {
    pulled = console_.http().pull(endpoint, token);
    if (pulled.status != 200 || !pulled.error.empty())
      throw broken_journey{"the pull was answered " + std::to_string(pulled.status) + " " + pulled.error};
    return std::to_string(pulled.bytes) + " bytes";
  });
  console_.step("compare", "globex", "compares SHA-256 of what came with the source's", [&] {
    std::string source;
    if (is_url(options_.data)) {
      source = console_.http().pull(options_.data, "").sha256;
    } else {
      digest sum;
      std::FILE* f = std::fopen(options_.data.c_str(), "rb");
      if (!f)
        throw broken_journey{"the file '" + options_.data + "' cannot be read"};
      std::string buffer(1u << 16, '\0');
      while (const auto n = std::fread(buffer.data(), 1, buffer.size(), f))
        sum.add(std::string_view(buffer.data(), n));
      std::fclose(f);
      source = sum.finish();
    }
    if (source != pulled.sha256)
      throw broken_journey{"SHA-256 differs: source " + source + ", pulled " + pulled.sha256};
    return source.substr(0, 24) + "... EQUAL";
  });
}

void journey_stages::participate() {
  console_.step("catalog", "globex", "asks acme for its catalog, presenting its credential", [&] {
    offer_ = find_offer(globex_);
    return std::string("1 offer");
  });
  negotiate(offer_);
  transfer();
  pull_and_compare();
}

void journey_stages::refuse_stranger() {
  std::string id;
  console_.step("refuse", "umbrella", "asks for the same contract without a credential", [&] {
    id = request_contract(umbrella_, offer_);
    return console_.await("the state TERMINATED", [&] {
      const auto s = negotiation_state(umbrella_, id);
      if (s == "FINALIZED")
        throw broken_journey{"a stranger got a contract"};
      return std::pair(s == "TERMINATED", s);
    });
  });
  // One process holds both sides: `why` knows the consumer's negotiation and the provider's refusal by the same id.
  console_.step("why", "both", "sides say why", [&] {
    const auto text = console_.why(world_.control(), id);
    if (text.find(membership) == std::string::npos)
      throw broken_journey{"why does not name the credential: " + text};
    console_.say(text);
    if (text.find("refused") == std::string::npos)
      throw broken_journey{"the provider's side does not say that it refused: " + text};
    return std::string("REFUSED");
  });
}

} // namespace fondaco::tools
