#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocols/dsp/messages.hpp"
#include "protocols/jsonld/fields.hpp"

using namespace fondaco;
using namespace fondaco::dsp;

namespace {

json::value parsed(std::string_view text) {
  auto v = json::parse(text);
  REQUIRE_MESSAGE(v.has_value(), text);
  return *v;
}

data_address address() {
  return {
      "https://w3id.org/idsa/v4.1/HTTP", "http://example.com", {{"authorization", "TOKEN"}, {"authType", "bearer"}}};
}

transfer_envelope envelope(transfer_message type) {
  transfer_envelope m;
  m.type = type;
  m.message_id = "urn:uuid:m";
  m.consumer_pid = "c-1";
  if (type == transfer_message::request) {
    m.agreement_id = "agreement-1";
    m.format = "HttpData-PUSH";
    m.callback_address = "http://127.0.0.1:9000/dsp";
  } else {
    m.provider_pid = "p-1";
  }
  if (type == transfer_message::request || type == transfer_message::start)
    m.address = address();
  if (type == transfer_message::suspension || type == transfer_message::termination) {
    m.code = "1";
    m.reasons = {"maintenance"};
  }
  return m;
}

bool names(const fault& f, std::string_view field) { return f.detail.find(field) != std::string::npos; }

} // namespace

TEST_CASE("every transfer message reads back as it was written") {
  for (uint8_t t = 0; t < 5; ++t) {
    for (bool with_address : {true, false}) {
      auto m = envelope(static_cast<transfer_message>(t));
      if (!with_address)
        m.address.reset();
      CAPTURE(name_of(m.type));
      auto read = read_transfer(parsed(json::write(json::value(write_transfer(m)))), m.type);
      REQUIRE_MESSAGE(read.has_value(), read.error().detail);
      CHECK(*read == m);
    }
  }
}

TEST_CASE("a transfer start is written in the protocol's compact form") {
  CHECK(json::value(write_transfer(envelope(transfer_message::start))) ==
        parsed(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"TransferStartMessage",
      "@id":"urn:uuid:m","providerPid":"p-1","consumerPid":"c-1",
      "dataAddress":{"@type":"DataAddress","endpointType":"https://w3id.org/idsa/v4.1/HTTP",
        "endpoint":"http://example.com",
        "endpointProperties":[{"@type":"EndpointProperty","name":"authorization","value":"TOKEN"},
                              {"@type":"EndpointProperty","name":"authType","value":"bearer"}]}})"));
}

TEST_CASE("a transfer message without one of its required fields is refused by the field's name") {
  for (uint8_t t = 0; t < 5; ++t) {
    auto type = static_cast<transfer_message>(t);
    auto body = write_transfer(envelope(type));
    for (const auto& member : body) {
      std::string name = member.key();
      if (name == "@id" || name == "code" || name == "reason" || name == "dataAddress")
        continue;
      CAPTURE(name_of(type));
      CAPTURE(name);
      auto without = body;
      without.erase(name);
      auto missing = read_transfer(json::value(without), type);
      REQUIRE_FALSE(missing.has_value());
      CHECK(names(missing.error(), name));
      without[name] = parsed(R"({"a":1})");
      auto wrong = read_transfer(json::value(without), type);
      REQUIRE_FALSE(wrong.has_value());
      CHECK(names(wrong.error(), name));
    }
  }
}

TEST_CASE("a data address without properties has no list of them") {
  CHECK(json::value(write_data_address({"HttpData", "", {}})) ==
        parsed(R"({"@type":"DataAddress","endpointType":"HttpData"})"));
}

TEST_CASE("a data address is read leniently, and refused without naming its values") {
  auto read = read_data_address(parsed(R"({"endpointType":{"@id":"t"},"endpoint":{"@value":"http://e"},
    "endpointProperties":{"name":"expiresIn","value":300}})"));
  REQUIRE(read.has_value());
  CHECK(*read == data_address{"t", "http://e", {{"expiresIn", "300"}}});
  struct {
    const char* body;
    const char* field;
  } const wrong[] = {
      {R"({"@type":"DataAddress"})", "endpointType"},
      {R"({"@type":"Other","endpointType":"t"})", "@type"},
      {R"({"endpointType":"t","endpointProperties":[{"value":"SECRET"}]})", "endpointProperties[0]: name"},
      {R"({"endpointType":"t","endpointProperties":[{"name":"a","value":"SECRET"},{"name":"n"}]})",
       "endpointProperties[1]: value"},
      {R"({"endpointType":"t","endpointProperties":["SECRET"]})", "endpointProperties"},
      {R"({"endpointType":"t","endpointProperties":[{"@type":"SECRET","name":"n","value":"v"}]})", "@type"},
      {R"({"endpointType":["a","b"]})", "endpointType"},
      {R"("SECRET")", "DataAddress"},
  };
  for (const auto& w : wrong) {
    CAPTURE(w.body);
    auto refused = read_data_address(parsed(w.body));
    REQUIRE_FALSE(refused.has_value());
    CHECK(names(refused.error(), w.field));
    CHECK_FALSE(names(refused.error(), "SECRET"));
  }
}

TEST_CASE("an address with more properties than the limit is refused") {
  data_address many{"t", "", {}};
  many.properties.assign(limits::list_items_max, {"n", "v"});
  CHECK(read_data_address(json::value(write_data_address(many))) == many);
  many.properties.emplace_back("n", "v");
  CHECK(read_data_address(json::value(write_data_address(many))).error().code == "too_long");
}
