#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocols/base/ids.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/dsp/timestamp.hpp"

using namespace fondaco;
using namespace fondaco::dsp;

namespace {

json::value parsed(std::string_view text) {
  auto v = json::parse(text);
  REQUIRE_MESSAGE(v.has_value(), text);
  return *v;
}

json::object offer() {
  return parsed(R"({"@id":"offer-1","@type":"Offer","target":"dataset-1","permission":[{"action":"use"}]})")
      .as_object();
}

json::object agreement() {
  return parsed(R"({"@id":"urn:uuid:1","@type":"Agreement","target":"dataset-1","timestamp":"2025-01-01T01:00:00Z",
    "assigner":"did:web:provider","assignee":"did:web:consumer","permission":[{"action":"use"}]})")
      .as_object();
}

negotiation_envelope envelope(negotiation_message type) {
  negotiation_envelope m;
  m.type = type;
  m.message_id = "urn:uuid:m";
  m.consumer_pid = "c-1";
  m.provider_pid = "p-1";
  if (type == negotiation_message::request || type == negotiation_message::offer)
    m.policy = offer();
  if (type == negotiation_message::agreement)
    m.policy = agreement();
  if (type == negotiation_message::termination) {
    m.code = "1";
    m.reasons = {"no deal", "really"};
  }
  return m;
}

negotiation_envelope opening(negotiation_message type) {
  auto m = envelope(type);
  (type == negotiation_message::request ? m.provider_pid : m.consumer_pid).clear();
  m.callback_address = "https://peer.example/dsp";
  return m;
}

std::vector<negotiation_envelope> all_messages() {
  std::vector<negotiation_envelope> out{opening(negotiation_message::request), opening(negotiation_message::offer)};
  for (uint8_t t = 0; t < 7; ++t)
    out.push_back(envelope(static_cast<negotiation_message>(t)));
  return out;
}

fault refusal(const json::object& body, negotiation_message type) {
  auto read = read_negotiation(json::value(body), type);
  REQUIRE_FALSE(read.has_value());
  return read.error();
}

bool names(const fault& f, std::string_view field) { return f.detail.find(field) != std::string::npos; }

} // namespace

TEST_CASE("every negotiation message reads back as it was written") {
  for (const auto& m : all_messages()) {
    CAPTURE(name_of(m.type));
    auto body = json::write(json::value(write_negotiation(m)));
    CAPTURE(body);
    auto read = read_negotiation(parsed(body), m.type);
    REQUIRE_MESSAGE(read.has_value(), read.error().detail);
    CHECK(*read == m);
  }
}

TEST_CASE("a negotiation message is written in the protocol's compact form") {
  auto m = opening(negotiation_message::request);
  m.callback_address += "/";
  m.message_id.clear();
  CHECK(json::value(write_negotiation(m)) ==
        parsed(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"ContractRequestMessage",
      "consumerPid":"c-1","offer":{"@id":"offer-1","@type":"Offer","target":"dataset-1",
      "permission":[{"action":"use"}]},
      "callbackAddress":"https://peer.example/dsp"})"));
  CHECK(
      json::value(write_negotiation(envelope(negotiation_message::finalized))) ==
      parsed(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"ContractNegotiationEventMessage",
      "@id":"urn:uuid:m","providerPid":"p-1","consumerPid":"c-1","eventType":"FINALIZED"})"));
}

TEST_CASE("a callback address is written only into the message that opens a negotiation") {
  auto m = envelope(negotiation_message::request);
  m.callback_address = "https://peer.example/dsp";
  CHECK_FALSE(write_negotiation(m).contains("callbackAddress"));
  CHECK_FALSE(write_negotiation(opening(negotiation_message::request)).contains("providerPid"));
}

TEST_CASE("empty lists never reach the wire") {
  auto m = envelope(negotiation_message::offer);
  m.policy["prohibition"] = json::array();
  m.policy["permission"] = parsed(R"([{"action":"use","constraint":[]}])");
  auto written = write_negotiation(m).at("offer").as_object();
  CHECK_FALSE(written.contains("prohibition"));
  CHECK(written.at("permission") == parsed(R"([{"action":"use"}])"));
  auto end = envelope(negotiation_message::termination);
  end.reasons.clear();
  end.code.clear();
  auto body = write_negotiation(end);
  CHECK_FALSE(body.contains("reason"));
  CHECK_FALSE(body.contains("code"));
}

