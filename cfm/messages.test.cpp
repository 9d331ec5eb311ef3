#include <doctest/doctest.h>

#include "cfm/messages.hpp"

using namespace fondaco;
using namespace fondaco::cfm;

namespace {

json::object parsed(std::string_view text) {
  auto v = json::parse(text);
  REQUIRE(v.has_value());
  REQUIRE(v->is_object());
  return v->get_object();
}

orchestration_manifest a_manifest() {
  return {"m-1", "profile-1", std::string(deploy_type), {{keys::participant_id, "did:web:acme.example"}}};
}

orchestration_response a_response() {
  return {"r-1", "m-1", "profile-1", std::string(deploy_type), true, "", {{keys::participant_context_id, "pc"}}};
}

activity_message a_message() {
  return {"o-1", {"a1", "edcv-activity", std::string(deploy_type), {"a0"}}, 3, {{"participantContextId", "pc"}}};
}

activity_result a_result() {
  activity_result r;
  r.orchestration_id = "o-1";
  r.activity_id = "a1";
  r.run = 2;
  r.outcome = activity_outcome::schedule;
  r.wait_ms = milliseconds(250);
  r.values = {{"holderPid", "h"}};
  r.output = {{"holderPid", "h"}};
  r.detail = "The credential request is CREATED.";
  return r;
}

} // namespace

TEST_CASE("the subjects and durable names are those of the CFM's stream") {
  CHECK(subjects::of_activity("edcv-activity") == "event.edcv-activity");
  CHECK(subjects::of_activity("my.own.activity") == "event.my-own-activity");
  CHECK(subjects::durable(subjects::manifest) == "cfm-orchestration");
  CHECK(subjects::durable(subjects::response) == "cfm-orchestration-response");
  CHECK(subjects::durable(subjects::result) == "cfm-activity-result");
  CHECK(subjects::durable(subjects::of_activity("a.b")) == "a-b");
}

TEST_CASE("a manifest is written with CFM's members and read back") {
  const auto m = a_manifest();
  CHECK(parsed(write(m)) == json::object{{"id", "m-1"},
                                         {"correlationId", "profile-1"},
                                         {"orchestrationType", "cfm.orchestration.vpa.deploy"},
                                         {"payload", {{"cfm.participant.id", "did:web:acme.example"}}}});
  const auto read = read_manifest(write(m));
  REQUIRE(read.has_value());
  CHECK(*read == m);
  CHECK(read_manifest(parsed(write(m))) == m);
}

TEST_CASE("a response is read back, and its errorDetail is left out when it is empty") {
  auto r = a_response();
  CHECK_FALSE(parsed(write(r)).contains("errorDetail"));
  CHECK(read_response(write(r)) == r);
  r.success = false;
  r.error_detail = "The activity 'a1' failed: no such issuer.";
  CHECK(json::string_at(parsed(write(r)), "errorDetail") == r.error_detail);
  CHECK(read_response(write(r)) == r);
}

TEST_CASE("an activity message has CFM's capital orchestrationID and is read back") {
  const auto m = a_message();
  const auto o = parsed(write(m));
  CHECK(json::string_at(o, "orchestrationID") == "o-1");
  REQUIRE(json::object_at(o, "activity"));
  CHECK(*json::object_at(o, "activity") == json::object{{"id", "a1"},
                                                        {"type", "edcv-activity"},
                                                        {"discriminator", "cfm.orchestration.vpa.deploy"},
                                                        {"dependsOn", {"a0"}}});
  const auto read = read_activity_message(write(m));
  REQUIRE(read.has_value());
  CHECK(read->orchestration_id == m.orchestration_id);
  CHECK(read->what == m.what);
  CHECK(read->run == m.run);
  CHECK(read->processing_data == m.processing_data);
}

TEST_CASE("an activity message of the original provision manager is the first run, without data") {
  const auto read = read_activity_message(R"({"orchestrationID":"o","activity":{"id":"a","type":"t"}})");
  REQUIRE(read.has_value());
  CHECK(read->run == 1);
  CHECK(read->processing_data.empty());
  CHECK(read->what.depends_on.empty());
}

