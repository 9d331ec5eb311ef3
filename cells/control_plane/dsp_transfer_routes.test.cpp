#include "cells/control_plane/dsp_bed.test.hpp"

#include <atomic>

using namespace fondaco;
using control_plane::dsp_testing::dsp_bed;
using control_plane::dsp_testing::mishap;

namespace {

constexpr const char* canary = "canary-of-the-edr";

/// A data plane that answers as one should; keeps the bodies of starts.
struct played_plane {
  std::mutex mutex;
  std::vector<json::object> starts;
  int start_status = 200;
  std::string state = "STARTED";
  std::string flow_state = "STARTED";

  actors::http_result answer(const actors::http_call& call) {
    std::scoped_lock lock(mutex);
    if (call.url.ends_with("/token"))
      return actors::http_answer{200, {}, R"({"access_token":"plane-secret","expires_in":300})"};
    if (call.url.ends_with("/status"))
      return actors::http_answer{200, {}, R"({"dataFlowId":"f","state":")" + flow_state + "\"}"};
    if (!call.url.ends_with("/dataflows/start"))
      return actors::http_answer{200, {}, ""};
    const auto body = json::parse(call.body)->as_object();
    starts.push_back(body);
    if (start_status != 200)
      return actors::http_answer{start_status, {}, R"([{"message":"the plane is full"}])"};
    const std::string flow(*json::string_at(body, "dataFlowId"));
    const std::string address =
        R"(,"dataAddress":{"@type":"DataAddress","endpointType":"https","endpoint":"https://pull.example","endpointProperties":[{"@type":"EndpointProperty","name":"authorization","value":")" +
        std::string(canary) + "\"}]}";
    return actors::http_answer{200,
                               {},
                               R"({"messageId":"m","dataFlowId":")" + flow + R"(","state":")" + state + "\"" +
                                   (state == "STARTED" ? address : "") + "}"};
  }
  void join(dsp_bed& bed) {
    bed.network.play([this](const actors::http_call& c) { return answer(c); });
  }
};

std::string request_of(const std::string& agreement, const std::string& pid, const std::string& format,
                       const std::string& more = "") {
  return dsp_bed::message("TransferRequestMessage",
                          R"("consumerPid":")" + pid + R"(","agreementId":")" + agreement + R"(","format":")" + format +
                              R"(","callbackAddress":"https://elsewhere.example/dsp")" + more);
}

std::string status_body(const std::string& state, const std::string& more = "") {
  return R"({"messageId":"m","dataFlowId":"f","state":")" + state + "\"" + more + "}";
}

} // namespace

