#include "cells/control_plane/dsp_bed.test.hpp"
#include "cells/control_plane/refused_requests.hpp"
#include "cells/identity/dcp_world.test.hpp"
#include "cells/operator/explain.hpp"

using namespace fondaco;
using control_plane::dsp_testing::dsp_bed;
using identity::testing::answer;
using identity::testing::dcp_world;
using identity::testing::issuer_did;
using identity::testing::membership_scope;

namespace {

constexpr const char* provider = "did:web:provider";
constexpr const char* consumer = "did:web:consumer";
constexpr const char* trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr const char* trace_id = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* members_only =
    R"({"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":"MembershipCredential","operator":"eq","rightOperand":"active"}]}]})";
constexpr const char* gold_only =
    R"({"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":"https://w3id.org/dataspace/policy/MembershipCredential.level","operator":"eq","rightOperand":"platinum"}]}]})";
constexpr const char* auditors_only =
    R"({"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":"AuditCredential","operator":"eq","rightOperand":"active"}]}]})";

/// Provider and consumer in a dataspace of memberships; both are members.
struct members_bed {
  members_bed() {
    bed.profile = "members";
    bed.settings.profiles.push_back({"members", cells::identity_mode::dcp, {membership_scope}});
    bed.network.play([this](const actors::http_call& call) { return world(call); });
    for (const auto* did : {provider, consumer}) {
      const std::string id = std::string(did).substr(8);
      auto& p = world.join(did);
      p.credentials = {world.sign(world.membership(did))};
      bed.add_participant(id, "nobody", "{}", "members", dcp_world::sts_entries(did), dcp_world::sts_secrets());
    }
    bed.trust.replace({{issuer_did, {"MembershipCredential"}, {"members"}}});
    bed.add_policy("members-only", members_only);
    bed.add_policy("gold-only", gold_only);
    bed.add_policy("auditors-only", auditors_only);
  }
  /// A request of the consumer with a fresh token.
  control_plane::dsp_testing::answered ask(const std::string& method, const std::string& path,
                                           const std::string& body = "") {
    return bed.dsp(method, path, body, world.token(consumer, provider));
  }
  json::object offer() {
    const auto got = ask("GET", "catalog/datasets/asset-1");
    REQUIRE_MESSAGE(got.status == 200, got.reasons());
    auto out = json::array_at(got.body, "hasPolicy")->at(0).as_object();
    out["target"] = "asset-1";
    out["assigner"] = provider;
    return out;
  }
  std::string request(const json::object& offer, const std::string& pid) const {
    return dsp_bed::message("ContractRequestMessage", R"("consumerPid":")" + pid + R"(","offer":)" +
                                                          json::write(offer) +
                                                          R"(,"callbackAddress":"https://consumer.example/dsp")");
  }
  /// What `why` says at the provider of this id.
  std::string why(const std::string& id) {
    std::string out;
    const auto rows = bed.documents().find_entities(id);
    REQUIRE(rows.has_value());
    for (const auto& row : *rows) {
      if (row.key.owner.id() != "provider")
        continue;
      const auto kept = bed.documents().get(row.key);
      REQUIRE(kept.has_value());
      for (const auto& sentence : cells::explain(row, world.now(), *kept ? &**kept : nullptr))
        out += sentence + "\n";
    }
    return out;
  }

  dcp_world world;
  dsp_bed bed;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("members negotiate and transfer by self-issued tokens and presentations") {
  members_bed b;
  b.bed.add_definition("definition", "members-only", "members-only");
  const auto id = b.bed.negotiate(b.offer());
  REQUIRE(b.bed.reaches("consumer", "negotiation", id, "FINALIZED"));
  const auto mine = b.bed.view("consumer", "negotiation", id);
  const std::string theirs(*json::string_at(mine, "providerPid"));
  REQUIRE(b.bed.reaches("provider", "negotiation", theirs, "FINALIZED"));
  CHECK(json::string_at(b.bed.view("provider", "negotiation", theirs), "counterPartyId") == consumer);
  const std::string agreement(*json::string_at(mine, "contractAgreementId"));
  const auto kept = b.bed.documents().get({tenant("provider"), cells::kinds::contract_agreement, agreement});
  REQUIRE((kept && *kept));
  const auto document = json::parse((*kept)->body);
  REQUIRE(document.has_value());
  const auto* claims = json::object_at(document->get_object(), "claims");
  REQUIRE(claims != nullptr);
  CHECK(json::array_at(*claims, "vc")->size() == 1);
  b.world.play(std::string(control_plane::dsp_testing::plane_url) + "/signals/dataflows/start",
               [](const auto&) { return answer(503, ""); });
  const auto transfer = b.bed.transfer(agreement);
  CHECK(b.bed.network.wait([&] { return b.bed.rows("provider", "transfer_process").size() == 1; }));
  CHECK(b.bed.row("consumer", "transfer_process", transfer).has_value());
}

TEST_CASE("every message has a token of its own, the repeat of one too") {
  members_bed b;
  b.bed.add_definition("definition", "members-only", "members-only");
  const auto offer = b.offer();
  b.bed.network.expect("/negotiations/request", control_plane::dsp_testing::mishap::not_connected);
  const auto id = b.bed.negotiate(offer);
  REQUIRE(b.bed.reaches("consumer", "negotiation", id, "FINALIZED"));
  const auto sent = b.bed.network.calls("/api/dsp/");
  CHECK(b.bed.network.calls("/negotiations/request").size() >= 2);
  std::set<std::string> tokens;
  for (const auto& call : sent)
    for (const auto& [name, value] : call.headers)
      if (name == "Authorization")
        CHECK(tokens.insert(value).second);
  CHECK(tokens.size() == sent.size());
}

TEST_CASE("a catalog request in expanded form without a context is answered to a member") {
  members_bed b;
  const std::string trigger = R"({"@type":"https://w3id.org/dspace/2025/1/CatalogRequestMessage",)"
                              R"("https://w3id.org/dspace/2025/1/filter":{}})";
  CHECK(b.ask("POST", "catalog/request", trigger).status == 200);
}

TEST_CASE("a caller is let in by a self-issued token for this participant, once") {
  members_bed b;
  b.world.join("did:web:third.example");
  const auto body = dsp_bed::message("CatalogRequestMessage", "");
  const auto status = [&](const std::string& token) {
    const auto got = b.bed.dsp("POST", "catalog/request", body, token);
    if (got.status == 401) {
      CHECK(got.header("WWW-Authenticate") == "Bearer");
      CHECK(got.text("@type") == "CatalogError");
      CHECK_FALSE(got.reasons().empty());
    }
    return got.status;
  };
  const auto token = b.world.token(consumer, provider);
  CHECK(status(token) == 200);
  CHECK(status(token) == 401);
  CHECK(status(b.world.token(consumer, "did:web:third.example")) == 401);
  CHECK(status(b.world.token(consumer, provider, "")) == 401);
  CHECK(status("consumer-token") == 401);
  CHECK(status("") == 401);
  const auto lower = b.bed.send("POST", "/api/dsp/provider/members/catalog/request", body, "",
                                {{"authorization", "bearer " + b.world.token(consumer, provider)}});
  CHECK(lower.status == 401);
  CHECK(b.bed.send("POST", "/api/dsp/nobody/members/catalog/request", body, token).status == 404);
}

TEST_CASE("what cannot be told now is answered 503 with the reason") {
  members_bed b;
  b.world.play(b.world[consumer].service() + "/presentations/query", [](const auto&) { return answer(502, ""); });
  const auto got = b.ask("POST", "catalog/request", dsp_bed::message("CatalogRequestMessage", ""));
  CHECK(got.status == 503);
  CHECK_FALSE(got.header("Retry-After").empty());
  CHECK(has(got.reasons(), "credential service"));
}

TEST_CASE("a request without the credential is refused, and both sides can say why") {
  members_bed b;
  b.bed.add_definition("definition", "members-only", "members-only");
  const auto offer = b.offer();
  b.world[consumer].credentials.clear();
  const auto id = b.bed.negotiate(offer);
  REQUIRE(b.bed.reaches("consumer", "negotiation", id, "TERMINATED"));
  const auto causes = json::write(*json::array_at(b.bed.view("consumer", "negotiation", id), "causes"));
  CHECK(has(causes, "answered 401"));
  CHECK(has(causes, "nothing is granted"));
  const auto said = b.why(id);
  CHECK(has(said, "The ContractRequestMessage of did:web:consumer in dataspace profile 'members' was refused at "));
  CHECK(has(said, "This side said: "));
  CHECK(has(said, "nothing is granted"));
  CHECK(b.bed.rows("provider", "negotiation").empty());
}

TEST_CASE("a request that the policy refuses is explained on both sides") {
  members_bed b;
  b.bed.add_definition("definition", "members-only", "auditors-only");
  const auto id = b.bed.negotiate(b.offer());
  REQUIRE(b.bed.reaches("consumer", "negotiation", id, "TERMINATED"));
  const auto causes = json::write(*json::array_at(b.bed.view("consumer", "negotiation", id), "causes"));
  CHECK(has(causes, "presented no verified AuditCredential"));
  CHECK(has(b.why(id), "presented no verified AuditCredential"));
}

TEST_CASE("a claim of a credential decides what a member sees") {
  members_bed b;
  b.bed.add_definition("definition", "gold-only", "members-only");
  CHECK(b.ask("GET", "catalog/datasets/asset-1").status == 404);
  auto c = b.world.membership(consumer);
  c.subjects = {json::object{{"id", consumer}, {"level", "platinum"}}};
  b.world[consumer].credentials = {b.world.sign(c)};
  CHECK(b.ask("GET", "catalog/datasets/asset-1").status == 200);
}

TEST_CASE("a refused catalog request is explained by its correlation id") {
  members_bed b;
  b.bed.traceparent = trace;
  b.world[consumer].credentials.clear();
  CHECK(b.ask("POST", "catalog/request", dsp_bed::message("CatalogRequestMessage", "")).status == 401);
  CHECK(has(b.why(trace_id), "The CatalogRequestMessage of did:web:consumer"));
}

TEST_CASE("a refusal leaves nothing but a log line for callers that proved nothing") {
  members_bed b;
  const auto body = b.request(json::object{{"@id", "d:a:u"}, {"@type", "Offer"}, {"target", "a"}}, "c-1");
  CHECK(b.bed.dsp("POST", "negotiations/request", body, "nonsense").status == 401);
  const auto got = b.bed.dsp("POST", "negotiations/request", body, b.world.token(consumer, consumer));
  CHECK(got.status == 401);
  CHECK(b.bed.rows("provider", cells::kinds::refused_request).empty());
  // The log alone says why.
  CHECK(has(b.bed.log(),
            "\"outcome\":\"401\",\"reason\":\"" + std::string(json::array_at(got.body, "reason")->at(0).as_string())));
}

TEST_CASE("whoever lost its credential may still end a process of its own, and do nothing else") {
  members_bed b;
  b.bed.add_definition("definition", "members-only", "members-only");
  const auto begun = b.ask("POST", "negotiations/request", b.request(b.offer(), "c-1"));
  REQUIRE_MESSAGE(begun.status == 201, begun.reasons());
  const std::string pid(*json::string_at(begun.body, "providerPid"));
  b.world[consumer].credentials.clear();
  b.world.join("did:web:other");
  const auto message = [&](const std::string& type) {
    return dsp_bed::message(type, R"("consumerPid":"c-1","providerPid":")" + pid +
                                      R"(","code":"gone","reason":["It goes."])");
  };
  const auto at = "negotiations/" + pid;
  const auto verification = message("ContractAgreementVerificationMessage");
  CHECK(b.ask("POST", at + "/agreement/verification", verification).status == 401);
  const auto end = message("ContractNegotiationTerminationMessage");
  CHECK(b.bed.dsp("POST", at + "/termination", end, "nonsense").status == 401);
  CHECK(b.bed.dsp("POST", at + "/termination", end, b.world.token("did:web:other", provider)).status == 404);
  const auto ended = b.ask("POST", at + "/termination", end);
  CHECK_MESSAGE(ended.status == 200, ended.reasons());
  CHECK(b.bed.reaches("provider", "negotiation", pid, "TERMINATED"));
  CHECK(has(json::write(b.bed.view("provider", "negotiation", pid)), "It goes."));
}

TEST_CASE("a tenant keeps no more refused requests in a minute than its bound, and the log has the rest") {
  dsp_bed bed;
  control_plane::refused_requests refusals;
  const auto keep = [&](const std::string& id, const std::string& who = "did:web:a") {
    control_plane::refused_request r{id, who, "members", "ContractRequestMessage", {"why"}, "x"};
    return bed.run(refusals.keep(*bed.services, tenant("provider"), std::move(r)));
  };
  CHECK(keep("c-0"));
  CHECK(keep("c-0"));
  // Another counterparty's process id does not hide what was said before, and an id has to be one.
  CHECK_FALSE(keep("c-0", "did:web:b"));
  CHECK_FALSE(keep(""));
  CHECK_FALSE(keep(std::string(600, 'x')));
  size_t kept = 0;
  for (size_t i = 0; i < 2 * control_plane::limits::refused_requests_per_minute_max + 2; ++i)
    kept += keep("n-" + std::to_string(i)) ? 1 : 0;
  // The minute may turn once while this runs.
  CHECK(kept <= 2 * control_plane::limits::refused_requests_per_minute_max);
  CHECK(kept >= control_plane::limits::refused_requests_per_minute_max - 3);
  CHECK(bed.rows("provider", cells::kinds::refused_request).size() == std::min<size_t>(kept + 1, 50));
  CHECK(has(bed.log(), "\"kept\":\"false\""));
}

TEST_CASE("negotiation and transfer of both sides go on in the trace that the client named") {
  members_bed b;
  b.bed.add_definition("definition", "members-only", "members-only");
  b.bed.traceparent = trace;
  const auto id = b.bed.negotiate(b.offer());
  REQUIRE(b.bed.reaches("consumer", "negotiation", id, "FINALIZED"));
  const auto mine = b.bed.view("consumer", "negotiation", id);
  REQUIRE(b.bed.reaches("provider", "negotiation", std::string(*json::string_at(mine, "providerPid")), "FINALIZED"));
  const std::string agreement(*json::string_at(mine, "contractAgreementId"));
  b.bed.transfer(agreement);
  CHECK(b.bed.network.wait([&] { return !b.bed.traces.named("signaling").empty(); }));
  for (const auto& call : b.bed.network.calls("/negotiations/"))
    CHECK(cells::trace_id_of(call.traceparent) == trace_id);
  for (const auto& call : b.bed.network.calls(control_plane::dsp_testing::plane_url))
    CHECK(cells::trace_id_of(call.traceparent) == trace_id);
  for (const auto* name : {"catalog", "negotiation", "credential.presentation", "credential.verification",
                           "policy.evaluation", "transfer", "signaling"}) {
    CAPTURE(name);
    const auto spans = b.bed.traces.named(name);
    CHECK_FALSE(spans.empty());
    for (const auto& span : spans) {
      CHECK(cells::trace_id_of(span.traceparent) == trace_id);
      CHECK(span.begin <= span.end);
    }
  }
  const auto kept = b.bed.documents().get({tenant("consumer"), cells::kinds::contract_agreement, agreement});
  REQUIRE((kept && *kept));
  CHECK(cells::trace_id_of(*json::string_at(json::parse((*kept)->body)->get_object(), "traceparent")) == trace_id);
}

TEST_CASE("a process that began in no trace has its own id as one") {
  dsp_bed bed;
  bed.add_definition("definition", "anyone", "anyone");
  const auto id = bed.negotiate(bed.offer_for("asset-1"));
  REQUIRE(bed.reaches("consumer", "negotiation", id, "FINALIZED"));
  std::string digits;
  for (const char c : id)
    if (c != '-')
      digits += c;
  CHECK(cells::trace_id_of(bed.network.calls("/negotiations/request").at(0).traceparent) == digits);
}