TEST_CASE("a negotiation message without one of its required fields is refused by the field's name") {
  for (const auto& m : all_messages()) {
    auto body = write_negotiation(m);
    for (const auto& member : body) {
      std::string name = member.key();
      if (name == "@id" || name == "code" || name == "reason")
        continue;
      auto without = body;
      without.erase(name);
      CAPTURE(name_of(m.type));
      CAPTURE(name);
      auto f = refusal(without, m.type);
      CHECK(names(f, name));
      CHECK(f.remedy == cure::fix_input);
      without[name] = nullptr;
      CHECK(names(refusal(without, m.type), name));
      without[name] = 7;
      CHECK(names(refusal(without, m.type), name));
    }
  }
}

TEST_CASE("an offer or agreement without one of its required members is refused by the member's name") {
  for (auto type : {negotiation_message::request, negotiation_message::offer, negotiation_message::agreement}) {
    auto body = write_negotiation(envelope(type));
    const char* member = type == negotiation_message::agreement ? "agreement" : "offer";
    for (const auto& m : body.at(member).as_object()) {
      std::string name = m.key();
      if (name == "timestamp")
        continue;
      auto without = body;
      without.at(member).as_object().erase(name);
      CAPTURE(name);
      auto f = refusal(without, type);
      CHECK(names(f, std::string(name_of(type)) + ": " + member + ": " + name));
      CHECK(f.code == "missing_field");
    }
  }
}

TEST_CASE("an offer or agreement whose rules are empty lists is refused, as the schema has it") {
  for (auto type : {negotiation_message::request, negotiation_message::offer, negotiation_message::agreement}) {
    auto body = write_negotiation(envelope(type));
    auto& policy = body.at(type == negotiation_message::agreement ? "agreement" : "offer").as_object();
    policy["permission"] = json::array();
    policy["prohibition"] = json::array();
    CHECK(refusal(body, type).code == "missing_field");
    CHECK(names(refusal(body, type), "permission"));
    policy["prohibition"] = parsed(R"([{"action":"use"}])");
    CHECK(read_negotiation(json::value(body), type).has_value());
  }
}

TEST_CASE("a message to open and to go on at once, or neither, is refused") {
  for (auto type : {negotiation_message::request, negotiation_message::offer}) {
    auto body = write_negotiation(envelope(type));
    body["callbackAddress"] = "https://peer.example/dsp";
    auto both = refusal(body, type);
    CHECK(both.code == "exclusive_fields");
    CHECK(names(both, "callbackAddress"));
    body.erase("callbackAddress");
    body.erase(type == negotiation_message::request ? "providerPid" : "consumerPid");
    CHECK(refusal(body, type).code == "exclusive_fields");
  }
}

