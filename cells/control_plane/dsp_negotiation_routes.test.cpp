#include "cells/control_plane/dsp_bed.test.hpp"

#include <algorithm>

using namespace fondaco;
using control_plane::negotiation;
using control_plane::dsp_testing::dsp_bed;
using control_plane::dsp_testing::mishap;

namespace {

constexpr const char* region_is_us =
    R"({"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":"attribute.region","operator":"eq","rightOperand":"us"}]}]})";

std::string request_of(const json::object& offer, const std::string& consumer_pid) {
  return dsp_bed::message("ContractRequestMessage", R"("consumerPid":")" + consumer_pid + R"(","offer":)" +
                                                        json::write(offer) +
                                                        R"(,"callbackAddress":"https://elsewhere.example/dsp")");
}

std::string pids(const std::string& consumer, const std::string& provider) {
  return R"("consumerPid":")" + consumer + R"(","providerPid":")" + provider + "\"";
}

} // namespace

TEST_CASE("two participants agree on an offer over the protocol and both keep the agreement") {
  dsp_bed bed;
  bed.add_definition("definition", "anyone", "anyone");
  const auto id = bed.negotiate(bed.offer_for("asset-1"));
  REQUIRE(bed.reaches("consumer", "negotiation", id, "FINALIZED"));
  const auto mine = bed.view("consumer", "negotiation", id);
  const std::string theirs(*json::string_at(mine, "providerPid"));
  REQUIRE(bed.reaches("provider", "negotiation", theirs, "FINALIZED"));
  const std::string agreement(*json::string_at(mine, "contractAgreementId"));
  for (const auto* side : {"consumer", "provider"}) {
    const auto found = bed.documents().get({tenant(side), "contract_agreement", agreement});
    REQUIRE((found && *found));
    const auto body = json::parse((*found)->body)->as_object();
    CHECK(json::string_at(body, "consumerId") == "did:web:consumer");
    CHECK(json::string_at(body, "providerId") == "did:web:provider");
    CHECK(json::string_at(body, "assetId") == "asset-1");
  }
  const auto state = bed.dsp("GET", "negotiations/" + theirs);
  CHECK(state.status == 200);
  CHECK(state.text("state") == "FINALIZED");
  CHECK(state.text("consumerPid") == id);
  for (const auto& call : bed.network.calls("/negotiations/"))
    CHECK(call.traceparent.starts_with("00-"));
  CHECK(bed.log().find("-token") == std::string::npos);
}

TEST_CASE("a first request whose answer was lost leads to one negotiation only") {
  dsp_bed bed;
  bed.add_definition("definition", "anyone", "anyone");
  bed.network.expect("/negotiations/request", mishap::answer_lost);
  bed.network.expect("/agreement/verification", mishap::not_connected);
  bed.network.expect("/agreement/verification", mishap::answer_lost);
  const auto id = bed.negotiate(bed.offer_for("asset-1"));
  REQUIRE(bed.reaches("consumer", "negotiation", id, "FINALIZED"));
  CHECK(bed.rows("provider", "negotiation").size() == 1);
  CHECK(bed.network.calls("/negotiations/request").size() >= 1);
}

TEST_CASE("a repeated first request is answered with the same process and 200") {
  dsp_bed bed;
  bed.add_definition("definition", "anyone", "anyone");
  const auto body = request_of(bed.offer_for("asset-1"), "c-1");
  const auto first = bed.dsp("POST", "negotiations/request", body);
  CHECK(first.status == 201);
  CHECK(first.text("state") == "REQUESTED");
  CHECK(first.text("consumerPid") == "c-1");
  // Another offer of the same definition and asset is another message, but the same process.
  const auto second = bed.dsp("POST", "negotiations/request", request_of(bed.offer_for("asset-1"), "c-1"));
  CHECK(second.status == 200);
  CHECK(second.text("providerPid") == first.text("providerPid"));
}

