#include "e2e/role_table.hpp"

#include <string>
#include <vector>

namespace fondaco::e2e {

namespace {

constexpr auto reads = access_level::read;
constexpr auto writes = access_level::write;
constexpr auto administers = access_level::admin;

const std::string base = "/api/management/v5beta", contexts = base + "/participants", one = contexts + "/{pc}";

/// A body of the Management API.
std::string typed(const std::string& type, const std::string& members = "") {
  return R"({"@context":["https://w3id.org/edc/connector/management/v2"],"@type":")" + type + "\"" +
         (members.empty() ? "" : "," + members) + "}";
}

const std::string any = typed("QuerySpec");

using rows = std::vector<guarded_route>;

rows context_rows() {
  const std::string entries = typed("ParticipantContextConfig", R"("entries":{"a":"b"})");
  return {{"POST", contexts, administers, "admin", "",
           typed("ParticipantContext", R"("@id":"fresh","identity":"did:web:fresh.example")")},
          {"GET", contexts, administers},
          {"GET", contexts + "/{id}", administers, "admin", "id=alpha"},
          {"PUT", contexts + "/{id}", administers, "admin", "id=fresh",
           typed("ParticipantContext", R"("@id":"fresh","identity":"did:web:fresh.example")")},
          {"PUT", one + "/config", administers, "admin", "pc=fresh", entries},
          {"PATCH", one + "/config", administers, "admin", "pc=alpha", entries},
          {"GET", one + "/config", administers, "admin", "pc=alpha"},
          {"PUT", one + "/profiles", administers, "admin", "pc=alpha",
           typed("AssociateDataspaceProfile", R"("profiles":["closed"])")},
          {"GET", one + "/profiles", reads, "alpha"},
          {"DELETE", contexts + "/{id}", administers, "admin", "id=fresh"}};
}

rows client_rows() {
  const std::string clients = base + "/apiclients", client = clients + "/{id}";
  return {{"POST", clients, administers, "admin", "",
           R"({"client_id":"late","role":"participant","participant_context_id":"alpha",)"
           R"("scopes":["management-api:read"]})"},
          {"GET", clients, administers},
          {"GET", client, administers, "admin", "id=late"},
          {"POST", client + "/rotate", administers, "admin", "id=late"},
          {"DELETE", client, administers, "admin", "id=late"}};
}

rows offer_rows() {
  const std::string assets = one + "/assets", policies = one + "/policydefinitions",
                    definitions = one + "/contractdefinitions";
  const std::string asset = typed("Asset", R"("@id":"asset-1","properties":{"name":"one"})");
  const std::string policy = typed("PolicyDefinition", R"("@id":"policy-1","policy":{"@type":"Set"})");
  const std::string definition =
      typed("ContractDefinition",
            R"("@id":"definition-1","accessPolicyId":"policy-1","contractPolicyId":"policy-1","assetsSelector":[])");
  return {{"POST", assets, writes, "alpha", "", asset},
          {"PUT", assets, writes, "alpha", "", asset, "", "", "asset-1"},
          {"POST", assets + "/request", reads, "alpha", "", any},
          {"GET", assets + "/{id}", reads, "alpha", "id=asset-1"},
          {"POST", policies, writes, "alpha", "", policy},
          {"PUT", policies + "/{id}", writes, "alpha", "id=policy-1", policy},
          {"POST", policies + "/request", reads, "alpha", "", any},
          {"GET", policies + "/{id}", reads, "alpha", "id=policy-1"},
          {"POST", policies + "/{id}/validate", reads, "alpha", "id=policy-1"},
          {"POST", definitions, writes, "alpha", "", definition},
          {"PUT", definitions, writes, "alpha", "", definition, "", "", "definition-1"},
          {"POST", definitions + "/request", reads, "alpha", "", any},
          {"GET", definitions + "/{id}", reads, "alpha", "id=definition-1"},
          {"DELETE", definitions + "/{id}", writes, "alpha", "id=definition-1"},
          {"DELETE", policies + "/{id}", writes, "alpha", "id=policy-1"},
          {"DELETE", assets + "/{id}", writes, "alpha", "id=asset-1"}};
}

rows negotiation_rows() {
  const std::string negotiations = one + "/contractnegotiations", agreements = one + "/contractagreements",
                    catalog = one + "/catalog";
  const std::string counterparty = R"("counterPartyAddress":"${partner_dsp}","profile":"closed")";
  const std::string asking = R"("counterPartyId":"${partner_did}",)" + counterparty;
  return {{"POST", catalog + "/request", reads, "alpha", "", typed("CatalogRequest", asking)},
          {"POST", catalog + "/dataset/request", reads, "alpha", "",
           typed("DatasetRequest", R"("@id":"dataset-1",)" + asking)},
          {"POST", negotiations, writes, "alpha", "",
           typed("ContractRequest", R"("counterPartyAddress":"${slow_dsp}","profile":"closed","policy":${slow_offer})"),
           "negotiation", "@id"},
          {"POST", negotiations + "/request", reads, "alpha", "", any},
          {"GET", negotiations + "/{id}", reads, "alpha", "id=${negotiation}"},
          {"GET", negotiations + "/{id}/state", reads, "alpha", "id=${negotiation}"},
          {"GET", negotiations + "/{id}/agreement", reads, "alpha", "id=${agreed}", "", "agreement", "@id"},
          {"POST", negotiations + "/{id}/terminate", writes, "alpha", "id=${negotiation}",
           typed("TerminateNegotiation", R"("reason":"enough")")},
          {"DELETE", negotiations + "/{id}", writes, "alpha", "id=${negotiation}"},
          {"POST", agreements + "/request", reads, "alpha", "", any},
          {"GET", agreements + "/{id}", reads, "alpha", "id=${agreement}"},
          {"GET", agreements + "/{id}/negotiation", reads, "alpha", "id=${agreement}"}};
}

rows transfer_rows() {
  const std::string transfers = one + "/transferprocesses", edrs = one + "/edrs";
  return {{"POST", transfers, writes, "alpha", "",
           typed("TransferRequest", R"("counterPartyAddress":"${partner_dsp}","profile":"closed",)"
                                    R"("contractId":"${agreement}","transferType":"HttpData-PULL")"),
           "transfer", "@id", "${agreement}"},
          {"POST", edrs + "/request", reads, "alpha", "", any, "edr", "@id"},
          {"GET", edrs + "/{id}/dataaddress", reads, "alpha", "id=${edr}"},
          {"POST", transfers + "/request", reads, "alpha", "", any},
          {"GET", transfers + "/{id}", reads, "alpha", "id=${transfer}"},
          {"GET", transfers + "/{id}/state", reads, "alpha", "id=${transfer}"},
          {"POST", transfers + "/{id}/suspend", writes, "alpha", "id=${transfer}", typed("SuspendTransfer")},
          {"POST", transfers + "/{id}/resume", writes, "alpha", "id=${transfer}"},
          {"POST", transfers + "/{id}/terminate", writes, "alpha", "id=${transfer}", typed("TerminateTransfer")}};
}

rows plane_rows() {
  const std::string planes = one + "/dataplanes";
  return {{"PUT", planes, writes, "alpha", "",
           R"({"dataplaneId":"plane-1","endpoint":"${partner_dsp}","transferTypes":["HttpData-PUSH"]})"},
          {"DELETE", planes + "/{id}", writes, "alpha", "id=plane-1"}};
}

} // namespace

std::vector<guarded_route> management_table() {
  rows all;
  for (auto part : {context_rows(), client_rows(), offer_rows(), negotiation_rows(), transfer_rows(), plane_rows()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<guarded_route> operator_table() {
  const std::string all = "/operator/entities";
  return {{"GET", all, reads, "operator"},
          {"GET", all + "/{id}", reads, "operator", "id=${agreed}"},
          {"GET", all + "/{id}/history", reads, "operator", "id=${agreed}"},
          {"GET", all + "/{id}/why", reads, "operator", "id=${agreed}"},
          {"GET", "/operator/routes", reads, "operator"},
          {"GET", "/operator/tree", reads, "operator"}};
}

} // namespace fondaco::e2e
