#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "cells/control_plane/management/test_bed.test.hpp"
#include "cells/data_plane/data_flow.hpp"

namespace {

using namespace fondaco;
using control_plane::negotiation;
using control_plane::transfer_process;
using control_plane::testing::test_bed;

const std::string peer = "https://peer.example/api/dsp/peer/closed";

std::string contract_request() {
  return test_bed::typed(
      "ContractRequest",
      R"("counterPartyAddress":")" + peer +
          R"(/","profile":"closed","policy":{"@type":"Offer","@id":"o:1:2","assigner":"peer","target":"asset-1",)"
          R"("permission":[{"action":"use"}]})");
}

/// A negotiation of alice whose first message the peer has taken, so that it has to be told of the end.
std::string begin_negotiation(test_bed& bed) {
  const auto id = bed.send("alice", "POST", "participants/alice/contractnegotiations", contract_request()).text("@id");
  bed.tell<negotiation>("alice", id, negotiation::delivered{control_plane::derive_message_id(id, 1), "peer-pid"});
  return id;
}

/// A transfer of alice whose request the peer has taken.
std::string begin_transfer(test_bed& bed) {
  transfer_process::initiate c;
  c.terms.id = bed.runtime->fresh_id(tenant("alice")).text();
  c.terms.self = dsp::role::consumer;
  c.terms.counterparty_id = "peer";
  c.terms.counterparty_address = peer;
  c.terms.callback_address = "https://us.example/api/dsp/alice/closed";
  c.terms.participant_id = "did:web:alice";
  c.terms.profile = "closed";
  c.terms.agreement_id = "agreement-1";
  c.terms.asset_id = "asset-1";
  c.terms.format = "HttpData-PULL";
  const auto id = c.terms.id;
  bed.tell<transfer_process>("alice", id, std::move(c));
  bed.tell<transfer_process>("alice", id,
                             transfer_process::delivered{control_plane::derive_message_id(id, 1), "peer-transfer"});
  return id;
}

std::string state_of(test_bed& bed, const std::string& kind, const std::string& id) {
  const auto row = bed.journal().read_row({tenant("alice"), kind, id}).value();
  return row ? row->status : "";
}

/// Everything of the store that names the tenant, but for tombstones: its rows and events.
std::vector<std::string> left_of(test_bed& bed, const std::string& id) {
  std::vector<std::string> left;
  const auto rows = bed.documents().list_entities("", 0, 1000);
  for (const auto& row : rows.value())
    if (row.key.kind != "vpa" && (row.key.owner.id() == id || row.key.id == id))
      left.push_back("row " + row.key.kind + " " + row.key.id);
  for (shard_number shard = 0; shard < bed.runtime->shards(); ++shard) {
    const auto events = bed.journal().read_shard(shard, 0, 1000);
    for (const auto& e : events.value())
      if (e.key.kind != "vpa" && (e.key.owner.id() == id || e.event.payload.find("did:web:" + id) != std::string::npos))
        left.push_back("event " + e.event.type);
  }
  return left;
}

void settle(test_bed& bed, const std::string& id) {
  bed.add_participant(id);
  const auto base = "participants/" + id;
  REQUIRE(bed.send(id, "POST", base + "/assets",
                   test_bed::typed("Asset", R"("@id":"a1","properties":{"name":"x"},)"
                                            R"("dataAddress":{"@type":"DataAddress","type":"File","path":"/x"})"))
              .status == 200);
  REQUIRE(bed.send(id, "POST", base + "/policydefinitions",
                   test_bed::typed("PolicyDefinition",
                                   R"("@id":"p1","policy":{"@type":"Set","permission":[{"action":"use"}]})"))
              .status == 200);
  REQUIRE(bed.vault().put(tenant(id), "key", "secret").has_value());
  REQUIRE(bed.send("admin", "POST", "apiclients",
                   R"({"client_id":"client-of-)" + id + R"(","role":"participant","participant_context_id":")" + id +
                       R"(","scopes":["management-api:write"]})")
              .status == 200);
  persistence::seen_mark mark{"jti:x", bed.services->clock.now() + std::chrono::hours(1)};
  REQUIRE(bed.journal().claim_seen(tenant(id), {&mark, 1}, bed.services->clock.now()).value());
}

} // namespace

TEST_CASE("a removed participant context leaves nothing readable but its tombstone, and its neighbour everything") {
  test_bed bed;
  settle(bed, "alice");
  settle(bed, "bob");
  const auto bobs = left_of(bed, "bob").size();
  REQUIRE(bobs > 0);
  CHECK(bed.send("admin", "DELETE", "participants/alice").status == 204);
  for (const auto& left : left_of(bed, "alice"))
    CHECK(left == "");
  CHECK_FALSE(bed.vault().get(tenant("alice"), "key").value().has_value());
  CHECK_FALSE(bed.journal().was_seen(tenant("alice"), "jti:x").value());
  CHECK(bed.send("admin", "GET", "apiclients/client-of-alice").status == 404);
  CHECK(state_of(bed, "vpa", "control-plane") == "DISPOSED");
  CHECK(bed.send("alice", "GET", "participants/alice/assets/a1").status == 404);
  CHECK(bed.send("admin", "DELETE", "participants/alice").status == 404);
  CHECK(bed.send("admin", "POST", "participants",
                 test_bed::typed("ParticipantContext", R"("@id":"alice","identity":"did:web:alice")"))
            .status == 409);
  CHECK(left_of(bed, "bob").size() == bobs);
  CHECK(bed.vault().get(tenant("bob"), "key").value() == "secret");
  CHECK(bed.journal().was_seen(tenant("bob"), "jti:x").value());
  CHECK(bed.send("bob", "GET", "participants/bob/assets/a1").status == 200);
}

