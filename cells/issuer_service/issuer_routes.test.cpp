#include "cells/issuer_service/issuer_bed.test.hpp"

#include <algorithm>
#include <set>

#include "cells/issuer_service/status_lists.hpp"
#include "protocols/dcp/self_issued.hpp"

using namespace fondaco;
using namespace fondaco::issuer_service;
using namespace fondaco::issuer_service::testing;

namespace {

vc::credential read(const std::string& compact) {
  auto got = vc::read_credential(compact);
  REQUIRE_MESSAGE(got.has_value(), (got ? "" : got.error().detail));
  return got->what;
}

/// The Authorization header's token of a call.
std::string bearer_of(const actors::http_call& call) {
  for (const auto& [name, value] : call.headers)
    if (name == "Authorization")
      return value.substr(7);
  return "";
}

} // namespace

TEST_CASE("a granted request is answered 201 with an absolute Location, and both credentials come in one delivery") {
  issuer_bed b;
  b.fill();
  b.holder_answers(200);
  const auto taken = b.request({"def-1", "def-2"});
  CHECK(taken.status == 201);
  CHECK(taken.raw.empty());
  const auto id = issuer_bed::id_of(taken);
  CHECK(taken.header("Location") == std::string(node_url) + issuance_base + "/requests/" + id);
  REQUIRE(b.reaches(id, "DELIVERED"));
  const auto calls = b.deliveries();
  REQUIRE(calls.size() == 1);
  const auto body = json::parse(calls[0].body)->as_object();
  const auto message = dcp::read_credential_message(json::value(body));
  REQUIRE(message.has_value());
  CHECK(message->issued);
  CHECK(message->issuer_pid == id);
  CHECK(message->holder_pid == "pid-1");
  REQUIRE(message->credentials.size() == 2);
  CHECK(message->credentials[0].credential_type == "MembershipCredential");
  CHECK(message->credentials[1].credential_type == "SensitiveDataCredential");
  CHECK(message->credentials[0].format == "vc11-sl2021/jwt");
  const auto token = dcp::read_self_issued(bearer_of(calls[0]), holder_did, b.services->clock.now());
  REQUIRE_MESSAGE(token.has_value(), (token ? "" : token.error().detail));
  CHECK(token->issuer == own_did);
  CHECK(token->access_token.empty());
}

TEST_CASE("a credential says what its definition and the claims make of it, and verifies") {
  issuer_bed b;
  b.fill();
  b.issue();
  const auto compact = issuer_bed::payloads(b.deliveries().front());
  REQUIRE(compact.size() == 2);
  const auto c = read(compact[0]);
  CHECK(c.issuer == own_did);
  CHECK(c.id.starts_with("urn:uuid:"));
  CHECK(c.types == std::vector<std::string>{"VerifiableCredential", "MembershipCredential"});
  REQUIRE(c.subjects.size() == 1);
  CHECK(json::string_at(c.subjects[0], "id") == holder_did);
  CHECK(json::string_at(c.subjects[0], "holder_name") == "Alice");
  CHECK(*c.valid_until - *c.valid_from == std::chrono::seconds(3600));
  REQUIRE(c.statuses.size() == 1);
  CHECK(c.statuses[0].purpose == "revocation");
  CHECK(c.statuses[0].type == "BitstringStatusListEntry");
  CHECK(c.statuses[0].list_url.starts_with(std::string(node_url) + "/statuslist/"));
  const auto other = read(compact[1]);
  CHECK(other.statuses[0].list_url == c.statuses[0].list_url);
  CHECK(other.statuses[0].index != c.statuses[0].index);
  for (const auto& one : compact) {
    const auto verified = b.finish(identity::verify_credential(*b.services, one));
    CHECK_MESSAGE(verified.has_value(), (verified ? "" : verified.error().detail));
  }
  // Readers of the first data model need objects, not arrays (DCP TCK reference, section 4).
  const auto claims = jose::parse_jwt(compact[0])->claims;
  const auto* model = json::object_at(claims, "vc");
  REQUIRE(model);
  CHECK(json::object_at(*model, "credentialSubject"));
  CHECK(json::object_at(*model, "credentialStatus"));
  CHECK(json::string_at(*model, "issuer") == own_did);
  CHECK(json::string_at(claims, "sub") == holder_did);
}