TEST_CASE("a transfer starts the provider's data plane and brings the consumer its address, sealed") {
  dsp_bed bed;
  played_plane plane;
  plane.join(bed);
  bed.add_definition("definition", "anyone", "anyone");
  const auto id = bed.transfer(bed.agree());
  REQUIRE(bed.reaches("consumer", "transfer_process", id, "STARTED"));
  const auto mine = bed.view("consumer", "transfer_process", id);
  const std::string theirs(*json::string_at(mine, "providerPid"));
  REQUIRE(bed.reaches("provider", "transfer_process", theirs, "STARTED"));
  REQUIRE(plane.starts.size() == 1);
  const auto& start = plane.starts[0];
  CHECK(json::string_at(start, "participantId") == "did:web:provider");
  CHECK(json::string_at(start, "counterPartyId") == "did:web:consumer");
  CHECK(json::string_at(start, "processId") == theirs);
  CHECK(json::string_at(start, "datasetId") == "asset-1");
  CHECK(json::string_at(start, "transferType") == "HttpData-PULL");
  CHECK(json::string_at(start, "dataspaceContext") == "closed");
  const auto& metadata = *json::object_at(start, "metadata");
  CHECK(json::string_at(metadata, "region") == "eu");
  CHECK(json::string_at(*json::object_at(metadata, "dataAddress"), "baseUrl") == "https://source.example/asset-1");
  CHECK(bed.network.calls("plane.example")[0].url == "https://plane.example/signals/dataflows/start");

  const std::string sealed(*json::string_at(mine, "sealedAddress"));
  CHECK(sealed.find(canary) == std::string::npos);
  const auto address = control_plane::open_address(bed.vault(), tenant("consumer"), sealed);
  REQUIRE((address && *address));
  CHECK((*address)->endpoint == "https://pull.example");
  CHECK((*address)->properties[0].second == canary);
  CHECK(json::write(bed.view("provider", "transfer_process", theirs)).find("source.example") == std::string::npos);

  SUBCASE("the plane's completion completes both sides") {
    const auto got =
        bed.send("POST", "/api/signaling/transfers/" + theirs + "/dataflow/completed", status_body("COMPLETED"), "");
    CHECK(got.status == 200);
    CHECK(bed.reaches("provider", "transfer_process", theirs, "COMPLETED"));
    CHECK(bed.reaches("consumer", "transfer_process", id, "COMPLETED"));
  }
  SUBCASE("the consumer's suspension and resumption reach the plane") {
    bed.tell<control_plane::transfer_process>("consumer", id, control_plane::transfer_process::suspend{"lunch"});
    REQUIRE(bed.reaches("provider", "transfer_process", theirs, "SUSPENDED"));
    REQUIRE(bed.network.wait([&] { return !bed.network.calls("/suspend").empty(); }));
    CHECK(bed.network.calls("/suspend")[0].url == "https://plane.example/signals/dataflows/" + theirs + "/suspend");
  }
  SUBCASE("the plane reads the agreement") {
    const auto got = bed.send("GET", "/api/signaling/transfers/" + theirs + "/agreement", "", "");
    CHECK(got.status == 200);
    CHECK(got.text("@type") == "Agreement");
    CHECK(got.text("target") == "asset-1");
    CHECK(got.body.contains("@context"));
  }
  SUBCASE("an error on the wire is kept as a cause and told to nobody") {
    const auto got = bed.send("POST", "/api/signaling/transfers/" + theirs + "/dataflow/errored",
                              status_body("STARTED", R"(,"error":"the disk is gone")"), "");
    CHECK(got.status == 200);
    const auto view = bed.view("provider", "transfer_process", theirs);
    CHECK(json::write(view).find("the disk is gone") != std::string::npos);
    CHECK(bed.row("provider", "transfer_process", theirs)->status == "STARTED");
  }
  CHECK(bed.log().find(canary) == std::string::npos);
  CHECK(bed.log().find("-token") == std::string::npos);
}

