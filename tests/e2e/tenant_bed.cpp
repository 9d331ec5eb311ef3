#include "e2e/tenant_bed.hpp"

#include <filesystem>

#include "e2e/fixed_tokens.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr size_t file_bytes = 4096;
/// More than the buffers between a data plane and a slow reader take.
constexpr size_t large_file_bytes = 16u << 20;

const std::vector<std::string> participant_scopes{"management-api:read", "management-api:write", "data-plane:write"};
const std::vector<std::string> other_apis{
    "identity-api:admin",         "issuer-admin-api:admin",      "tenant-manager-api:read", "tenant-manager-api:write",
    "provision-manager-api:read", "provision-manager-api:write", "onboarding-api:admin"};

node_options options(bed& b, const std::string& files, const peer& keys) {
  node_options o;
  o.name = "tenants";
  o.kind = b.kind();
  o.file_roots = {files};
  o.jwks_url = keys.root() + "/jwks";
  o.admin_scopes = other_apis;
  for (const char* id : {"alpha", "beta", "partner"})
    o.clients.push_back({id, "participant", id, participant_scopes});
  o.clients.push_back({"provisioner", "provisioner", "", other_apis});
  return o;
}

std::string make_files(const std::string& folder) {
  std::filesystem::create_directories(folder);
  for (const char* who : {"alpha", "beta", "partner", "slow"}) {
    std::filesystem::create_directories(folder + "/" + who);
    write_private(folder + "/" + who + "/data",
                  random_bytes(who == std::string_view("alpha") ? large_file_bytes : file_bytes));
  }
  return folder;
}

} // namespace

void serve_keys(peer& p) {
  p.behave([](const delivery&) {
    return http::reply{200, std::string(fixed_tokens::jwks), {{"Content-Type", "application/json"}}, false};
  });
}

tenant_bed::tenant_bed(bed& b)
    : folder_(b.fresh_folder()), at(options(b, make_files(folder_ + "/files"), keys), folder_ + "/node"), admin(at),
      by(at), alpha{at, "alpha", "did:web:alpha.example", good_attributes},
      beta{at, "beta", "did:web:beta.example", good_attributes},
      partner{at, "partner", "did:web:partner.example", good_attributes},
      slow{at, "slow", "did:web:slow.example", good_attributes}, to_alpha(random_hex(32)), to_beta(random_hex(32)),
      from_alpha(random_hex(32)), stranger_to_alpha(random_hex(32)) {
  serve_keys(keys);
  at.start();
  settle();
}

void tenant_bed::share(const organisation& o, const std::string& asset) {
  publish(admin, o, asset, file_address(folder_ + "/files/" + o.id + "/data"), policy("attribute.membership", "active"),
          policy("attribute.region", "eu"));
}

void tenant_bed::settle() {
  for (const auto* o : {&alpha, &beta, &partner, &slow})
    add_organisation(admin, *o);
  for (const auto* o : {&partner, &slow}) {
    const auto there = random_hex(32), back = random_hex(32);
    trust(admin, alpha, o->id, o->identity, o->attributes, back, there);
    trust(admin, *o, alpha.id, alpha.identity, alpha.attributes, there, back);
  }
  trust(admin, alpha, "peer", peer_identity, good_attributes, to_alpha, from_alpha);
  trust(admin, alpha, "stranger", stranger_identity, good_attributes, stranger_to_alpha, random_hex(32));
  trust(admin, beta, "peer", peer_identity, good_attributes, to_beta, random_hex(32));
  auto slowly = managed("ParticipantContextConfig");
  slowly["entries"] = json::object{{"fondaco.dsp.reaction.delay.ms", "3600000"}};
  admin.call("PATCH", slow.path("/config"), slowly);
  for (const auto* o : {&alpha, &beta, &partner, &slow})
    add_data_plane(admin, *o);
  share(partner, "dataset-1");
  share(slow, "dataset-1");
  share(alpha, "cargo");
  share(alpha, "alphas");
  share(beta, "cargo");
}