TEST_CASE("a credential of the second data model is its JWS's payload") {
  issuer_bed b;
  b.fill();
  auto d = issuer_bed::definition("def-3", "InvoiceCredential");
  d["format"] = "vc20-bssl/jwt";
  d["additionalContext"] = json::array{"https://contexts.example/v1"};
  d["jsonSchemaUrl"] = "https://schemas.example/invoice.json";
  d["statusPurposes"] = json::array{"revocation", "suspension"};
  b.add("/credentialdefinitions", d);
  b.issue({"def-3"});
  const auto c = read(issuer_bed::payloads(b.deliveries().front()).front());
  CHECK(c.form == vc::profile::vc20_jose);
  CHECK(c.contexts == std::vector<std::string>{"https://www.w3.org/ns/credentials/v2", "https://contexts.example/v1"});
  REQUIRE(c.statuses.size() == 2);
  CHECK(c.statuses[0].list_url != c.statuses[1].list_url);
  REQUIRE(c.schemas.size() == 1);
  CHECK(c.schemas[0].id == "https://schemas.example/invoice.json");
}

TEST_CASE("a delivery that the holder took is never repeated, one without an answer is, with the same ids") {
  issuer_bed b;
  b.fill();
  b.network.expect("/cs/credentials", mishap::answer_lost);
  b.network.expect("/cs/credentials", mishap::not_connected);
  const auto id = b.issue();
  CHECK(b.deliveries().size() == 2);
  const auto calls = b.network.calls("/cs/credentials");
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].body == calls[1].body);
  CHECK(calls[0].body == calls[2].body);
  CHECK(bearer_of(calls[0]) != bearer_of(calls[2]));
  const auto events = b.journal().read_events({tenant("issuer"), cells::kinds::issuance, id}, 0, 100);
  REQUIRE(events.has_value());
  const auto made =
      std::ranges::count_if(*events, [](const auto& e) { return e.event.type == "issuance.credentials_made"; });
  CHECK(made == 1);
  const auto lists = b.rows(cells::kinds::status_list);
  REQUIRE(lists.size() == 1);
  CHECK(json::integer_at(json::parse(lists[0].view)->as_object(), "allocated") == 2);
}

TEST_CASE("the holder's access token goes back to it, and is nowhere in clear") {
  issuer_bed b;
  b.fill();
  b.holder_answers(200);
  const auto taken = b.send("POST", std::string(issuance_base) + "/credentials", issuer_bed::request_for({"def-1"}),
                            b.world.token(holder_did, own_did, "write-token-of-the-holder"));
  REQUIRE(taken.status == 201);
  const auto id = issuer_bed::id_of(taken);
  REQUIRE(b.reaches(id, "DELIVERED"));
  const auto token = dcp::read_self_issued(bearer_of(b.deliveries().front()), holder_did, b.services->clock.now());
  REQUIRE(token.has_value());
  CHECK(token->access_token == "write-token-of-the-holder");
  const auto compact = issuer_bed::payloads(b.deliveries().front()).front();
  const auto events = b.journal().read_events({tenant("issuer"), cells::kinds::issuance, id}, 0, 100);
  std::string kept = b.log() + b.row(id)->view;
  for (const auto& e : *events)
    kept += e.event.payload;
  for (const auto& d : b.documents(cells::kinds::issued_credential))
    kept += d.body;
  CHECK(kept.find("write-token-of-the-holder") == std::string::npos);
  CHECK(kept.find(compact) == std::string::npos);
  CHECK(kept.find(compact.substr(compact.rfind('.'))) == std::string::npos);
}

