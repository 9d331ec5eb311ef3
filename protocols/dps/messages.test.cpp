#include <doctest/doctest.h>

#include <string>

#include "protocols/dps/messages.hpp"

using namespace fondaco;
using namespace fondaco::dps;

namespace {

json::value parsed(std::string_view text) {
  auto v = json::parse(text);
  REQUIRE_MESSAGE(v.has_value(), text);
  return *v;
}

data_flow_request request() {
  data_flow_request m;
  m.message_id = "m-1";
  m.participant_id = "did:web:provider";
  m.counter_party_id = "did:web:consumer";
  m.dataspace_context = "dataspace-protocol-http:2025-1";
  m.data_flow_id = "tp-1";
  m.agreement_id = "agr-1";
  m.dataset_id = "asset-1";
  m.profile = "https://w3id.org/dspace-sig/profile/http-push";
  m.claims = parsed(R"({"membership":"active"})").as_object();
  m.metadata = parsed(R"({"region":"eu"})").as_object();
  m.labels = {"gold"};
  m.data_address = dsp::data_address{"t", "https://c.example/in", {{"authorization", "TOKEN"}}};
  m.callback_address = "http://cp.example/signaling";
  return m;
}

bool names(const fault& f, std::string_view field) { return f.detail.find(field) != std::string::npos; }

template <typename Read>
void each_field_is_required(const json::object& body, std::vector<std::string> fields, Read read) {
  for (const auto& name : fields) {
    CAPTURE(name);
    auto without = body;
    REQUIRE(without.erase(name) == 1);
    auto r = read(json::value(without));
    REQUIRE_FALSE(r.has_value());
    CHECK(names(r.error(), name));
  }
}

} // namespace

TEST_CASE("every signaling message reads back as it was written") {
  auto full = request();
  CHECK(read_data_flow_request(json::value(write_data_flow_request(full))) == full);
  data_flow_request bare = full;
  bare.claims.clear();
  bare.metadata.clear();
  bare.labels.clear();
  bare.data_address.reset();
  bare.callback_address.clear();
  CHECK(read_data_flow_request(json::value(write_data_flow_request(bare))) == bare);
  for (uint8_t s = 0; s < 8; ++s) {
    status_message status{"m-1", "tp-1", static_cast<flow_state>(s), full.data_address, "broken pipe"};
    CHECK(read_status(json::value(write_status(status))) == status);
    status_response response{"tp-1", static_cast<flow_state>(s)};
    CHECK(read_status_response(json::value(write_status_response(response))) == response);
  }
  stop_message stop{"m-1", "maintenance"};
  CHECK(read_stop(json::value(write_stop(stop))) == stop);
  address_message with{"m-1", full.data_address}, without{"m-1", std::nullopt};
  CHECK(read_address_message(json::value(write_address_message(with))) == with);
  CHECK(read_address_message(json::value(write_address_message(without))) == without);
  registration r{"dp-1", "https://dp.example/v1", {"a-pull", "a-push"}, {"eu"}, parsed(R"({"type":"x"})").as_object()};
  CHECK(read_registration(json::value(write_registration(r))) == r);
}

TEST_CASE("a request is the superset that planes of every release candidate read") {
  auto m = request();
  m.metadata.clear();
  m.labels.clear();
  m.data_address.reset();
  m.callback_address.clear();
  m.claims.clear();
  CHECK(json::value(write_data_flow_request(m)) ==
        parsed(R"({"messageId":"m-1","participantId":"did:web:provider","counterPartyId":"did:web:consumer",
    "dataspaceContext":"dataspace-protocol-http:2025-1","processId":"tp-1","dataFlowId":"tp-1","agreementId":"agr-1",
    "datasetId":"asset-1","profile":"https://w3id.org/dspace-sig/profile/http-push",
    "transferType":"https://w3id.org/dspace-sig/profile/http-push","claims":{}})"));
  auto empty = request();
  empty.data_flow_id.clear();
  CHECK_THROWS_AS(write_data_flow_request(empty), broken_invariant);
}

TEST_CASE("a request is read with either name of a renamed field, and refused if the two differ") {
  auto body = write_data_flow_request(request());
  for (auto [now, before] : {std::pair{"dataFlowId", "processId"}, std::pair{"profile", "transferType"}}) {
    CAPTURE(now);
    auto one = body;
    one.erase(now);
    CHECK(read_data_flow_request(json::value(one)) == request());
    one.erase(before);
    auto none = read_data_flow_request(json::value(one));
    REQUIRE_FALSE(none.has_value());
    CHECK(names(none.error(), now));
    one = body;
    one[before] = "other";
    auto differ = read_data_flow_request(json::value(one));
    REQUIRE_FALSE(differ.has_value());
    CHECK(differ.error().code == "exclusive_fields");
    one = body;
    one[before] = nullptr;
    CHECK(read_data_flow_request(json::value(one)) == request());
  }
}