TEST_CASE("an offer whose policy refuses the consumer ends its negotiation with the provider's reasons") {
  dsp_bed bed;
  bed.add_policy("us-only", region_is_us);
  bed.add_definition("definition", "anyone", "us-only");
  const auto id = bed.negotiate(bed.offer_for("asset-1"));
  REQUIRE(bed.reaches("consumer", "negotiation", id, "TERMINATED"));
  const auto view = bed.view("consumer", "negotiation", id);
  std::string told;
  for (const auto& cause : *json::array_at(view, "causes"))
    if (json::string_at(cause.as_object(), "side") == "peer")
      told += std::string(*json::string_at(cause.as_object(), "text"));
  CHECK(told.find("attribute.region") != std::string::npos);
  CHECK(told.find("400") != std::string::npos);
  CHECK(bed.rows("provider", "negotiation").empty());
  const auto log = bed.log();
  CHECK(log.find("a contract offer was refused") != std::string::npos);
  CHECK(log.find("audit") != std::string::npos);
}

TEST_CASE("a consumer without a token for its counterparty says so in its causes") {
  dsp_bed bed;
  bed.add_definition("definition", "anyone", "anyone");
  const auto offer = bed.offer_for("asset-1");
  bed.add_participant("consumer", "somebody-else", "{}");
  const auto id = bed.negotiate(offer);
  REQUIRE(bed.reaches("consumer", "negotiation", id, "TERMINATED"));
  const auto causes = json::write(*json::array_at(bed.view("consumer", "negotiation", id), "causes"));
  CHECK(causes.find("No token is configured") != std::string::npos);
  CHECK(bed.network.calls("/negotiations/request").empty());
}

TEST_CASE("first requests are judged by offer, definition, asset and target") {
  dsp_bed bed;
  bed.add_policy("us-only", region_is_us);
  bed.add_asset("asset-2");
  bed.add_definition("for-1", "anyone", "anyone", "asset-1");
  bed.add_definition("hidden", "us-only", "anyone", "asset-1");
  bed.add_definition("no-policy", "anyone", "missing", "asset-1");
  struct row {
    const char* offer_id;
    const char* target;
    int status;
    const char* reason;
  };
  const row table[] = {
      {"for-1:asset-1:raw", "asset-1", 201, ""},
      {"for-1:asset-1:raw", "asset-2", 400, "offer.target"},
      {"for-1:asset-2:raw", "asset-2", 404, "no such offer"},
      {"for-1:asset-3:raw", "asset-3", 404, "no such offer"},
      {"unknown:asset-1:raw", "asset-1", 404, "no such offer"},
      {"no-policy:asset-1:raw", "asset-1", 404, "no such offer"},
      {"hidden:asset-1:raw", "asset-1", 400, "access policy"},
      {"nonsense", "asset-1", 404, "no such offer"},
  };
  int n = 0;
  for (const auto& r : table) {
    CAPTURE(r.offer_id);
    json::object offer{{"@id", r.offer_id}, {"@type", "Offer"}, {"target", r.target}};
    offer["permission"] = json::array{json::object{{"action", "use"}}};
    const auto got = bed.dsp("POST", "negotiations/request", request_of(offer, "c-" + std::to_string(n++)));
    CHECK(got.status == r.status);
    if (r.status == 201)
      continue;
    CHECK(got.text("@type") == "ContractNegotiationError");
    CHECK(got.text("code") == std::to_string(r.status));
    CHECK(got.text("consumerPid") == "c-" + std::to_string(n - 1));
    CHECK(got.reasons().find(r.reason) != std::string::npos);
  }
}