TEST_CASE("a request that is not in order is refused as the table says") {
  issuer_bed b;
  b.fill();
  b.add_issuer("other", "did:web:node.example:other");
  b.add("/holders", {{"holderId", "poor"}, {"did", third_did}, {"properties", json::object{{"member", false}}}});
  const auto path = std::string(issuance_base) + "/credentials";
  const auto good = issuer_bed::request_for({"def-1"});
  const auto fresh = [&b](const std::string& who = holder_did) { return b.world.token(who, own_did, ""); };
  CHECK(b.send("POST", path, good).status == 401);
  CHECK(b.send("POST", path, good, "nonsense").status == 401);
  CHECK(b.send("POST", path, good, "", {{"authorization", "bearer " + fresh()}}).status == 401);
  CHECK(b.send("POST", path, good, "", {{"authorization", fresh()}}).status == 401);
  CHECK(b.send("POST", path, good, b.world.token(holder_did, "did:web:node.example:other", "")).status == 401);
  CHECK(b.send("POST", "/api/issuance/v1beta/participants/nobody/credentials", good, fresh()).status == 401);
  b.world.join("did:web:stranger.example");
  CHECK(b.send("POST", path, good, fresh("did:web:stranger.example")).status == 401);
  CHECK(b.send("POST", path, "not json", fresh()).status == 400);
  CHECK(b.send("POST", path, issuer_bed::request_for({}), fresh()).status == 400);
  CHECK(b.send("POST", path, issuer_bed::request_for({"def-1"}, ""), fresh()).status == 400);
  CHECK(b.send("POST", path, issuer_bed::request_for({"def-1", "unknown"}), fresh()).status == 400);
  auto unattested = issuer_bed::definition("def-4", "OtherCredential");
  unattested["attestations"] = json::array();
  b.add("/credentialdefinitions", unattested);
  CHECK(b.send("POST", path, issuer_bed::request_for({"def-4"}), fresh()).status == 400);
  CHECK(b.rows(cells::kinds::issuance).empty());
  const auto poor = b.send("POST", path, good, fresh(third_did));
  CHECK(poor.status == 403);
  CHECK(poor.raw.find("The rule 'member EQ true' does not hold.") != std::string::npos);
  const auto token = fresh();
  b.holder_answers(200);
  CHECK(b.send("POST", path, good, token).status == 201);
  CHECK(b.send("POST", path, good, token).status == 401);
}

TEST_CASE("another issuer's definitions and holders are not there for this one") {
  issuer_bed b;
  b.fill();
  const std::string did = "did:web:node.example:other";
  b.add_issuer("other", did);
  const auto ask = [&] {
    return b.send("POST", "/api/issuance/v1beta/participants/other/credentials", issuer_bed::request_for({"def-1"}),
                  b.world.token(holder_did, did, ""));
  };
  CHECK(ask().status == 401);
  REQUIRE(b.admin("POST", "/holders", json::write(issuer_bed::holder_body()), "admin", "other").status == 201);
  CHECK(ask().status == 400);
}

TEST_CASE("a request that is not granted is kept, so that `why` explains it") {
  issuer_bed b;
  b.fill();
  b.add("/holders", {{"holderId", "poor"}, {"did", third_did}, {"properties", json::object{{"member", true}}}});
  const auto refused = b.request({"def-1"}, "pid-9", third_did);
  CHECK(refused.status == 403);
  const auto rows = b.rows(cells::kinds::issuance);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].status == "REJECTED");
  CHECK(rows[0].view.find("The claim 'name' is required and missing.") != std::string::npos);
  CHECK(b.status_of(rows[0].key.id, third_did).text("status") == "REJECTED");
  CHECK(b.network.calls("/cs/credentials").empty());
}

TEST_CASE("an attestation that is gone refuses") {
  issuer_bed b;
  b.fill();
  CHECK(b.admin("DELETE", "/attestations/holder-properties").status == 204);
  const auto refused = b.request({"def-1"});
  CHECK(refused.status == 403);
  CHECK(refused.raw.find("The attestation 'holder-properties' cannot be had.") != std::string::npos);
}

TEST_CASE("only the requester reads a request's state") {
  issuer_bed b;
  b.fill();
  const auto id = b.issue();
  const auto own = b.status_of(id);
  CHECK(own.status == 200);
  CHECK(own.text("type") == "CredentialStatus");
  CHECK(own.text("status") == "ISSUED");
  CHECK(own.text("issuerPid") == id);
  CHECK(own.text("holderPid") == "pid-1");
  CHECK(b.status_of(id, third_did).status == 404);
  CHECK(b.status_of("not-exist").status == 404);
  CHECK(b.status_of(make_uuid(b.services->clock.now(), 0, 7).text()).status == 404);
  CHECK(b.send("GET", std::string(issuance_base) + "/requests/" + id).status == 401);
  const auto token = b.world.token(holder_did, own_did, "");
  CHECK(b.send("GET", std::string(issuance_base) + "/requests/" + id, "", token).status == 200);
  CHECK(b.send("GET", std::string(issuance_base) + "/requests/" + id, "", token).status == 401);
}