json::object tenant_bed::offer(const organisation& consumer, const organisation& provider, const std::string& asset) {
  auto body = managed("CatalogRequest");
  body["counterPartyAddress"] = provider.dsp();
  body["counterPartyId"] = provider.identity;
  body["profile"] = profile;
  const auto catalog = admin.call("POST", consumer.path("/catalog/request"), body).as_object();
  for (const auto& d : array_at(catalog, "dataset")) {
    const auto offers = array_at(d.as_object(), "hasPolicy");
    if (text_at(d.as_object(), "@id") != asset || offers.empty())
      continue;
    auto found = offers.front().as_object();
    found["@type"] = "Offer";
    found["assigner"] = provider.identity;
    found["target"] = asset;
    return found;
  }
  throw failed("the catalog of " + provider.id + " has no offer of " + asset);
}

std::string tenant_bed::agree(const organisation& consumer, const organisation& provider, const std::string& asset) {
  auto body = managed("ContractRequest");
  body["counterPartyAddress"] = provider.dsp();
  body["profile"] = profile;
  body["policy"] = offer(consumer, provider, asset);
  const auto id = admin.create(consumer.path("/contractnegotiations"), body);
  await(consumer, "/contractnegotiations/" + id, "FINALIZED");
  return id;
}

json::object tenant_bed::own_offer() {
  return {{"@id", "offer-" + random_hex(8)},
          {"@type", "Offer"},
          {"assigner", peer_identity},
          {"target", "thing"},
          {"permission", policy("attribute.region", "eu").at("permission")}};
}

std::string tenant_bed::buy(const json::object& offer) {
  auto body = managed("ContractRequest");
  body["counterPartyAddress"] = other_side.base();
  body["profile"] = profile;
  body["policy"] = offer;
  const auto id = admin.create(alpha.path("/contractnegotiations"), body);
  await(alpha, "/contractnegotiations/" + id, "REQUESTED");
  return id;
}

tenant_bed::provided_access tenant_bed::consume(const organisation& provider, const std::string& token) {
  provided_access out;
  const dsp_client to(provider.dsp(), token);
  peer_negotiation n(to, other_side);
  out.agreement = text_at(n.finish("cargo"), "@id");
  const auto pid = "urn:uuid:" + random_uuid();
  auto asking = message("TransferRequestMessage");
  asking["consumerPid"] = pid;
  asking["callbackAddress"] = other_side.base();
  asking["format"] = transfer_type;
  asking["agreementId"] = out.agreement;
  const auto got = to.post("/transfers/request", asking);
  check(got.status == 201, "a transfer request was answered " + std::to_string(got.status) + ": " + got.body);
  out.transfer = text_at(got.object(), "providerPid");
  const auto address = object_at(other_side.await("/transfers/" + pid + "/start").message(), "dataAddress");
  const auto endpoint = text_at(address, "endpoint");
  out.flow = endpoint.substr(endpoint.rfind('/') + 1);
  for (const auto& v : array_at(address, "endpointProperties"))
    if (text_at(v.as_object(), "name") == "authorization")
      out.authorization = text_at(v.as_object(), "value");
  check(!out.authorization.empty(), "a start gave no token: " + json::serialize(address));
  await(provider, "/transferprocesses/" + out.transfer, "STARTED");
  return out;
}

std::string tenant_bed::member(const organisation& who, const std::string& path, const char* name) {
  return text_at(admin.call("GET", who.path(path)).as_object(), name);
}

void tenant_bed::await(const organisation& who, const std::string& path, const std::string& state) {
  wait_for(who.id + "'s " + path + " to be " + state, [&](std::string& saw) -> std::optional<bool> {
    saw = member(who, path + "/state", "state");
    return saw == state ? std::optional(true) : std::nullopt;
  });
}

} // namespace fondaco::e2e