TEST_CASE("a plane that starts later calls back, and only then the consumer is told") {
  dsp_bed bed;
  played_plane plane;
  plane.state = "STARTING";
  plane.join(bed);
  bed.add_definition("definition", "anyone", "anyone");
  const auto id = bed.transfer(bed.agree());
  REQUIRE(bed.reaches("consumer", "transfer_process", id, "REQUESTED"));
  const std::string theirs(*json::string_at(bed.view("consumer", "transfer_process", id), "providerPid"));
  REQUIRE(bed.reaches("provider", "transfer_process", theirs, "STARTUP_REQUESTED"));
  const auto body = status_body(
      "STARTED",
      R"(,"dataAddress":{"endpointType":"https","endpoint":"https://later.example","endpointProperties":[{"name":"authorization","value":"x"}]})");
  CHECK(bed.send("POST", "/api/signaling/transfers/" + theirs + "/dataflow/started", body, "").status == 200);
  REQUIRE(bed.reaches("consumer", "transfer_process", id, "STARTED"));
  const std::string sealed(*json::string_at(bed.view("consumer", "transfer_process", id), "sealedAddress"));
  const auto address = control_plane::open_address(bed.vault(), tenant("consumer"), sealed);
  REQUIRE((address && *address));
  CHECK((*address)->endpoint == "https://later.example");
}

TEST_CASE("a plane that refuses the start ends the transfer on both sides with its reason") {
  dsp_bed bed;
  played_plane plane;
  plane.start_status = 409;
  plane.join(bed);
  bed.add_definition("definition", "anyone", "anyone");
  const auto id = bed.transfer(bed.agree());
  REQUIRE(bed.reaches("consumer", "transfer_process", id, "TERMINATED"));
  const std::string theirs(*json::string_at(bed.view("consumer", "transfer_process", id), "providerPid"));
  REQUIRE(bed.reaches("provider", "transfer_process", theirs, "TERMINATED"));
  const auto causes = json::write(*json::array_at(bed.view("provider", "transfer_process", theirs), "causes"));
  CHECK(causes.find("the plane is full") != std::string::npos);
  CHECK(causes.find("data_plane") != std::string::npos);
}

TEST_CASE("a request and a start whose answers were lost make one transfer and one flow") {
  dsp_bed bed;
  played_plane plane;
  plane.join(bed);
  bed.add_definition("definition", "anyone", "anyone");
  const auto agreement = bed.agree();
  bed.network.expect("/transfers/request", mishap::answer_lost);
  bed.network.expect("/dataflows/start", mishap::answer_lost);
  const auto id = bed.transfer(agreement);
  REQUIRE(bed.reaches("consumer", "transfer_process", id, "STARTED"));
  CHECK(bed.rows("provider", "transfer_process").size() == 1);
  // A plane tells a repeat from a second start by its message id.
  REQUIRE(plane.starts.size() == 2);
  CHECK(json::string_at(plane.starts[0], "messageId") == json::string_at(plane.starts[1], "messageId"));
}

TEST_CASE("transfer requests are judged by agreement, counterparty, format and address") {
  dsp_bed bed;
  played_plane plane;
  plane.join(bed);
  bed.add_definition("definition", "anyone", "anyone");
  const auto agreement = bed.agree();
  struct row {
    std::string body;
    int status;
  };
  const std::string address = R"(,"dataAddress":{"@type":"DataAddress","endpointType":"x"})";
  const row table[] = {
      {request_of("unknown", "c-1", "HttpData-PULL"), 404},
      {request_of(agreement, "c-2", "S3-PUSH", address), 400},
      {request_of(agreement, "c-3", "HttpData-PULL", address), 400},
      {request_of(agreement, "c-4", "Other-PULL"), 400},
      {dsp_bed::message("TransferRequestMessage", R"("consumerPid":"c-5")"), 400},
      {request_of(agreement, "c-6", "HttpData-PULL"), 201},
      {request_of(agreement, "c-6", "HttpData-PULL"), 200},
  };
  for (const auto& r : table) {
    CAPTURE(r.body);
    const auto got = bed.dsp("POST", "transfers/request", r.body);
    CHECK(got.status == r.status);
    CHECK(got.text("@type") == (r.status > 299 ? "TransferError" : "TransferProcess"));
    CHECK_FALSE(got.text("consumerPid").empty());
  }
  bed.add_participant("provider", "spy", "{}");
  CHECK(bed.dsp("POST", "transfers/request", request_of(agreement, "s-1", "HttpData-PULL"), "spy-token").status == 404);
}

TEST_CASE("an agreement whose policy does not hold any more starts nothing") {
  dsp_bed bed;
  bed.add_policy("eu-only", R"({"@type":"Set","permission":[{"action":"use","constraint":[)"
                            R"({"leftOperand":"attribute.region","operator":"eq","rightOperand":"eu"}]}]})");
  bed.add_definition("definition", "anyone", "eu-only");
  const auto agreement = bed.agree();
  bed.add_participant("provider", "consumer", "{\"region\":\"us\"}");
  const auto got = bed.dsp("POST", "transfers/request", request_of(agreement, "c-1", "HttpData-PULL"));
  CHECK(got.status == 409);
  CHECK(got.reasons().find("attribute.region") != std::string::npos);
  CHECK(bed.rows("provider", "transfer_process").empty());
}

TEST_CASE("messages that do not fit a transfer are refused and change nothing") {
  dsp_bed bed;
  played_plane plane;
  plane.state = "STARTING";
  plane.join(bed);
  bed.add_definition("definition", "anyone", "anyone");
  const auto made = bed.dsp("POST", "transfers/request", request_of(bed.agree(), "c-1", "HttpData-PULL"));
  REQUIRE(made.status == 201);
  const auto pid = made.text("providerPid");
  const auto ids = R"("consumerPid":"c-1","providerPid":")" + pid + "\"";
  const auto at = "transfers/" + pid;
  CHECK(bed.dsp("POST", at + "/completion", dsp_bed::message("TransferCompletionMessage", ids)).status == 400);
  CHECK(bed.dsp("POST", at + "/suspension", dsp_bed::message("TransferSuspensionMessage", ids)).status == 400);
  CHECK(bed.dsp("POST", at + "/start", dsp_bed::message("TransferStartMessage", ids)).status == 400);
  CHECK(bed.dsp("POST", at + "/start", dsp_bed::message("TransferCompletionMessage", ids)).status == 400);
  CHECK(bed.dsp("POST", "transfers/p-9/start", dsp_bed::message("TransferStartMessage", ids)).status == 400);
  const auto unknown = bed.runtime->fresh_id(tenant("provider")).text();
  CHECK(bed.dsp("GET", "transfers/" + unknown).status == 404);
  CHECK(bed.dsp("GET", "transfers/p-9").status == 404);
  const auto state = bed.dsp("GET", at);
  CHECK(state.text("@type") == "TransferProcess");
  CHECK(state.text("state") == "REQUESTED");
  CHECK(bed.dsp("POST", at + "/termination", dsp_bed::message("TransferTerminationMessage", ids)).status == 200);
  CHECK(bed.dsp("GET", at).text("state") == "TERMINATED");
}