TEST_CASE("a removal tells the peers of running work and waits until they know") {
  test_bed bed;
  settle(bed, "alice");
  bed.services->command_timeout_ms = milliseconds(300);
  const auto talk = begin_negotiation(bed);
  const auto move = begin_transfer(bed);
  auto waiting = bed.send("admin", "DELETE", "participants/alice");
  CHECK(waiting.status == 503);
  CHECK(waiting.error().find("1 negotiation and 1 transfer") != std::string::npos);
  CHECK(std::ranges::any_of(waiting.headers, [](const auto& h) { return h.first == "Retry-After"; }));
  CHECK(state_of(bed, "negotiation", talk) == "TERMINATING");
  CHECK(state_of(bed, "transfer_process", move) == "TERMINATING");
  const auto view = bed.journal().read_row({tenant("alice"), "negotiation", talk}).value()->view;
  CHECK(view.find("The participant context is being removed.") != std::string::npos);
  CHECK(bed.send("admin", "GET", "participants/alice").status == 200);
  bed.tell<negotiation>("alice", talk, negotiation::delivered{control_plane::derive_message_id(talk, 2), ""});
  waiting = bed.send("admin", "DELETE", "participants/alice");
  CHECK(waiting.status == 503);
  CHECK(waiting.error().starts_with("1 transfer of"));
  bed.tell<transfer_process>("alice", move, transfer_process::delivered{control_plane::derive_message_id(move, 2), ""});
  CHECK(bed.send("admin", "DELETE", "participants/alice").status == 204);
  CHECK(left_of(bed, "alice").empty());
}

TEST_CASE("a removal that waits goes on as soon as the peers have answered") {
  test_bed bed;
  settle(bed, "alice");
  const auto talk = begin_negotiation(bed);
  {
    std::jthread peer_answers([&] {
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      while (state_of(bed, "negotiation", talk) != "TERMINATING" && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
      bed.tell<negotiation>("alice", talk, negotiation::delivered{control_plane::derive_message_id(talk, 2), ""});
    });
    CHECK(bed.send("admin", "DELETE", "participants/alice").status == 204);
  }
  CHECK(left_of(bed, "alice").empty());
}

TEST_CASE("a forced removal does not wait for the peers, and only an administrator may ask for it") {
  test_bed bed;
  settle(bed, "alice");
  begin_negotiation(bed);
  begin_transfer(bed);
  CHECK(bed.send("alice", "DELETE", "participants/alice?force=true").status == 403);
  CHECK(bed.send("admin", "DELETE", "participants/alice?force=perhaps").status == 400);
  CHECK(bed.send("admin", "DELETE", "participants/alice?force=true").status == 204);
  CHECK(left_of(bed, "alice").empty());
  for (const auto& e : bed.runtime->entities(100))
    CHECK(e.key.kind != "negotiation");
}

TEST_CASE("a removal has the data planes erase what they have, and waits for those that may have something") {
  struct row {
    actors::http_result answer;
    bool left;
  };
  const std::vector<row> rows = {{actors::http_answer{204, {}, ""}, true},
                                 {actors::http_answer{404, {}, ""}, true},
                                 {actors::http_answer{405, {}, ""}, true},
                                 {actors::http_answer{501, {}, ""}, true},
                                 {actors::http_answer{401, {}, ""}, false},
                                 {actors::http_answer{503, {}, ""}, false},
                                 {std::unexpected(actors::exchange_errc::no_answer), false}};
  for (const auto& r : rows) {
    test_bed bed;
    settle(bed, "alice");
    REQUIRE(bed.send("alice", "PUT", "participants/alice/dataplanes",
                     R"({"dataplaneId":"dp","endpoint":"https://plane.example/alice/dataflows",)"
                     R"("transferTypes":["HttpData-PULL"]})")
                .status == 200);
    bed.peers.answer = r.answer;
    const auto got = bed.send("admin", "DELETE", "participants/alice");
    REQUIRE(bed.peers.calls.size() == 1);
    CHECK(bed.peers.calls[0].method == "DELETE");
    CHECK(bed.peers.calls[0].url == "https://plane.example/alice");
    CHECK(got.status == (r.left ? 204 : 503));
    if (!r.left) {
      CHECK(got.error().starts_with("The data plane 'dp' "));
      CHECK(bed.send("admin", "GET", "participants/alice").status == 200);
      CHECK(bed.send("admin", "DELETE", "participants/alice?force=true").status == 204);
    }
    CHECK(left_of(bed, "alice").empty());
  }
}

TEST_CASE("a removal of what never was says so and leaves no tombstone") {
  test_bed bed;
  CHECK(bed.send("admin", "DELETE", "participants/nobody").status == 404);
  CHECK_FALSE(bed.journal().read_row({tenant("nobody"), "vpa", "control-plane"}).value().has_value());
  bed.add_participant("nobody");
  CHECK(bed.send("admin", "GET", "participants/nobody").status == 200);
}