TEST_CASE("a context is an array of strings with the protocol's URL, and others may stand beside it") {
  auto body = write_negotiation(envelope(negotiation_message::verification));
  auto with = [&](std::string_view context) {
    auto b = body;
    b["@context"] = parsed(context);
    return read_negotiation(json::value(b), negotiation_message::verification);
  };
  CHECK(with(R"(["https://w3id.org/dspace/2025/1/context.jsonld","https://w3id.org/edc/dspace/v0.0.1"])").has_value());
  for (const char* wrong :
       {R"("https://w3id.org/dspace/2025/1/context.jsonld")", "[]", R"(["https://w3id.org/edc/dspace/v0.0.1"])",
        R"(["https://w3id.org/dspace/2025/1/context.jsonld",{"a":"b"}])", "{}", "1"}) {
    CAPTURE(wrong);
    auto read = with(wrong);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == "wrong_context");
  }
}

TEST_CASE("a message of another type, or none, is refused") {
  auto body = write_negotiation(envelope(negotiation_message::verification));
  auto f = refusal(body, negotiation_message::agreement);
  CHECK(f.code == "wrong_type");
  CHECK(names(f, "ContractAgreementMessage"));
  body["@type"] = std::string(63, 'x') + "\xc3\xa9";
  CHECK(names(refusal(body, negotiation_message::agreement), "\"" + std::string(63, 'x') + "\";"));
  CHECK(refusal(write_negotiation(envelope(negotiation_message::accepted)), negotiation_message::finalized).code ==
        "wrong_field");
  for (const char* text : {"[]", "null", "\"x\"", "1", "true"})
    CHECK(read_negotiation(parsed(text), negotiation_message::request).error().code == "not_an_object");
}

TEST_CASE("an event is read as what it says") {
  for (auto type : {negotiation_message::accepted, negotiation_message::finalized}) {
    auto read = read_negotiation_event(json::value(write_negotiation(envelope(type))));
    REQUIRE(read.has_value());
    CHECK(read->type == type);
  }
  auto body = write_negotiation(envelope(negotiation_message::accepted));
  body["eventType"] = "https://w3id.org/dspace/2025/1/FINALIZED";
  CHECK(read_negotiation_event(json::value(body))->type == negotiation_message::finalized);
  body["eventType"] = parsed(R"({"@id":"dspace:ACCEPTED"})");
  CHECK(read_negotiation_event(json::value(body))->type == negotiation_message::accepted);
  body["eventType"] = "OFFERED";
  auto f = read_negotiation_event(json::value(body));
  REQUIRE_FALSE(f.has_value());
  CHECK(names(f.error(), "ACCEPTED, FINALIZED"));
}

TEST_CASE("a peer's other spellings of one message mean the same") {
  auto body =
      parsed(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":["dspace:ContractOfferMessage"],
    "@id":{"@id":"urn:uuid:m"},"providerPid":{"@id":"p-1"},"consumerPid":["c-1"],"unknownTerm":{"a":1},
    "offer":[{"@id":"offer-1","@type":"odrl:Offer","odrl:target":{"@id":"dataset-1"},
      "http://www.w3.org/ns/odrl/2/permission":{"odrl:action":{"@id":"odrl:use"},
        "odrl:constraint":{"odrl:leftOperand":{"@id":"region"},"odrl:operator":{"@id":"odrl:isAnyOf"},
                           "odrl:rightOperand":[{"@value":"eu"},"us"]}}}]})");
  auto read = read_negotiation(body, negotiation_message::offer);
  REQUIRE_MESSAGE(read.has_value(), read.error().detail);
  CHECK(read->message_id == "urn:uuid:m");
  CHECK(read->consumer_pid == "c-1");
  CHECK(json::value(read->policy) ==
        parsed(R"({"@id":"offer-1","@type":"Offer","target":"dataset-1","permission":[{"action":"use",
    "constraint":[{"leftOperand":"region","operator":"isAnyOf","rightOperand":["eu","us"]}]}]})"));
}

TEST_CASE("reasons and codes are read as text, whatever they are") {
  auto body = write_negotiation(envelope(negotiation_message::termination));
  body["reason"] = parsed(R"(["a",{"message":"b"},{"@value":"c"},4])");
  body["code"] = 409;
  auto read = read_negotiation(json::value(body), negotiation_message::termination);
  REQUIRE(read.has_value());
  CHECK(read->reasons == std::vector<std::string>{"a", R"({"message":"b"})", "c", "4"});
  CHECK(read->code == "409");
  body["reason"] = "one";
  CHECK(read_negotiation(json::value(body), negotiation_message::termination)->reasons ==
        std::vector<std::string>{"one"});
}

TEST_CASE("an id that is too long is refused by its name") {
  auto body = write_negotiation(envelope(negotiation_message::verification));
  body["consumerPid"] = std::string(limits::id_bytes_max, 'x');
  CHECK(read_negotiation(json::value(body), negotiation_message::verification).has_value());
  body["consumerPid"] = std::string(limits::id_bytes_max + 1, 'x');
  auto f = refusal(body, negotiation_message::verification);
  CHECK(f.code == "too_long");
  CHECK(names(f, "consumerPid"));
  CHECK_FALSE(names(f, "xxxx"));
}