TEST_CASE("messages that do not fit are refused with the protocol's error and change nothing") {
  dsp_bed bed;
  // The agreement waits, so that the negotiation stays as the request made it.
  bed.add_participant("provider", "consumer", "{}", "closed", {{"fondaco.dsp.reaction.delay.ms", "600000"}});
  bed.add_definition("definition", "anyone", "anyone");
  const auto made = bed.dsp("POST", "negotiations/request", request_of(bed.offer_for("asset-1"), "c-1"));
  REQUIRE(made.status == 201);
  const auto pid = made.text("providerPid");
  const auto good = pids("c-1", pid), stranger = pids("c-1", "p-9");
  const auto unknown = bed.runtime->fresh_id(tenant("provider")).text();
  struct row {
    std::string path;
    std::string body;
    int status;
  };
  const auto verification = [](const std::string& ids) {
    return dsp_bed::message("ContractAgreementVerificationMessage", ids);
  };
  const std::vector<row> table{
      {pid + "/agreement/verification", verification(good), 400},
      {pid + "/events", dsp_bed::message("ContractNegotiationEventMessage", good + R"(,"eventType":"FINALIZED")"), 400},
      {pid + "/events", dsp_bed::message("ContractNegotiationEventMessage", good + R"(,"eventType":"NEVER")"), 400},
      {pid + "/agreement/verification", verification(stranger), 400},
      {pid + "/agreement/verification", verification(pids("c-2", pid)), 400},
      {pid + "/agreement/verification", dsp_bed::message("ContractOfferMessage", good), 400},
      {pid + "/agreement/verification", "{", 400},
      {pid + "/agreement/verification", R"({"@type":"x","@type":"y"})", 400},
      {pid + "/agreement/verification", std::string(10'000, '['), 400},
      {unknown + "/agreement/verification", verification(pids("c-1", unknown)), 404},
      {"p-9/agreement/verification", verification(stranger), 404},
      {"offers", dsp_bed::message("ContractOfferMessage", R"("providerPid":"p-9")"), 400},
  };
  for (const auto& r : table) {
    CAPTURE(r.path);
    CAPTURE(r.body.substr(0, 200));
    const auto got = bed.dsp("POST", "negotiations/" + r.path, r.body);
    CHECK(got.status == r.status);
    CHECK(got.text("@type") == "ContractNegotiationError");
    CHECK(got.body.contains("providerPid"));
  }
  const auto other_type = bed.send("POST", "/api/dsp/provider/closed/negotiations/" + pid + "/termination", "x=1",
                                   "consumer-token", {{"content-type", "application/x-www-form-urlencoded"}});
  CHECK(other_type.status == 415);
  CHECK(bed.dsp("GET", "negotiations/" + pid).text("state") == "REQUESTED");
}

TEST_CASE("a negotiation is another counterparty's secret") {
  dsp_bed bed;
  bed.add_definition("definition", "anyone", "anyone");
  const auto made = bed.dsp("POST", "negotiations/request", request_of(bed.offer_for("asset-1"), "c-1"));
  REQUIRE(made.status == 201);
  const auto pid = made.text("providerPid");
  bed.add_participant("provider", "spy", "{}");
  CHECK(bed.dsp("GET", "negotiations/" + pid, "", "spy-token").status == 404);
  const auto end = dsp_bed::message("ContractNegotiationTerminationMessage", pids("c-1", pid));
  CHECK(bed.dsp("POST", "negotiations/" + pid + "/termination", end, "spy-token").status == 404);
}

TEST_CASE("a termination by the consumer is taken with 200 and no body") {
  dsp_bed bed;
  bed.add_definition("definition", "anyone", "anyone");
  const auto made = bed.dsp("POST", "negotiations/request", request_of(bed.offer_for("asset-1"), "c-1"));
  const auto pid = made.text("providerPid");
  const auto end = dsp_bed::message("ContractNegotiationTerminationMessage", pids("c-1", pid) + R"(,"reason":["x"])");
  const auto got = bed.dsp("POST", "negotiations/" + pid + "/termination", end);
  CHECK(got.status == 200);
  CHECK(got.body.empty());
  CHECK(got.header("Content-Type") == "application/json");
  CHECK(bed.dsp("GET", "negotiations/" + pid).text("state") == "TERMINATED");
  CHECK(bed.dsp("POST", "negotiations/" + pid + "/agreement/verification",
                dsp_bed::message("ContractAgreementVerificationMessage", pids("c-1", pid)))
            .status == 400);
}

TEST_CASE("a counterparty with too many open negotiations is answered 429, its repeats are not") {
  dsp_bed bed;
  bed.settings.open_processes_per_counterparty_max = 2;
  bed.add_definition("definition", "anyone", "anyone");
  const auto offer = bed.offer_for("asset-1");
  const auto ask = [&](const std::string& pid) {
    return bed.dsp("POST", "negotiations/request", request_of(offer, pid));
  };
  CHECK(ask("c-1").status == 201);
  CHECK(ask("c-2").status == 201);
  const auto third = ask("c-3");
  CHECK(third.status == 429);
  CHECK_FALSE(third.header("Retry-After").empty());
  CHECK(third.text("@type") == "ContractNegotiationError");
  CHECK(ask("c-1").status == 200);
}