TEST_CASE("callbacks come from this machine, for a transfer that is known, in its state") {
  dsp_bed bed;
  played_plane plane;
  plane.join(bed);
  bed.add_definition("definition", "anyone", "anyone");
  const auto id = bed.transfer(bed.agree());
  REQUIRE(bed.reaches("consumer", "transfer_process", id, "STARTED"));
  const std::string theirs(*json::string_at(bed.view("consumer", "transfer_process", id), "providerPid"));
  const auto call = [&](const std::string& transfer, const std::string& what, const std::string& body,
                        const std::string& remote = "127.0.0.1") {
    return bed.send("POST", "/api/signaling/transfers/" + transfer + "/dataflow/" + what, body, "", {}, remote).status;
  };
  const auto unknown = bed.runtime->fresh_id(tenant("provider")).text();
  CHECK(call(theirs, "completed", status_body("COMPLETED"), "10.0.0.7") == 401);
  CHECK(call(unknown, "completed", status_body("COMPLETED"), "10.0.0.7") == 401);
  CHECK(call(unknown, "completed", status_body("COMPLETED")) == 404);
  CHECK(call("nonsense", "completed", status_body("COMPLETED")) == 404);
  // A consumer without a data plane of its own takes no callbacks.
  CHECK(call(id, "completed", status_body("COMPLETED")) == 404);
  CHECK(call(theirs, "errored", "{") == 400);
  CHECK(call(theirs, "started", status_body("STARTED")) == 200);
  CHECK(bed.send("GET", "/api/signaling/transfers/" + unknown + "/agreement", "", "").status == 404);
  bed.tell<control_plane::transfer_process>("consumer", id, control_plane::transfer_process::terminate{"enough", ""});
  REQUIRE(bed.reaches("provider", "transfer_process", theirs, "TERMINATED"));
  CHECK(call(theirs, "completed", status_body("COMPLETED")) == 409);
  bed.add_plane(R"(,"authorization":{"type":"oauth2_client_credentials"})");
  CHECK(call(theirs, "completed", status_body("COMPLETED")) == 401);
}

TEST_CASE("a plane with client credentials is called with a token that is fetched once") {
  dsp_bed bed;
  played_plane plane;
  plane.join(bed);
  const auto sealed = bed.vault().seal(
      tenant("provider"),
      R"({"type":"oauth2_client_credentials","tokenEndpoint":"https://idp.example/token","clientId":"a b","clientSecret":"s&cret"})");
  REQUIRE(sealed.has_value());
  bed.add_plane(R"(,"authorization":")" + *sealed + "\"");
  bed.add_definition("definition", "anyone", "anyone");
  const auto agreement = bed.agree();
  for (int i = 0; i < 2; ++i)
    REQUIRE(bed.reaches("consumer", "transfer_process", bed.transfer(agreement), "STARTED"));
  const auto fetched = bed.network.calls("idp.example/token");
  REQUIRE(fetched.size() == 1);
  CHECK(fetched[0].body == "grant_type=client_credentials&client_id=a%20b&client_secret=s%26cret");
  for (const auto& call : bed.network.calls("/dataflows/start")) {
    const auto found = std::ranges::find(call.headers, "Authorization", &std::pair<std::string, std::string>::first);
    REQUIRE(found != call.headers.end());
    CHECK(found->second == "Bearer plane-secret");
  }
  CHECK(bed.log().find("plane-secret") == std::string::npos);
  CHECK(bed.log().find("s&cret") == std::string::npos);
}

TEST_CASE("a plane with an authorization that is not supported ends the transfer and says so") {
  dsp_bed bed;
  bed.add_plane(R"(,"authorization":{"type":"oauth2_token_exchange"})");
  bed.add_definition("definition", "anyone", "anyone");
  const auto id = bed.transfer(bed.agree());
  REQUIRE(bed.reaches("consumer", "transfer_process", id, "TERMINATED"));
  const auto rows = bed.rows("provider", "transfer_process");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].view.find("oauth2_token_exchange") != std::string::npos);
}