TEST_CASE("a callback address is an http or https URL that paths can be appended to") {
  auto body = write_negotiation(opening(negotiation_message::request));
  struct {
    const char* given;
    const char* read;
  } const cases[] = {{"https://a.example/dsp", "https://a.example/dsp"},
                     {"https://a.example/dsp/", "https://a.example/dsp"},
                     {"http://127.0.0.1:8282/api/dsp//", "http://127.0.0.1:8282/api/dsp"},
                     {"HTTP://[::1]:80", "HTTP://[::1]:80"},
                     {"https://", nullptr},
                     {"https:///dsp", nullptr},
                     {"ftp://a.example", nullptr},
                     {"file:///etc/passwd", nullptr},
                     {"a.example/dsp", nullptr},
                     {"https://user:pw@a.example/", nullptr},
                     {"https://a.example/?q=1", nullptr},
                     {"https://a.example/#f", nullptr},
                     {"https://a.example/a b", nullptr},
                     {"https://a.example/\r\nX: y", nullptr},
                     {"https://:80/", nullptr}};
  for (const auto& c : cases) {
    CAPTURE(c.given);
    body["callbackAddress"] = c.given;
    auto read = read_negotiation(json::value(body), negotiation_message::request);
    CHECK(read.has_value() == (c.read != nullptr));
    if (read && c.read)
      CHECK(read->callback_address == c.read);
    if (!read)
      CHECK(names(read.error(), "callbackAddress"));
  }
}

TEST_CASE("an agreement's timestamp is an XSD dateTime") {
  for (const char* right : {"2025-01-01T01:00:00Z", "2025-01-01T01:00:00", "2025-01-01T01:00:00.123+02:00",
                            "-0044-03-15T12:00:00Z", "2025-01-01T24:00:00Z"})
    CHECK_MESSAGE(is_xsd_date_time(right), right);
  for (const char* wrong : {"", "2025-01-01", "2025-13-01T01:00:00Z", "2025-01-01T25:00:00Z", "2025-01-01T01:00:00.Z",
                            "2025-01-01 01:00:00Z", "2025-01-01T01:00:00z", "1735693200", "2025-01-01T01:00:00+0200",
                            "2025-01-01T01:00:00Zx"})
    CHECK_MESSAGE(!is_xsd_date_time(wrong), wrong);
  auto m = envelope(negotiation_message::agreement);
  m.policy["timestamp"] = "yesterday";
  CHECK(names(refusal(write_negotiation(m), negotiation_message::agreement), "timestamp"));
}

TEST_CASE("a process is read with a state of its own kind") {
  process_view p{"c-1", "p-1", "AGREED"};
  auto read = read_process(json::value(write_negotiation_process(p)));
  REQUIRE(read.has_value());
  CHECK(*read == p);
  p.state = "SUSPENDED";
  CHECK(read_process(json::value(write_transfer_process(p))) == p);
  auto f = read_process(json::value(write_negotiation_process(p)));
  REQUIRE_FALSE(f.has_value());
  CHECK(names(f.error(), "state"));
  for (const char* name : {"consumerPid", "providerPid", "state", "@context", "@type"}) {
    auto body = write_transfer_process(p);
    body.erase(name);
    auto refused = read_process(json::value(body));
    REQUIRE_FALSE(refused.has_value());
    CHECK(names(refused.error(), name));
  }
}

TEST_CASE("an error body has both pids always, and a reason only if there is one") {
  CHECK(json::value(write_negotiation_error("c-1", "", "400", "not now")) ==
        parsed(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"ContractNegotiationError",
      "providerPid":"","consumerPid":"c-1","code":"400","reason":["not now"]})"));
  CHECK(json::value(write_transfer_error("c-1", "p-1", "", "")) ==
        parsed(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"TransferError",
      "providerPid":"p-1","consumerPid":"c-1"})"));
  CHECK(json::value(write_catalog_error("404", "no such dataset")) ==
        parsed(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"CatalogError",
      "code":"404","reason":["no such dataset"]})"));
}

TEST_CASE("a message of ours without its pids is a broken invariant, not a wrong message on the wire") {
  auto m = envelope(negotiation_message::verification);
  m.provider_pid.clear();
  CHECK_THROWS_AS(write_negotiation(m), broken_invariant);
  auto r = envelope(negotiation_message::request);
  r.provider_pid.clear();
  CHECK_THROWS_AS(write_negotiation(r), broken_invariant);
}
