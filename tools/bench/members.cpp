#include "tools/bench/members.hpp"

#include <chrono>

#include <poll.h>

#include "tools/fondaco/journey_stages.hpp"

namespace fondaco::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto deployed_within = std::chrono::seconds(60);
constexpr int look_every_ms = 2;
constexpr const char* cfm = "/api/v1alpha1";
constexpr const char* context = "https://w3id.org/edc/connector/management/v2";
constexpr const char* dataset = "dataset-1";

json::object typed(const char* type) { return {{"@context", json::array{context}}, {"@type", type}}; }

std::string management(const std::string& participant, const std::string& rest) {
  return "/api/management/v5beta/participants/" + participant + rest;
}

} // namespace

members::members(const std::string& program, const std::string& folder, const std::string& store) {
  options_.program = program;
  options_.folder = folder;
  options_.stores = store;
  world_ = std::make_unique<tools::journey_world>(options_);
}

measured<void> members::set_up() {
  try {
    tools::journey_stages stages(options_, *world_, console_);
    stages.start();
    stages.prepare();
    renew_token();
  } catch (const tools::broken_journey& b) {
    return std::unexpected(b.why);
  }
  const auto spaces = call("GET", std::string(cfm) + "/dataspace-profiles");
  if (!spaces)
    return std::unexpected(spaces.error());
  for (const auto& one : spaces->array())
    if (const auto* properties = json::object_at(one.as_object(), "properties"))
      if (json::string_at(*properties, "name") == "members")
        dataspace_ = tools::text_of(one.as_object(), "id");
  if (dataspace_.empty())
    return std::unexpected("the CFM does not know the members' dataspace");
  return {};
}

void members::renew_token() {
  auto& n = world_->control();
  const auto answer =
      console_.http().send("POST", n.url("management") + "/oauth2/token", "",
                           "grant_type=client_credentials&client_id=admin&client_secret=" + n.admin_secret(),
                           "application/x-www-form-urlencoded");
  token_ = tools::text_of(answer.object(), "access_token");
}

measured<tools::demo_answer> members::call(const std::string& method, const std::string& path,
                                           const json::object& body) {
  auto answer = console_.http().send(method, world_->control().url("management") + path, token_,
                                     body.empty() ? "" : json::write(body));
  if (answer.status < 200 || answer.status > 299)
    return std::unexpected(method + " " + path + " was answered " + std::to_string(answer.status) + ": " + answer.body);
  return answer;
}

measured<members::newcomer> members::add_tenant() {
  newcomer n{"member-" + std::to_string(++count_), "", ""};
  const auto made = call("POST", std::string(cfm) + "/tenants", {{"properties", json::object{{"name", n.name}}}});
  if (!made)
    return std::unexpected(made.error());
  n.tenant = tools::text_of(made->object(), "id");
  return n;
}

measured<void> members::write_record() {
  const auto made = call("POST", std::string(cfm) + "/tenants", {{"properties", json::object{{"name", "record"}}}});
  return made ? measured<void>() : std::unexpected(made.error());
}

measured<std::string> members::deploy(newcomer& n) {
  const auto profiles = std::string(cfm) + "/tenants/" + n.tenant + "/participant-profiles";
  json::object body{{"identifier", world_->did(n.name)}};
  body["dataspaceProfileIds"] = json::array{json::value(dataspace_)};
  body["vpaProperties"] = json::object{{"cfm.issuer", json::object{{"membership", json::object{{"level", "full"}}}}}};
  const auto end = steady::now() + deployed_within;
  const auto begun = call("POST", profiles, body);
  if (!begun)
    return std::unexpected(begun.error());
  n.profile = tools::text_of(begun->object(), "id");
  for (std::string state; steady::now() < end; ::poll(nullptr, 0, look_every_ms)) {
    const auto shown = call("GET", profiles + "/" + n.profile);
    if (!shown)
      return std::unexpected(shown.error());
    const auto o = shown->object();
    const auto* vpas = json::array_at(o, "vpas");
    state = vpas && !vpas->empty() ? tools::text_of(vpas->front().as_object(), "state") : "";
    if (state == "error")
      return std::unexpected("a tenant was not deployed: " + console_.why(world_->cfm(), n.profile));
    if (state != "active")
      continue;
    const auto* properties = json::object_at(o, "properties");
    const auto* kept = properties ? json::object_at(*properties, "cfm.vpa.state") : nullptr;
    const auto participant = kept ? tools::text_of(*kept, "participantContextId") : "";
    const auto answer = console_.http().send("GET", world_->control().url("protocol") + "/api/dsp/" + participant +
                                                        "/.well-known/dspace-version");
    if (answer.status == 200)
      return participant;
  }
  return std::unexpected("a tenant's agents did not answer in time; its profile is " + n.profile);
}

