#include "cells/operator/explain.hpp"

#include <doctest/doctest.h>

using namespace fondaco;

namespace {

persistence::entity_row row_with(std::string view) {
  return {{tenant("acme"), "negotiation", "n1"},
          0,
          3,
          "TERMINATED",
          std::move(view),
          from_epoch_ms(0),
          from_epoch_ms(1000),
          {}};
}

} // namespace

TEST_CASE("why names the causes of both sides in their order") {
  auto said = cells::explain(row_with(R"({"causes":[{"side":"peer","text":"region must be eu"},
      {"side":"local","text":"the provider refused the request"}],"waitingOn":""})"),
                             from_epoch_ms(2000));
  REQUIRE(said.size() == 4);
  CHECK(said[0] == "The negotiation is TERMINATED since 1970-01-01T00:00:01Z, after 3 events.");
  CHECK(said[1] == "It waits for nothing.");
  CHECK(said[2] == "The counterparty said: region must be eu");
  CHECK(said[3] == "This side said: the provider refused the request");
}

TEST_CASE("why says what is waited for and until when") {
  auto row = row_with(R"({"waitingOn":"the counterparty's agreement"})");
  row.wake = from_epoch_ms(62'000);
  auto said = cells::explain(row, from_epoch_ms(2000));
  CHECK(said[1] == "It waits for the counterparty's agreement.");
  CHECK(said[2] == "It is looked at again in 60 seconds.");
}

TEST_CASE("a row whose view cannot be read is still explained") {
  CHECK(cells::explain(row_with("not json"), from_epoch_ms(0)).size() == 2);
}

TEST_CASE("why says of a refused request who sent it, when, and why it was refused") {
  auto row = row_with(R"({"kind":"refused_request","version":1})");
  row.key.kind = "refused_request";
  persistence::document kept{row.key, 1, R"({"counterPartyId":"did:web:outsider","profile":"membership",
      "message":"ContractRequestMessage","at":"2026-01-01T00:00:00Z","reasons":["No credential was presented.","x"]})",
                             row.created_at, row.updated_at};
  CHECK(cells::explains_itself(row));
  const auto said = cells::explain(row, from_epoch_ms(2000), &kept);
  REQUIRE(said.size() == 3);
  CHECK(said[0] == "The ContractRequestMessage of did:web:outsider in dataspace profile 'membership' was refused at "
                   "2026-01-01T00:00:00Z, so no process was made of it.");
  CHECK(said[1] == "This side said: No credential was presented.");
  CHECK(said[2] == "This side said: x");
  kept.body = "not json";
  CHECK(cells::explain(row, from_epoch_ms(2000), &kept).size() == 2);
}
