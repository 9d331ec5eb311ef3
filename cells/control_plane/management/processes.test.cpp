#include <doctest/doctest.h>

#include "cells/control_plane/management/edrs.hpp"
#include "cells/control_plane/management/test_bed.test.hpp"

namespace {

using namespace fondaco;
using control_plane::negotiation;
using control_plane::transfer_process;
using control_plane::testing::test_bed;

const std::string peer = "https://peer.example/api/dsp/peer/closed";

std::string offer(const std::string& more = "") {
  return R"("policy":{"@type":"Offer","@id":"o:1:2","assigner":"peer","target":"asset-1","permission":[{"action":"use"}])" +
         more + "}";
}

std::string contract_request(const std::string& more = "") {
  return test_bed::typed("ContractRequest",
                         R"("counterPartyAddress":")" + peer + R"(/","profile":"closed",)" + offer() + more);
}

std::string transfer_request(const std::string& agreement, const std::string& more = "") {
  return test_bed::typed("TransferRequest", R"("counterPartyAddress":")" + peer +
                                                R"(","profile":"closed","contractId":")" + agreement +
                                                R"(","transferType":"HttpData-PULL")" + more);
}

/// Waits until the entity's row has this status; the shell works on other threads.
void await_status(test_bed& bed, const std::string& path, const std::string& state) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  auto got = bed.send("alice", "GET", path);
  while (got.text("state") != state && std::chrono::steady_clock::now() < until)
    got = bed.send("alice", "GET", path);
  CHECK(got.text("state") == state);
}

/// The peer takes our request, agrees to it and finalizes; gives the agreement's id.
std::string conclude(test_bed& bed, const std::string& id) {
  const auto first_message = [&] {
    return bed.documents().query_entities(tenant("alice"), negotiation::kind, {}).value().front();
  };
  CHECK(first_message().key.id == id);
  const auto message = [&](int64_t n) { return control_plane::derive_message_id(id, n); };
  bed.tell<negotiation>("alice", id, negotiation::delivered{message(1), "peer-pid"});
  negotiation::receive_message agreement;
  agreement.counterparty_id = "peer";
  agreement.envelope.type = dsp::negotiation_message::agreement;
  agreement.envelope.message_id = "m-agreement";
  agreement.envelope.consumer_pid = id;
  agreement.envelope.provider_pid = "peer-pid";
  agreement.envelope.policy = json::parse(R"({"@id":"agreement-1","@type":"Agreement","target":"asset-1",)"
                                          R"("timestamp":"2026-01-31T12:00:00Z","assigner":"peer",)"
                                          R"("assignee":"did:web:alice","permission":[{"action":"use"}]})")
                                  ->get_object();
  bed.tell<negotiation>("alice", id, agreement);
  bed.tell<negotiation>("alice", id, negotiation::delivered{message(2), ""});
  negotiation::receive_message finalized;
  finalized.counterparty_id = "peer";
  finalized.envelope.type = dsp::negotiation_message::finalized;
  finalized.envelope.message_id = "m-finalized";
  finalized.envelope.consumer_pid = id;
  finalized.envelope.provider_pid = "peer-pid";
  bed.tell<negotiation>("alice", id, finalized);
  return "agreement-1";
}

/// The peer takes our request and starts; the address holds this token.
void run(test_bed& bed, const std::string& id, const std::string& token) {
  bed.tell<transfer_process>("alice", id,
                             transfer_process::delivered{control_plane::derive_message_id(id, 1), "peer-transfer"});
  dsp::data_address address{"https://w3id.org/idsa/v4.1/HTTP",
                            "https://peer.example/api/public/f1",
                            {{"authorization", token}, {"authType", "bearer"}}};
  transfer_process::receive_message start;
  start.counterparty_id = "peer";
  start.envelope.type = dsp::transfer_message::start;
  start.envelope.message_id = "m-start";
  start.envelope.consumer_pid = id;
  start.envelope.provider_pid = "peer-transfer";
  start.sealed_address = *bed.vault().seal(tenant("alice"), json::write(dsp::write_data_address(address)));
  start.envelope.address = address;
  bed.tell<transfer_process>("alice", id, start);
}

} // namespace