measured<void> members::offer(const std::string& provider, const std::string& consumer, const newcomer& who) {
  auto asset = typed("Asset");
  asset["@id"] = dataset;
  asset["properties"] = json::object{{"name", dataset}};
  asset["dataAddress"] = json::object{{"type", "HttpData"}, {"baseUrl", "http://127.0.0.1:1/data"}};
  json::object constraint{{"leftOperand", tools::membership}, {"operator", "eq"}, {"rightOperand", "active"}};
  json::object rule{{"action", "use"}, {"constraint", json::array{std::move(constraint)}}};
  auto policy = typed("PolicyDefinition");
  policy["@id"] = "members";
  policy["policy"] = json::object{{"@type", "Set"}, {"permission", json::array{std::move(rule)}}};
  auto definition = typed("ContractDefinition");
  definition["@id"] = "offer-1";
  definition["accessPolicyId"] = "members";
  definition["contractPolicyId"] = "members";
  definition["assetsSelector"] = json::array{};
  for (const auto& [path, body] :
       {std::pair{"/assets", &asset}, {"/policydefinitions", &policy}, {"/contractdefinitions", &definition}})
    if (auto made = call("POST", management(provider, path), *body); !made)
      return std::unexpected(made.error());
  auto ask = typed("CatalogRequest");
  ask["counterPartyAddress"] =
      world_->control().url("protocol") + "/api/dsp/" + provider + "/" + tools::journey_profile;
  ask["counterPartyId"] = world_->did(who.name);
  ask["profile"] = tools::journey_profile;
  const auto catalog = call("POST", management(consumer, "/catalog/request"), ask);
  if (!catalog)
    return std::unexpected(catalog.error());
  const auto found = catalog->object();
  const auto* datasets = json::array_at(found, "dataset");
  const auto* offers =
      datasets && !datasets->empty() ? json::array_at(datasets->front().as_object(), "hasPolicy") : nullptr;
  if (!offers || offers->empty())
    return std::unexpected("the catalog has no offer: " + catalog->body);
  auto chosen = offers->front().as_object();
  chosen["@type"] = "Offer";
  chosen["assigner"] = world_->did(who.name);
  chosen["target"] = dataset;
  auto wanted = typed("ContractRequest");
  for (const auto* same : {"counterPartyAddress", "counterPartyId", "profile"})
    wanted[same] = ask.at(same);
  wanted["policy"] = std::move(chosen);
  request_body_ = json::write(wanted);
  consumer_ = consumer;
  return {};
}

measured<std::string> members::request(size_t) {
  const auto answer =
      console_.http().send("POST", world_->control().url("management") + management(consumer_, "/contractnegotiations"),
                           token_, request_body_);
  auto id = tools::text_of(answer.object(), "@id");
  if (id.empty())
    return std::unexpected("a request was answered " + std::to_string(answer.status) + ": " + answer.body);
  return id;
}

measured<std::string> members::state(size_t, const std::string& id) {
  const auto answer = call("GET", management(consumer_, "/contractnegotiations/" + id + "/state"));
  return answer ? measured<std::string>(tools::text_of(answer->object(), "state")) : std::unexpected(answer.error());
}

std::string members::reason(size_t, const std::string& id) { return console_.why(world_->control(), id); }

} // namespace fondaco::bench