TEST_CASE("a request is RECEIVED until the holder took its credentials, and REJECTED if it refuses them for good") {
  issuer_bed b;
  b.fill();
  b.holder_answers(503);
  const auto waiting = issuer_bed::id_of(b.request({"def-1"}));
  REQUIRE(b.network.wait([&] { return b.deliveries().size() > 2; }));
  CHECK(b.status_of(waiting).text("status") == "RECEIVED");
  CHECK(b.row(waiting)->view.find("last failure: The holder answered 503") != std::string::npos);
  b.holder_answers(200);
  REQUIRE(b.reaches(waiting, "DELIVERED"));
  b.holder_answers(403);
  const auto refused = issuer_bed::id_of(b.request({"def-1"}, "pid-2"));
  REQUIRE(b.reaches(refused, "ERRORED"));
  CHECK(b.status_of(refused).text("status") == "REJECTED");
}

TEST_CASE("a delivery that the holder cannot place is put off, not hammered") {
  issuer_bed b;
  b.fill();
  b.holder_answers(404);
  const auto id = issuer_bed::id_of(b.request({"def-1"}));
  REQUIRE(b.network.wait([&] { return b.row(id)->view.find("The holder answered 404") != std::string::npos; }));
  CHECK(b.deliveries().size() == 1);
  CHECK(b.row(id)->status == "APPROVED");
  CHECK(*b.row(id)->wake - b.row(id)->updated_at == issuer_service::limits::delivery_again_after_ms);
}

TEST_CASE("a holder without a CredentialService ends the issuance") {
  issuer_bed b;
  b.fill();
  b.world[holder_did].document.services.clear();
  const auto id = issuer_bed::id_of(b.request({"def-1"}));
  REQUIRE(b.reaches(id, "ERRORED"));
  CHECK(b.row(id)->view.find("names no CredentialService") != std::string::npos);
}

TEST_CASE("a holder's process id may be used again, unless the setting says that it may not while it is open") {
  issuer_bed b;
  b.fill();
  const auto first = b.issue({"def-1"}), second = b.issue({"def-1"});
  CHECK(first != second);
  b.settings.refuse_duplicate_holder_pid = true;
  b.holder_answers(503);
  const auto open = b.request({"def-1"}, "pid-2");
  REQUIRE(open.status == 201);
  CHECK(b.request({"def-1"}, "pid-2").status == 409);
  b.holder_answers(200);
  REQUIRE(b.reaches(issuer_bed::id_of(open), "DELIVERED"));
  const auto again = b.request({"def-1"}, "pid-2");
  CHECK(again.status == 201);
  CHECK(issuer_bed::id_of(again) != issuer_bed::id_of(open));
  REQUIRE(b.reaches(issuer_bed::id_of(again), "DELIVERED"));
}

TEST_CASE("a request that is repeated with its idempotency key is the same one, in every mode and state") {
  issuer_bed b;
  b.fill();
  for (const bool refusing : {false, true}) {
    b.settings.refuse_duplicate_holder_pid = refusing;
    const auto pid = refusing ? "pid-2" : "pid-1";
    const auto ask = [&](const std::string& key, std::vector<std::string> ids = {"def-1"}) {
      return b.send("POST", std::string(issuance_base) + "/credentials", issuer_bed::request_for(ids, pid),
                    b.world.token(holder_did, own_did, ""), {{"idempotency-key", key}});
    };
    b.holder_answers(503);
    const auto first = ask("k"), again = ask("k");
    REQUIRE(first.status == 201);
    CHECK(again.status == 201);
    CHECK(issuer_bed::id_of(again) == issuer_bed::id_of(first));
    CHECK(ask("other").status == (refusing ? 409 : 201));
    CHECK(ask("k", {"def-2"}).status == (refusing ? 409 : 201));
    b.holder_answers(200);
    REQUIRE(b.reaches(issuer_bed::id_of(first), "DELIVERED"));
    CHECK(issuer_bed::id_of(ask("k")) == issuer_bed::id_of(first));
  }
}

