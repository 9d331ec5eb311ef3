#include "tools/bench/parties.hpp"

#include <atomic>
#include <mutex>
#include <thread>

#include "actors/ports/clock.hpp"
#include "gateway/api_client.hpp"

namespace fondaco::bench {

namespace {

constexpr const char* context = "https://w3id.org/edc/connector/management/v2";
constexpr const char* profile = "closed";
constexpr const char* dataset = "dataset-1";

json::object typed(const char* type) { return {{"@context", json::array{context}}, {"@type", type}}; }

std::string negotiation_path(const std::string& participant) {
  return "/participants/" + participant + "/contractnegotiations";
}

} // namespace

parties::parties(const std::string& folder, const std::string& provider_store, const std::string& consumer_store,
                 size_t providers, size_t consumers)
    : provider_("provider", folder + "/provider", provider_store, {}),
      consumer_("consumer", folder + "/consumer", consumer_store, {}), request_bodies_(providers) {
  const auto add = [](std::vector<party>& all, tools::demo_node& at, const char* name, size_t count) {
    for (size_t i = 1; i <= count; ++i) {
      const auto id = name + std::to_string(i);
      all.push_back({at, id, "did:web:" + id + ".example"});
    }
  };
  add(providers_, provider_, "provider-", providers);
  add(consumers_, consumer_, "consumer-", consumers);
}

measured<void> parties::get_token(tools::demo_node& n) {
  const auto answer = http_.send("POST", n.url("management") + "/oauth2/token", "",
                                 "grant_type=client_credentials&client_id=admin&client_secret=" + n.admin_secret(),
                                 "application/x-www-form-urlencoded");
  tokens_[n.name()] = json::string_at(answer.object(), "access_token").value_or("");
  if (tokens_[n.name()].empty())
    return std::unexpected("node '" + n.name() + "' gave no token: " + std::to_string(answer.status));
  return {};
}

measured<json::object> parties::call(tools::demo_node& n, const std::string& method, const std::string& path,
                                     const json::object& body) {
  const auto answer = http_.send(method, n.url("management") + "/api/management/v5beta" + path, tokens_.at(n.name()),
                                 body.empty() ? "" : json::write(body));
  if (answer.status < 200 || answer.status > 299)
    return std::unexpected(method + " " + path + " on node '" + n.name() + "' was answered " +
                           std::to_string(answer.status) + ": " + answer.body);
  return answer.object();
}

measured<void> parties::start(const std::string& program) {
  for (auto* n : {&provider_, &consumer_})
    if (auto started = n->start(program); !started)
      return std::unexpected(started.error());
  return get_tokens();
}

measured<void> parties::set_up(const std::string& program) {
  auto ok = start(program);
  return ok ? set_up(0, consumers_.size()) : ok;
}

measured<void> parties::get_tokens() {
  for (auto* n : {&provider_, &consumer_})
    if (auto ok = get_token(*n); !ok)
      return ok;
  return {};
}

// One provider has one configuration, which only one may change at a time.
measured<void> parties::set_up(size_t from, size_t to) {
  const size_t workers = providers_.size() == 1 ? 1 : limits::consumers;
  std::atomic<size_t> next{from};
  std::mutex mutex;
  measured<void> all;
  std::vector<std::jthread> threads;
  for (size_t w = 0; w < workers; ++w)
    threads.emplace_back([&] {
      for (size_t i = next++; i < to; i = next++)
        if (auto ok = set_up_one(i); !ok) {
          std::lock_guard lock(mutex);
          all = ok;
          next = to;
        }
    });
  threads.clear();
  return all;
}

measured<void> parties::set_up_one(size_t consumer) {
  const auto& provider = provider_of(consumer);
  auto& body = request_bodies_[consumer % providers_.size()];
  auto ok = add_party(consumers_[consumer]);
  if (ok && body.empty())
    ok = add_party(provider);
  if (ok)
    ok = introduce(provider, consumers_[consumer]);
  if (!ok || !body.empty())
    return ok;
  ok = publish(provider);
  if (!ok)
    return ok;
  // All consumers of a provider are offered the same, so one looks and all ask.
  auto found = find_offer(consumers_[consumer], provider);
  if (!found)
    return std::unexpected(found.error());
  body = std::move(*found);
  return {};
}

measured<void> parties::add_party(const party& p) {
  auto body = typed("ParticipantContext");
  body["@id"] = p.id;
  body["identity"] = p.identity;
  if (auto made = call(p.node, "POST", "/participants", body); !made)
    return std::unexpected(made.error());
  auto join = typed("AssociateDataspaceProfile");
  join["profiles"] = json::array{profile};
  if (auto joined = call(p.node, "PUT", "/participants/" + p.id + "/profiles", join); !joined)
    return std::unexpected(joined.error());
  return {};
}

measured<void> parties::introduce(const party& a, const party& b) {
  actors::system_random random;
  const auto from_a = gateway::fresh_secret(random);
  const auto from_b = gateway::fresh_secret(random);
  auto ok = trust(a, b, from_b, from_a);
  return ok ? trust(b, a, from_a, from_b) : ok;
}

measured<void> parties::trust(const party& who, const party& whom, const std::string& accepts,
                              const std::string& presents) {
  const auto prefix = std::string("fondaco.dataspace.") + profile + ".counterparty." + whom.id;
  auto body = typed("ParticipantContextConfig");
  body["entries"] = json::object{{prefix + ".id", whom.identity}, {prefix + ".attributes", R"({"region":"eu"})"}};
  body["privateEntries"] = json::object{{prefix + ".accepts", accepts}, {prefix + ".presents", presents}};
  if (auto ok = call(who.node, "PATCH", "/participants/" + who.id + "/config", body); !ok)
    return std::unexpected(ok.error());
  return {};
}

measured<void> parties::publish(const party& provider) {
  auto asset = typed("Asset");
  asset["@id"] = dataset;
  asset["properties"] = json::object{{"name", dataset}};
  asset["dataAddress"] = json::object{{"type", "HttpData"}, {"baseUrl", "http://127.0.0.1:1/data"}};
  json::object constraint{{"leftOperand", "attribute.region"}, {"operator", "eq"}, {"rightOperand", "eu"}};
  json::object rule{{"action", "use"}, {"constraint", json::array{std::move(constraint)}}};
  auto policy = typed("PolicyDefinition");
  policy["@id"] = "europe";
  policy["policy"] = json::object{{"@type", "Set"}, {"permission", json::array{std::move(rule)}}};
  auto definition = typed("ContractDefinition");
  definition["@id"] = "offer-1";
  definition["accessPolicyId"] = "europe";
  definition["contractPolicyId"] = "europe";
  definition["assetsSelector"] = json::array{};
  // Nobody transfers here, yet an asset is offered only where a data plane can share it.
  json::object plane{{"dataplaneId", provider.id + "-plane"},
                     {"endpoint", provider_.url("signaling") + "/api/dataplane/" + provider.id},
                     {"transferTypes", json::array{"HttpData-PULL"}}};
  const struct {
    const char* method;
    const char* path;
    const json::object* body;
  } calls[] = {{"PUT", "/dataplanes", &plane},
               {"POST", "/assets", &asset},
               {"POST", "/policydefinitions", &policy},
               {"POST", "/contractdefinitions", &definition}};
  for (const auto& c : calls)
    if (auto ok = call(provider_, c.method, "/participants/" + provider.id + c.path, *c.body); !ok)
      return std::unexpected(ok.error());
  return {};
}

std::string parties::dsp_of(const party& provider) const {
  return provider_.url("protocol") + "/api/dsp/" + provider.id + "/" + profile;
}

measured<std::string> parties::find_offer(const party& consumer, const party& provider) {
  auto body = typed("CatalogRequest");
  body["counterPartyAddress"] = dsp_of(provider);
  body["counterPartyId"] = provider.identity;
  body["profile"] = profile;
  const auto catalog = call(consumer_, "POST", "/participants/" + consumer.id + "/catalog/request", body);
  if (!catalog)
    return std::unexpected(catalog.error());
  json::object offer;
  if (const auto* datasets = json::array_at(*catalog, "dataset"))
    for (const auto& d : *datasets)
      if (const auto* offers = d.is_object() ? json::array_at(d.get_object(), "hasPolicy") : nullptr;
          offers && !offers->empty() && offers->front().is_object())
        offer = offers->front().get_object();
  if (offer.empty())
    return std::unexpected("the provider's catalog has no offer");
  offer["@type"] = "Offer";
  offer["assigner"] = provider.identity;
  offer["target"] = dataset;
  auto request = typed("ContractRequest");
  request["counterPartyAddress"] = dsp_of(provider);
  request["profile"] = profile;
  request["policy"] = std::move(offer);
  return json::write(request);
}

measured<std::string> parties::request(size_t consumer) {
  const auto answer = http_.send(
      "POST", consumer_.url("management") + "/api/management/v5beta" + negotiation_path(consumers_[consumer].id),
      tokens_.at(consumer_.name()), request_bodies_[consumer % providers_.size()]);
  const auto body = answer.object();
  const auto id = json::string_at(body, "@id");
  if (!id)
    return std::unexpected("a negotiation was answered " + std::to_string(answer.status) + ": " + answer.body);
  return std::string(*id);
}

measured<std::string> parties::state(size_t consumer, const std::string& id) {
  const auto answer = call(consumer_, "GET", negotiation_path(consumers_[consumer].id) + "/" + id + "/state");
  if (!answer)
    return std::unexpected(answer.error());
  return std::string(json::string_at(*answer, "state").value_or(""));
}

std::string parties::reason(size_t consumer, const std::string& id) {
  const auto answer = call(consumer_, "GET", negotiation_path(consumers_[consumer].id) + "/" + id);
  if (!answer)
    return answer.error();
  return std::string(json::string_at(*answer, "errorDetail").value_or("no reason"));
}

measured<void> parties::liveness() {
  const auto answer = http_.send("GET", provider_.url("observability") + "/api/check/liveness");
  if (answer.status != 200)
    return std::unexpected("liveness was answered " + std::to_string(answer.status) + ": " + answer.body);
  return {};
}

} // namespace fondaco::bench