TEST_CASE("a contract negotiation goes from request to agreement and shows what the reference names") {
  test_bed bed;
  bed.add_participant("alice");
  auto made = bed.send("alice", "POST", "participants/alice/contractnegotiations",
                       contract_request(R"(,"callbackAddresses":[{"@type":"CallbackAddress","uri":"https://cb",)"
                                        R"("events":["contract"],"transactional":false,"authKey":"x"}])"));
  REQUIRE(made.status == 200);
  const auto id = made.text("@id");
  const auto path = "participants/alice/contractnegotiations/" + id;
  auto got = bed.send("alice", "GET", path);
  REQUIRE(got.status == 200);
  CHECK(got.text("@type") == "ContractNegotiation");
  CHECK(got.text("type") == "CONSUMER");
  CHECK(got.text("state") == "REQUESTING");
  CHECK(got.text("protocol") == "closed");
  CHECK(got.text("profile") == "closed");
  CHECK(got.text("counterPartyId") == "peer");
  CHECK(got.text("counterPartyAddress") == peer);
  CHECK(got.text("assetId") == "asset-1");
  CHECK(json::write(got.object().at("callbackAddresses")) ==
        R"([{"@type":"CallbackAddress","uri":"https://cb","events":["contract"],"transactional":false}])");
  CHECK_FALSE(got.object().contains("contractAgreementId"));
  CHECK_FALSE(got.object().contains("causes"));
  CHECK(
      json::write(bed.send("alice", "GET", path + "/state").body) ==
      R"({"@context":["https://w3id.org/edc/connector/management/v2"],"@type":"NegotiationState","state":"REQUESTING"})");
  CHECK(bed.send("alice", "GET", path + "/agreement").status == 404);
  CHECK(bed.send("alice", "DELETE", path).status == 409);

  const auto agreement = conclude(bed, id);
  await_status(bed, path, "FINALIZED");
  auto signed_one = bed.send("alice", "GET", path + "/agreement");
  REQUIRE(signed_one.status == 200);
  CHECK(signed_one.text("@id") == agreement);
  CHECK(signed_one.text("@type") == "ContractAgreement");
  CHECK(signed_one.text("providerId") == "peer");
  CHECK(signed_one.text("consumerId") == "did:web:alice");
  CHECK(json::integer_at(signed_one.object(), "contractSigningDate") == 1769860800);
  CHECK(json::write(bed.send("alice", "GET", "participants/alice/contractagreements/" + agreement).body) ==
        json::write(signed_one.body));
  CHECK(bed.send("alice", "GET", "participants/alice/contractagreements/" + agreement + "/negotiation").text("@id") ==
        id);
  CHECK(bed.send("alice", "POST", "participants/alice/contractagreements/request").body.get_array().size() == 1);
  CHECK(bed.send("alice", "POST", path + "/terminate", test_bed::typed("TerminateNegotiation", R"("reason":"x")"))
            .status == 409);
  CHECK(bed.send("alice", "DELETE", path).status == 409);
  for (const char* state : {"\"FINALIZED\"", "1200"}) {
    auto found =
        bed.send("alice", "POST", "participants/alice/contractnegotiations/request",
                 test_bed::typed("QuerySpec", std::string(R"("sortField":"createdAt","sortOrder":"DESC",)"
                                                          R"("filterExpression":[{"@type":"Criterion",)"
                                                          R"("operandLeft":"state","operator":"=","operandRight":)") +
                                                  state + "}]"));
    REQUIRE(found.status == 200);
    CHECK(found.body.get_array().size() == 1);
  }
}

TEST_CASE("a negotiation is terminated, then removed and no longer there") {
  test_bed bed;
  bed.add_participant("alice");
  const auto id = bed.send("alice", "POST", "participants/alice/contractnegotiations", contract_request()).text("@id");
  const auto path = "participants/alice/contractnegotiations/" + id;
  CHECK(bed.send("alice", "POST", path + "/terminate", test_bed::typed("TerminateNegotiation", R"("reason":"no more")"))
            .status == 204);
  await_status(bed, path, "TERMINATED");
  CHECK(bed.send("alice", "GET", path).text("errorDetail") == "no more");
  CHECK(bed.send("alice", "DELETE", path).status == 204);
  CHECK(bed.send("alice", "GET", path).status == 404);
  CHECK(bed.send("alice", "POST", "participants/alice/contractnegotiations/request").body.get_array().empty());
}

TEST_CASE("a contract request that cannot be acted on is refused with what is wrong and where") {
  test_bed bed;
  bed.add_participant("alice");
  const std::string address = R"("counterPartyAddress":")" + peer + "\"";
  const std::string profile = R"(,"profile":"closed",)";
  struct row {
    std::string members;
    const char* path;
  };
  for (const auto& r : {
           row{R"("profile":"closed",)" + offer(), "counterPartyAddress"},
           row{R"("counterPartyAddress":"ftp://x","profile":"closed",)" + offer(), "counterPartyAddress"},
           row{address + "," + offer(), "profile"},
           row{address + R"(,"profile":"closed","protocol":"closed",)" + offer(), "profile"},
           row{address + R"(,"profile":"other",)" + offer(), "profile"},
           row{address + R"(,"protocol":"unknown",)" + offer(), "protocol"},
           row{address + R"(,"profile":"closed")", "policy"},
           row{address + profile +
                   R"("policy":{"@type":"Set","@id":"o","assigner":"p","target":"t","permission":[{"action":"use"}]})",
               "policy.@type"},
           row{address + profile +
                   R"("policy":{"@type":"Offer","assigner":"p","target":"t","permission":[{"action":"use"}]})",
               "policy.@id"},
           row{address + profile +
                   R"("policy":{"@type":"Offer","@id":"o","target":"t","permission":[{"action":"use"}]})",
               "policy.assigner"},
           row{address + profile + R"("policy":{"@type":"Offer","@id":"o","assigner":"p","target":"t"})", "policy"},
           row{address + profile + offer(R"(,"surprise":1)"), "policy"},
           row{address + profile + offer() + R"(,"callbackAddresses":[{"uri":"x"}])", "callbackAddresses[0].events"},
       }) {
    auto got = bed.send("alice", "POST", "participants/alice/contractnegotiations",
                        test_bed::typed("ContractRequest", r.members));
    INFO(std::string(r.members));
    CHECK(got.status == 400);
    CHECK(got.error("path") == r.path);
  }
  CHECK(bed.send("alice", "POST", "participants/alice/contractnegotiations/request").body.get_array().empty());
}

TEST_CASE("an idempotency key gives one negotiation, and a conflict for another request") {
  test_bed bed;
  bed.add_participant("alice");
  const gateway::http_headers key{{"idempotency-key", "n1"}};
  const std::string path = "participants/alice/contractnegotiations";
  auto first = bed.send("alice", "POST", path, contract_request(), key);
  auto second = bed.send("alice", "POST", path, contract_request(), key);
  REQUIRE(first.status == 200);
  CHECK(json::write(first.body) == json::write(second.body));
  CHECK(bed.send("alice", "POST", path, contract_request(R"(,"callbackAddresses":[])"), key).status == 409);
  CHECK(bed.send("alice", "POST", path + "/request").body.get_array().size() == 1);
}

TEST_CASE("another tenant's process looks exactly like one that does not exist") {
  test_bed bed;
  bed.add_participant("alice");
  bed.add_participant("bob");
  const auto id = bed.send("alice", "POST", "participants/alice/contractnegotiations", contract_request()).text("@id");
  const auto missing = bed.runtime->fresh_id(tenant("alice")).text();
  const auto without = [](std::string text, const std::string& id) {
    const auto at = text.find(id);
    return at == std::string::npos ? text : text.replace(at, id.size(), "ID");
  };
  for (const char* kind : {"contractnegotiations/", "transferprocesses/"}) {
    for (auto [method, tail, body] :
         {std::tuple{"GET", "", ""}, std::tuple{"GET", "/state", ""}, std::tuple{"POST", "/terminate", ""}}) {
      const std::string base = std::string("participants/bob/") + kind;
      auto foreign = bed.send("bob", method, base + id + tail, body);
      auto nothing = bed.send("bob", method, base + missing + tail, body);
      auto no_uuid = bed.send("bob", method, base + "no-uuid" + tail, body);
      INFO((std::string(kind) + method + tail));
      CHECK(foreign.status == 404);
      CHECK(nothing.status == 404);
      CHECK(no_uuid.status == 404);
      CHECK(without(json::write(foreign.body), id) == without(json::write(nothing.body), missing));
      CHECK(bed.send("bob", method, std::string("participants/alice/") + kind + id + tail, body).status == 403);
    }
  }
  CHECK(bed.send("bob", "DELETE", "participants/bob/contractnegotiations/" + id).status == 404);
  CHECK(bed.send("bob", "GET", "participants/bob/edrs/" + id + "/dataaddress").status == 404);
  CHECK(bed.send("bob", "GET", "participants/alice/edrs/" + id + "/dataaddress").status == 403);
  CHECK(bed.send("alice", "GET", "participants/alice/contractnegotiations/" + id).text("state") == "REQUESTING");
}

TEST_CASE("a transfer runs under an agreement in force, gives its EDR while it runs, and is suspended and terminated") {
  test_bed bed;
  bed.add_participant("alice");
  bed.add_participant("bob");
  const std::string path = "participants/alice/transferprocesses";
  auto unknown = bed.send("alice", "POST", path, transfer_request("agreement-1"));
  CHECK(unknown.status == 400);
  CHECK(unknown.error() == "Contract agreement with id agreement-1 not found");
  const auto negotiation =
      bed.send("alice", "POST", "participants/alice/contractnegotiations", contract_request()).text("@id");
  const auto agreement = conclude(bed, negotiation);
  await_status(bed, "participants/alice/contractnegotiations/" + negotiation, "FINALIZED");
  CHECK(bed.send("bob", "POST", "participants/bob/transferprocesses", transfer_request(agreement)).status == 400);
  CHECK(bed.send("alice", "DELETE", "participants/alice/assets/asset-1").status == 404);
  REQUIRE(bed.send("alice", "POST", "participants/alice/assets",
                   test_bed::typed("Asset", R"("@id":"asset-1","properties":{})"))
              .status == 200);
  auto referenced = bed.send("alice", "DELETE", "participants/alice/assets/asset-1");
  CHECK(referenced.status == 409);
  CHECK(referenced.error().starts_with("Asset asset-1 cannot be deleted as it is referenced by"));

  auto made = bed.send("alice", "POST", path, transfer_request(agreement, R"(,"privateProperties":{"ticket":"7"})"));
  REQUIRE(made.status == 200);
  const auto id = made.text("@id");
  const auto edr = "participants/alice/edrs/" + id + "/dataaddress";
  CHECK(bed.send("alice", "GET", edr).status == 404);
  run(bed, id, "the-token");
  await_status(bed, path + "/" + id, "STARTED");
  auto got = bed.send("alice", "GET", path + "/" + id);
  CHECK(got.text("@type") == "TransferProcess");
  CHECK(got.text("type") == "CONSUMER");
  CHECK(got.text("contractId") == agreement);
  CHECK(got.text("assetId") == "asset-1");
  CHECK(got.text("transferType") == "HttpData-PULL");
  CHECK(got.text("correlationId") == "peer-transfer");
  CHECK_FALSE(got.object().contains("sealedAddress"));
  CHECK(bed.send("alice", "GET", path + "/" + id + "/state").text("@type") == "TransferState");
  auto found =
      bed.send("alice", "POST", path + "/request",
               test_bed::typed("QuerySpec", R"("filterExpression":[{"@type":"Criterion","operandLeft":)"
                                            R"("privateProperties.ticket","operator":"=","operandRight":"7"}])"));
  CHECK(found.body.get_array().size() == 1);

  auto address = bed.send("alice:transfers:read", "GET", edr);
  REQUIRE(address.status == 200);
  CHECK(address.text("@type") == "DataAddress");
  CHECK(address.text("endpoint") == "https://peer.example/api/public/f1");
  CHECK(address.text("endpointType") == "https://w3id.org/idsa/v4.1/HTTP");
  CHECK(address.text("authorization") == "the-token");
  CHECK(address.text("authType") == "bearer");
  CHECK(bed.send("alice:assets:read", "GET", edr).status == 403);
  auto entries =
      bed.send("alice", "POST", "participants/alice/edrs/request",
               test_bed::typed("QuerySpec", R"("filterExpression":[{"@type":"Criterion","operandLeft":)"
                                            R"("agreementId","operator":"=","operandRight":"agreement-1"}])"));
  REQUIRE(entries.body.is_array());
  REQUIRE(entries.body.get_array().size() == 1);
  const auto& entry = entries.body.get_array()[0].get_object();
  CHECK(json::string_at(entry, "transferProcessId") == id);
  CHECK(json::string_at(entry, "contractNegotiationId") == negotiation);
  CHECK(json::string_at(entry, "providerId") == "peer");
  CHECK(json::write(entries.body).find("the-token") == std::string::npos);
  CHECK(bed.send("bob", "POST", "participants/bob/edrs/request").body.get_array().empty());

  CHECK(bed.send("alice", "POST", path + "/" + id + "/resume").status == 409);
  CHECK(
      bed.send("alice", "POST", path + "/" + id + "/suspend", test_bed::typed("SuspendTransfer", R"("reason":"wait")"))
          .status == 204);
  CHECK(bed.send("alice", "GET", edr).status == 404);
  CHECK(bed.send("alice", "POST", path + "/" + id + "/terminate", test_bed::typed("SuspendTransfer", "")).status ==
        400);
  CHECK(
      bed.send("alice", "POST", path + "/" + id + "/terminate", test_bed::typed("TerminateTransfer", R"("reason":"x")"))
          .status == 204);
}

TEST_CASE("the counterparty's catalog comes back unchanged, asked for with its token") {
  test_bed bed;
  bed.add_participant("alice");
  const std::string body = R"({"@context":["x"],"@type":"Catalog","odd":1.50})";
  bed.peers.answer = actors::http_answer{200, {}, body};
  const std::string common = R"("counterPartyAddress":")" + peer + R"(","counterPartyId":"peer","profile":"closed")";
  auto got = bed.send("alice", "POST", "participants/alice/catalog/request",
                      test_bed::typed("CatalogRequest", common + R"(,"querySpec":{"@type":"QuerySpec","limit":3})"));
  REQUIRE(got.status == 200);
  CHECK(got.text("@type") == "Catalog");
  REQUIRE(bed.peers.calls.size() == 1);
  const auto call = bed.peers.calls[0];
  CHECK(call.method == "POST");
  CHECK(call.url == peer + "/catalog/request");
  CHECK(call.headers[0] == std::pair<std::string, std::string>{"Authorization", "Bearer the-peers-secret"});
  const auto sent = json::parse(call.body)->get_object();
  CHECK(json::string_at(sent, "@type") == "CatalogRequestMessage");
  CHECK(json::write(sent.at("filter")) == R"([{"@type":"QuerySpec","limit":3}])");

  auto one = bed.send("alice", "POST", "participants/alice/catalog/dataset/request",
                      test_bed::typed("DatasetRequest", common + R"(,"@id":"a/1")"));
  CHECK(one.status == 200);
  CHECK(bed.peers.calls.back().method == "GET");
  CHECK(bed.peers.calls.back().url == peer + "/catalog/datasets/a%2F1");
}

TEST_CASE("a catalog that cannot be had is a bad gateway, a wrong request the client's own") {
  test_bed bed;
  bed.add_participant("alice");
  const std::string path = "participants/alice/catalog/request";
  const auto asked = [&](const std::string& id, const std::string& profile) {
    return bed.send("alice", "POST", path,
                    test_bed::typed("CatalogRequest", R"("counterPartyAddress":")" + peer + R"(","counterPartyId":")" +
                                                          id + "\"," + profile));
  };
  const std::string profile = R"("profile":"closed")";
  CHECK(asked("peer", profile).error("type") == "BadGateway");
  bed.peers.answer = actors::http_answer{500, {}, "{}"};
  CHECK(asked("peer", profile).status == 502);
  bed.peers.answer = actors::http_answer{200, {}, "no json"};
  CHECK(asked("peer", profile).status == 502);
  CHECK(asked("stranger", profile).status == 502);
  auto wrong = asked("peer", R"("protocol":"other")");
  CHECK(wrong.status == 400);
  CHECK(wrong.error() == "No profile 'other' for participant 'alice'");
  CHECK(wrong.error("path") == "protocol");
  CHECK(asked("peer", profile + R"(,"querySpec":{"limit":1})").error("path") == "querySpec.@type");
  CHECK(bed.send("alice", "POST", "participants/alice/catalog/dataset/request",
                 test_bed::typed("DatasetRequest", R"("counterPartyAddress":")" + peer +
                                                       R"(","counterPartyId":"peer","profile":"closed")"))
            .error("path") == "@id");
}

TEST_CASE("an endpoint data reference is read from a DSP address and from a flat one") {
  using control_plane::management::flat_address;
  auto flat = flat_address(R"({"type":"t","endpoint":"https://e","authorization":"x"})");
  REQUIRE(flat.has_value());
  CHECK(json::write(*flat) ==
        R"({"@type":"DataAddress","type":"t","endpoint":"https://e","authorization":"x","authType":"bearer"})");
  auto nested =
      flat_address(R"({"@type":"DataAddress","endpointType":"t","endpoint":"https://e","endpointProperties":[)"
                   R"({"@type":"EndpointProperty","name":"authorization","value":"x"}]})");
  REQUIRE(nested.has_value());
  CHECK(json::string_at(*nested, "authorization") == "x");
  CHECK_FALSE(nested->contains("endpointProperties"));
  CHECK_FALSE(flat_address(R"({"endpointType":"t"})").has_value());
  CHECK_FALSE(flat_address("[]").has_value());
}