TEST_CASE("an activity's result is read back with each outcome") {
  for (auto outcome :
       {activity_outcome::complete, activity_outcome::schedule, activity_outcome::retry, activity_outcome::fatal}) {
    auto r = a_result();
    r.outcome = outcome;
    const auto read = read_activity_result(write(r));
    REQUIRE(read.has_value());
    CHECK(read->orchestration_id == r.orchestration_id);
    CHECK(read->activity_id == r.activity_id);
    CHECK(read->run == r.run);
    CHECK(read->outcome == outcome);
    CHECK(read->wait_ms == r.wait_ms);
    CHECK(read->values == r.values);
    CHECK(read->output == r.output);
    CHECK(read->detail == r.detail);
  }
}

TEST_CASE("a message that lacks a field or has a wrong one is refused, and the fault names the field") {
  using reader = std::optional<fault> (*)(const std::string&);
  const auto fault_of = [](auto read) {
    return [](const std::string& text) -> std::optional<fault> {
      auto got = decltype(read)()(text);
      return got ? std::nullopt : std::optional(got.error());
    };
  };
  const reader manifest = fault_of([](const std::string& t) { return read_manifest(std::string_view(t)); });
  const reader response = fault_of([](const std::string& t) { return read_response(t); });
  const reader message = fault_of([](const std::string& t) { return read_activity_message(t); });
  const reader result = fault_of([](const std::string& t) { return read_activity_result(t); });
  struct row {
    reader read;
    std::string good;
    const char* field;
    json::value wrong;
  };
  const row table[] = {
      {manifest, write(a_manifest()), "id", nullptr},
      {manifest, write(a_manifest()), "id", ""},
      {manifest, write(a_manifest()), "correlationId", 7},
      {manifest, write(a_manifest()), "orchestrationType", json::object()},
      {manifest, write(a_manifest()), "payload", json::array()},
      {response, write(a_response()), "id", ""},
      {response, write(a_response()), "manifestId", nullptr},
      {response, write(a_response()), "correlationId", nullptr},
      {response, write(a_response()), "orchestrationType", false},
      {response, write(a_response()), "success", "true"},
      {response, write(a_response()), "properties", "none"},
      {message, write(a_message()), "orchestrationID", nullptr},
      {message, write(a_message()), "activity", json::object{{"id", "a1"}}},
      {message, write(a_message()), "activity", "a1"},
      {message, write(a_message()), "run", -1},
      {message, write(a_message()), "run", "1"},
      {message, write(a_message()), "processingData", 1},
      {result, write(a_result()), "orchestrationID", ""},
      {result, write(a_result()), "activityID", nullptr},
      {result, write(a_result()), "outcome", "perhaps"},
      {result, write(a_result()), "waitMs", -5},
      {result, write(a_result()), "values", json::array()},
      {result, write(a_result()), "output", "x"},
  };
  for (const auto& r : table) {
    CAPTURE(r.good);
    CAPTURE(r.field);
    CHECK_FALSE(r.read(r.good).has_value());
    auto o = parsed(r.good);
    o[r.field] = r.wrong;
    const auto wrong = r.read(json::write(o));
    REQUIRE(wrong.has_value());
    CHECK(wrong->code == "malformed_message");
    CHECK(wrong->detail.find("'" + std::string(r.field) + "'") != std::string::npos);
  }
  for (const reader read : {manifest, response, message, result})
    for (const char* text : {"", "[]", "\"text\"", "{\"id\":\"a\",\"id\":\"b\"}", "{"}) {
      CAPTURE(text);
      CHECK(read(text).has_value());
    }
}

TEST_CASE("a payload that is null or missing is an empty one") {
  for (const char* text : {R"({"id":"m","correlationId":"c","orchestrationType":"t"})",
                           R"({"id":"m","correlationId":"c","orchestrationType":"t","payload":null})"}) {
    const auto read = read_manifest(std::string_view(text));
    REQUIRE(read.has_value());
    CHECK(read->payload.empty());
  }
}