TEST_CASE("a signaling message without one of its required fields is refused by the field's name") {
  each_field_is_required(
      write_data_flow_request(request()),
      {"messageId", "participantId", "counterPartyId", "dataspaceContext", "agreementId", "datasetId"},
      read_data_flow_request);
  each_field_is_required(write_status({"m", "f", flow_state::started, {}, ""}), {"state"}, read_status);
  each_field_is_required(write_status_response({"f", flow_state::started}), {"state"}, read_status_response);
  each_field_is_required(write_registration({"dp", "http://dp", {"a-pull"}, {}, {}}), {"dataplaneId", "endpoint"},
                         read_registration);
  for (const char* text : {"[]", "null", "1"}) {
    CHECK(read_data_flow_request(parsed(text)).error().code == "not_an_object");
    CHECK(read_status(parsed(text)).error().code == "not_an_object");
  }
}

TEST_CASE("a status without ids and with nulls is read, one with an unknown state is not") {
  auto read = read_status(parsed(R"({"messageId":null,"state":"STARTED","dataAddress":null,"error":null})"));
  REQUIRE(read.has_value());
  CHECK(*read == status_message{"", "", flow_state::started, {}, ""});
  CHECK(read_status(parsed(R"({"state":"INITIATING"})"))->state == flow_state::initialized);
  CHECK(read_status(parsed(R"({"state":"STARTED","dataAddress":{"endpointType":"t"}})"))->data_address->endpoint_type ==
        "t");
  auto wrong = read_status(parsed(R"({"state":3})"));
  REQUIRE_FALSE(wrong.has_value());
  CHECK(names(wrong.error(), "state"));
  auto unknown = read_status(parsed(R"({"state":"RUNNING"})"));
  REQUIRE_FALSE(unknown.has_value());
  CHECK(names(unknown.error(), "TERMINATED"));
  CHECK(read_stop(parsed("{}")).has_value());
  CHECK(read_address_message(parsed(R"({"processId":"random"})")).has_value());
}

TEST_CASE("a registration is read in both dialects, its endpoint as the base of the paths") {
  for (const char* endpoint : {"http://dp:8081/api/v1/pc", "http://dp:8081/api/v1/pc/",
                               "http://dp:8081/api/v1/pc/dataflows", "http://dp:8081/api/v1/pc/dataflows/"}) {
    json::object body;
    body["dataplaneId"] = "pc-dp";
    body["endpoint"] = endpoint;
    body["transferTypes"] = parsed(R"(["a-pull"])");
    auto read = read_registration(json::value(body));
    REQUIRE(read.has_value());
    CHECK(read->endpoint == "http://dp:8081/api/v1/pc");
    CHECK(read->profiles == std::vector<std::string>{"a-pull"});
  }
  for (const char* wrong :
       {R"({"dataplaneId":"d","endpoint":"ftp://x","profiles":["a"]})", R"({"dataplaneId":"d","endpoint":"http://x"})",
        R"({"dataplaneId":"d","endpoint":"http://x","profiles":[]})",
        R"({"dataplaneId":"d","endpoint":"http://x","profiles":["a"],"authorization":{"clientSecret":"SECRET"}})",
        R"({"dataplaneId":"d","endpoint":"http://x","profiles":["a"],"authorization":"SECRET"})"}) {
    CAPTURE(wrong);
    auto refused = read_registration(parsed(wrong));
    REQUIRE_FALSE(refused.has_value());
    CHECK_FALSE(names(refused.error(), "SECRET"));
  }
}

TEST_CASE("an address stands where the direction of the profile has it") {
  using sig = flow_signal;
  CHECK_FALSE(wrong_address(sig::start, "x-push", true));
  CHECK(wrong_address(sig::start, "x-push", false));
  CHECK(wrong_address(sig::start, "x-pull", true));
  CHECK_FALSE(wrong_address(sig::start, "x-pull", false));
  CHECK(wrong_address(sig::prepare, "x-pull", true));
  CHECK_FALSE(wrong_address(sig::prepare, "x-push", false));
  CHECK_FALSE(wrong_address(sig::started, "x-pull", false));
  CHECK_FALSE(wrong_address(sig::start, "x", true));
}
