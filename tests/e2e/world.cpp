#include "e2e/world.hpp"

#include <filesystem>

#include "e2e/fixed_tokens.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr size_t data_bytes = 64u << 20;

std::string make_data(const std::string& folder) {
  std::filesystem::create_directories(folder);
  auto path = folder + "/data.bin";
  write_private(path, random_bytes(data_bytes));
  return path;
}

node_options provider_options(const std::string& folder, store_kind kind, const std::string& jwks_url) {
  node_options o;
  o.name = "provider";
  o.kind = kind;
  o.file_roots = {folder + "/data"};
  o.jwks_url = jwks_url;
  o.clients = {{"acme-app", "participant", "acme", {"management-api:read", "management-api:write"}}};
  return o;
}

node_options consumer_options(store_kind kind) {
  node_options o;
  o.name = "consumer";
  o.kind = kind;
  o.clients = {{"globex-app", "participant", "globex", {"management-api:read", "management-api:write"}}};
  return o;
}

bool is_end(const std::string& state) { return state == "TERMINATED" || state == "FINALIZED" || state == "COMPLETED"; }

} // namespace

std::string counterparty_prefix(const std::string& alias) {
  return std::string("fondaco.dataspace.") + profile + ".counterparty." + alias;
}

void add_organisation(management& m, const organisation& o) {
  auto body = managed("ParticipantContext");
  body["@id"] = o.id;
  body["identity"] = o.identity;
  m.call("POST", "/participants", body);
  auto join = managed("AssociateDataspaceProfile");
  join["profiles"] = json::array{profile};
  m.call("PUT", o.path("/profiles"), join);
}

void trust(management& m, const organisation& who, const std::string& alias, const std::string& identity,
           const std::string& attributes, const std::string& accepts, const std::string& presents) {
  auto prefix = counterparty_prefix(alias);
  auto body = managed("ParticipantContextConfig");
  body["entries"] = json::object{{prefix + ".id", identity}, {prefix + ".attributes", attributes}};
  body["privateEntries"] = json::object{{prefix + ".accepts", accepts}, {prefix + ".presents", presents}};
  m.call("PATCH", who.path("/config"), body);
}

void add_data_plane(management& m, const organisation& o) {
  json::object body{{"dataplaneId", o.id + "-plane"},
                    {"endpoint", o.at.url("signaling") + "/api/dataplane/" + o.id},
                    {"transferTypes", json::array{transfer_type}}};
  m.call("PUT", o.path("/dataplanes"), body);
}

void publish(management& m, const organisation& o, const std::string& asset, const json::object& address,
             const json::object& access, const json::object& contract) {
  auto body = managed("Asset");
  body["@id"] = asset;
  body["properties"] = json::object{{"name", asset}};
  body["dataAddress"] = address;
  m.call("POST", o.path("/assets"), body);
  for (const auto& [id, rules] : {std::pair{asset + "-access", &access}, std::pair{asset + "-contract", &contract}}) {
    auto definition = managed("PolicyDefinition");
    definition["@id"] = id;
    definition["policy"] = *rules;
    m.call("POST", o.path("/policydefinitions"), definition);
  }
  auto definition = managed("ContractDefinition");
  definition["@id"] = asset + "-definition";
  definition["accessPolicyId"] = asset + "-access";
  definition["contractPolicyId"] = asset + "-contract";
  json::object selector{{"@type", "Criterion"}, {"operandLeft", "id"}, {"operator", "="}, {"operandRight", asset}};
  definition["assetsSelector"] = json::array{std::move(selector)};
  m.call("POST", o.path("/contractdefinitions"), definition);
}

json::object file_address(const std::string& path) { return {{"type", "File"}, {"path", path}}; }

world::world(const std::string& folder, store_kind kind)
    : provider(provider_options(folder, kind, issuer.root() + "/jwks"), folder + "/provider"),
      consumer(consumer_options(kind), folder + "/consumer"),
      acme{provider, "acme", "did:web:acme.example", good_attributes},
      initech{provider, "initech", "did:web:initech.example", good_attributes},
      globex{consumer, "globex", "did:web:globex.example", good_attributes},
      umbrella{consumer, "umbrella", "did:web:umbrella.example", R"({"membership":"active","region":"us"})"},
      provider_admin(provider), consumer_admin(consumer), data_file(make_data(folder + "/data/acme")),
      peer_presents(random_hex(32)), peer_is_presented(random_hex(32)) {
  issuer.behave([](const delivery&) {
    return http::reply{200, std::string(fixed_tokens::jwks), {{"Content-Type", "application/json"}}, false};
  });
  provider.start();
  consumer.start();
  settle();
}