TEST_CASE("metadata is public, whatever token comes with it") {
  issuer_bed b;
  b.fill();
  const auto path = std::string(issuance_base) + "/metadata";
  for (const char* token : {"", "nonsense"}) {
    const auto got = b.send("GET", path, "", token);
    CHECK(got.status == 200);
    const auto metadata = dcp::read_issuer_metadata(got.body);
    REQUIRE(metadata.has_value());
    CHECK(metadata->issuer == own_did);
    REQUIRE(metadata->credentials_supported.size() == 2);
    CHECK(metadata->credentials_supported[0].id == "def-1");
    CHECK(metadata->credentials_supported[0].profile == "vc11-sl2021/jwt");
  }
  CHECK(b.send("GET", "/api/issuance/v1beta/participants/nobody/metadata").status == 404);
}

TEST_CASE("a status list is published signed, or as JSON for who asks so, and unknown ones are not there") {
  issuer_bed b;
  b.fill();
  b.issue();
  const auto url = read(issuer_bed::payloads(b.deliveries().front()).front()).statuses.front().list_url;
  CHECK(url.find("node-1") == std::string::npos);
  const auto path = url.substr(std::string(node_url).size());
  const auto jwt = b.send("GET", path);
  CHECK(jwt.status == 200);
  CHECK(jwt.header("content-type") == "application/vc+jwt");
  const auto list = read(jwt.raw);
  CHECK(list.issuer == own_did);
  CHECK(list.id == url);
  const auto bits = vc::read_status_list(list);
  REQUIRE(bits.has_value());
  CHECK(bits->purpose == "revocation");
  CHECK(bits->bits.size() == 131'072);
  CHECK(jose::parse_jwt(jwt.raw)->claims.contains("vc"));
  CHECK(b.send("GET", path).raw == jwt.raw);
  const auto plain = b.send("GET", path, "", "", {{"accept", "application/json"}});
  CHECK(plain.header("content-type") == "application/json");
  CHECK(plain.text("id") == url);
  CHECK(b.send("GET", path, "", "", {{"accept", "text/html"}}).status == 406);
  CHECK(b.send("GET", "/statuslist/unknown").status == 404);
}

TEST_CASE("places are given once whoever asks, and a repeat gets the same") {
  issuer_bed b;
  const tenant owner("issuer");
  const auto give = [&](std::vector<std::string> keys) {
    const auto got = b.finish(allocate_places(*b.services, owner, "revocation", std::move(keys)));
    REQUIRE(got.has_value());
    return *got;
  };
  std::set<int64_t> all;
  for (int i = 0; i < 20; ++i)
    for (const auto& p : give({"a" + std::to_string(i), "b" + std::to_string(i)}))
      CHECK(all.insert(p.index).second);
  CHECK(give({"a3"}).front().index == 6);
  CHECK(give({"a0", "b19"}).back().index == 39);
  const auto other = b.finish(allocate_places(*b.services, owner, "suspension", {"a3"}));
  CHECK(other->front().list_id != give({"a3"}).front().list_id);
}

TEST_CASE("a full list is followed by another one") {
  issuer_bed b;
  const tenant owner("issuer");
  const auto id = status_list_id(*b.services, owner, "revocation", 0);
  status_list::command small = status_list::allocate{id, "revocation", 0, 8, {"1", "2", "3", "4", "5", "6", "7"}};
  persistence::entity_key key{owner, cells::kinds::status_list, id};
  const auto made = b.finish(actors::ask<status_list>(*b.runtime, b.services->edge, key, b.runtime->shard_for(owner),
                                                      small, milliseconds(5000)));
  REQUIRE(made.has_value());
  const auto places = b.finish(allocate_places(*b.services, owner, "revocation", {"8", "9"}));
  REQUIRE(places.has_value());
  CHECK(places->at(0).list_id == status_list_id(*b.services, owner, "revocation", 1));
  CHECK(places->at(0).index == 0);
  const auto next = b.finish(allocate_places(*b.services, owner, "revocation", {"10"}));
  CHECK(next->at(0).list_id == places->at(0).list_id);
  CHECK(next->at(0).index == 2);
}

TEST_CASE("each message is one line in the log, without tokens and credentials") {
  issuer_bed b;
  b.fill();
  b.issue({"def-1"});
  const auto log = b.log();
  CHECK(log.find("CredentialRequestMessage") != std::string::npos);
  CHECK(log.find("CredentialMessage") != std::string::npos);
  CHECK(log.find("\"category\":\"dcp\"") != std::string::npos);
  CHECK(log.find("eyJ") == std::string::npos);
  CHECK_FALSE(b.traces.named("credential.issuance").empty());
}