void world::settle() {
  for (const auto* o : {&acme, &initech, &globex, &umbrella})
    add_organisation(admin(*o), *o);
  for (auto [a, b] : {std::pair{&acme, &globex}, std::pair{&acme, &umbrella}, std::pair{&initech, &globex}}) {
    auto from_a = random_hex(32), from_b = random_hex(32);
    trust(admin(*a), *a, b->id, b->identity, b->attributes, from_b, from_a);
    trust(admin(*b), *b, a->id, a->identity, a->attributes, from_a, from_b);
  }
  for (const auto* o : {&acme, &initech, &globex})
    trust(admin(*o), *o, "peer", peer_identity, good_attributes, peer_presents, peer_is_presented);
  auto slowly = managed("ParticipantContextConfig");
  slowly["entries"] = json::object{{"fondaco.dsp.reaction.delay.ms", "3600000"}};
  provider_admin.call("PATCH", initech.path("/config"), slowly);
  for (const auto* o : {&acme, &initech})
    add_data_plane(provider_admin, *o);
  auto members = policy("attribute.membership", "active"), europe = policy("attribute.region", "eu");
  publish(provider_admin, acme, "dataset-1", file_address(data_file), members, europe);
  publish(provider_admin, acme, "dataset-gold", file_address(data_file), policy("attribute.membership", "gold"),
          europe);
  publish(provider_admin, initech, "dataset-2", file_address(data_file), members, europe);
}

json::object find_offer(world& w, const organisation& consumer, const organisation& provider,
                        const std::string& asset) {
  auto body = managed("CatalogRequest");
  body["counterPartyAddress"] = provider.dsp();
  body["counterPartyId"] = provider.identity;
  body["profile"] = profile;
  auto catalog = w.admin(consumer).call("POST", consumer.path("/catalog/request"), body);
  check(catalog.is_object(), "a catalog is no JSON object");
  for (const auto& d : array_at(catalog.get_object(), "dataset")) {
    auto offers = array_at(d.as_object(), "hasPolicy");
    if (text_at(d.as_object(), "@id") != asset || offers.empty())
      continue;
    auto offer = offers.front().as_object();
    offer["@type"] = "Offer";
    offer["assigner"] = provider.identity;
    offer["target"] = asset;
    return offer;
  }
  return {};
}

std::string begin_negotiation(world& w, const organisation& consumer, const std::string& address, json::object offer) {
  auto body = managed("ContractRequest");
  body["counterPartyAddress"] = address;
  body["profile"] = profile;
  body["policy"] = std::move(offer);
  return w.admin(consumer).create(consumer.path("/contractnegotiations"), body);
}

std::string state_of(world& w, const organisation& who, const std::string& path) {
  auto got = w.admin(who).call("GET", who.path(path) + "/state");
  return got.is_object() ? text_at(got.get_object(), "state") : std::string();
}

void await_state(world& w, const organisation& who, const std::string& path, const std::string& state,
                 milliseconds within) {
  wait_for(
      who.id + "'s " + path + " to be " + state,
      [&](std::string& saw) -> std::optional<bool> {
        saw = state_of(w, who, path);
        if (saw != state && is_end(saw)) {
          auto why = who.at.ctl({"why", path.substr(path.rfind('/') + 1)});
          throw failed(who.id + "'s " + path + " is " + saw + ", not " + state + ": " + why.out);
        }
        return saw == state ? std::optional(true) : std::nullopt;
      },
      within);
}

std::string correlated(world& w, const organisation& who, const std::string& path) {
  auto got = w.admin(who).call("GET", who.path(path));
  auto id = got.is_object() ? text_at(got.get_object(), "correlationId") : std::string();
  check(!id.empty(), who.id + "'s " + path + " names no process of the other side");
  return id;
}

std::string agree(world& w, const organisation& consumer, const organisation& provider, const std::string& asset) {
  auto offer = find_offer(w, consumer, provider, asset);
  check(!offer.empty(), "the catalog has no offer for " + asset);
  auto id = begin_negotiation(w, consumer, provider.dsp(), std::move(offer));
  await_state(w, consumer, "/contractnegotiations/" + id, "FINALIZED");
  await_state(w, provider, "/contractnegotiations/" + correlated(w, consumer, "/contractnegotiations/" + id),
              "FINALIZED");
  return id;
}

json::object agreement_of(world& w, const organisation& who, const std::string& negotiation) {
  auto got = w.admin(who).call("GET", who.path("/contractnegotiations/" + negotiation + "/agreement"));
  check(got.is_object() && !text_at(got.get_object(), "@id").empty(), "an agreement has no @id");
  return got.get_object();
}

std::string start_transfer(world& w, const organisation& consumer, const organisation& provider,
                           const std::string& agreement) {
  auto body = managed("TransferRequest");
  body["counterPartyAddress"] = provider.dsp();
  body["profile"] = profile;
  body["contractId"] = agreement;
  body["transferType"] = transfer_type;
  auto id = w.admin(consumer).create(consumer.path("/transferprocesses"), body);
  await_state(w, consumer, "/transferprocesses/" + id, "STARTED");
  await_state(w, provider, "/transferprocesses/" + correlated(w, consumer, "/transferprocesses/" + id), "STARTED");
  return id;
}

access access_of(world& w, const organisation& consumer, const std::string& transfer) {
  auto edr = w.admin(consumer).call("GET", consumer.path("/edrs/" + transfer + "/dataaddress"));
  check(edr.is_object(), "an endpoint data reference is no JSON object");
  access a{text_at(edr.get_object(), "endpoint"), text_at(edr.get_object(), "authorization")};
  check(!a.endpoint.empty() && !a.authorization.empty(), "an endpoint data reference has no endpoint or no token");
  return a;
}

} // namespace fondaco::e2e
