#include <doctest/doctest.h>

#include "cells/control_plane/management/test_bed.test.hpp"
#include "cells/data_plane/data_flow.hpp"
#include "cells/data_plane/disposal.hpp"
#include "cells/participants/disposal.hpp"
#include "cells/participants/vpa.hpp"
#include "persistence/faulty/journal.hpp"

namespace {

using namespace fondaco;
using control_plane::testing::test_bed;
using participants::vpa;
using persistence::faults;
using persistence::journal_fault;
using persistence::journal_op;

const tenant alice("alice");

/// The services of a bed over another journal.
cells::cell_services over(test_bed& bed, persistence::journal& journal) {
  auto& s = *bed.services;
  return {{s.runtime, s.edge, s.pool, journal, s.documents, s.vault, s.http, s.streams, s.tokens, s.clock, s.random,
           s.command_timeout_ms},
          s.functions,
          s.settings,
          s.trust,
          s.dids};
}

cells::disposal_plan control_plan() {
  return {"control-plane",
          {cells::kinds::asset, cells::kinds::participant_config},
          cells::kinds::participant_context,
          {{cells::node_tenant, cells::kinds::participant_context, "alice"}},
          "gone"};
}

cells::disposal_plan credential_plan() { return {"credential-service", {"key_pair"}, "", {}, "gone"}; }

/// Makes an agent of alice.
void deploy(test_bed& bed, const std::string& type) {
  persistence::entity_key key{alice, "vpa", type};
  vpa::command make = vpa::create{type, type, ""};
  auto made = bed.wait(actors::ask<vpa>(*bed.runtime, bed.services->edge, std::move(key), bed.runtime->shard_for(alice),
                                        std::move(make), milliseconds(10'000)));
  REQUIRE(made.has_value());
}

/// A context with an asset, a secret and a seen mark.
void settle(test_bed& bed) {
  bed.add_participant("alice");
  REQUIRE(bed.send("alice", "POST", "participants/alice/assets",
                   test_bed::typed("Asset", R"("@id":"a1","properties":{"name":"x"},)"
                                            R"("dataAddress":{"@type":"DataAddress","type":"File","path":"/x"})"))
              .status == 200);
  REQUIRE(bed.vault().put(alice, "key", "the-private-key").has_value());
  persistence::seen_mark mark{"jti:x", bed.services->clock.now() + std::chrono::hours(1)};
  REQUIRE(bed.journal().claim_seen(alice, {&mark, 1}, bed.services->clock.now()).value());
}

/// The rows that name alice, tombstones left out.
size_t rows_left(test_bed& bed) {
  size_t left = 0;
  const auto rows = bed.documents().list_entities("", 0, 1000).value();
  for (const auto& row : rows)
    left += row.key.kind != "vpa" && (row.key.owner == alice || row.key.id == "alice");
  return left;
}

std::string dispose(test_bed& bed, cells::cell_services& s, cells::disposal_plan plan) {
  const auto done = bed.wait(cells::dispose_role(s, alice, std::move(plan)));
  return done ? (*done ? "last" : "done") : std::to_string(done.error().status);
}

} // namespace

TEST_CASE("secrets and seen marks go with the last role of a tenant and not before") {
  test_bed bed;
  settle(bed);
  deploy(bed, "credential-service");
  CHECK(dispose(bed, *bed.services, control_plan()) == "done");
  CHECK(rows_left(bed) == 0);
  CHECK(bed.vault().get(alice, "key").value() == "the-private-key");
  CHECK(bed.journal().was_seen(alice, "jti:x").value());
  CHECK(dispose(bed, *bed.services, credential_plan()) == "last");
  CHECK_FALSE(bed.vault().get(alice, "key").value().has_value());
  CHECK_FALSE(bed.journal().was_seen(alice, "jti:x").value());
  for (const char* agent : {"control-plane", "credential-service"})
    CHECK((*bed.journal().read_row({alice, "vpa", agent}))->status == "DISPOSED");
}

TEST_CASE("a disposal that was interrupted anywhere is taken up by the next call") {
  for (size_t failing = 1; failing <= 5; ++failing) {
    CAPTURE(failing);
    test_bed bed;
    settle(bed);
    persistence::faulty_journal journal(bed.journal());
    journal.set(faults{}.on(journal_op::erase, persistence::nth(failing),
                            failing % 2 == 0 ? journal_fault::done_but_reported_lost : journal_fault::unavailable));
    auto services = over(bed, journal);
    const auto first = dispose(bed, services, control_plan());
    const bool interrupted = first == "503";
    CHECK((interrupted || first == "last"));
    // The kinds, the entry of the list, the seen marks and the context go one after the other: each of these can be the
    // one that fails. As long as anything is left, the context is.
    CHECK((interrupted || failing > 4));
    if (interrupted && bed.journal().was_seen(alice, "jti:x").value())
      CHECK(bed.wait(cells::has_role(services, alice, "control-plane", cells::kinds::participant_context)).value());
    // A fault that the first call did not meet waits for the second one.
    auto next = dispose(bed, services, control_plan());
    if (!interrupted && next == "503")
      next = dispose(bed, services, control_plan());
    CHECK(next == "last");
    CHECK(rows_left(bed) == 0);
    CHECK_FALSE(bed.journal().was_seen(alice, "jti:x").value());
    CHECK_FALSE(bed.wait(cells::has_role(services, alice, "control-plane", cells::kinds::participant_context)).value());
    CHECK_FALSE(bed.vault().get(alice, "key").value().has_value());
  }
}

TEST_CASE("a creation that came to no agent gets its tombstone all the same") {
  test_bed bed;
  CHECK(dispose(bed, *bed.services, credential_plan()) == "last");
  const auto row = bed.journal().read_row({alice, "vpa", "credential-service"}).value();
  REQUIRE(row.has_value());
  CHECK(row->status == "DISPOSED");
}

TEST_CASE("what comes late for a disposed tenant makes nothing") {
  test_bed bed;
  settle(bed);
  CHECK(dispose(bed, *bed.services, control_plan()) == "last");
  planes::api::record_write w;
  w.kind = cells::kinds::asset;
  w.id = "late";
  w.body = "{}";
  const auto late = bed.wait(planes::api::write_record(*bed.services, alice, std::move(w), "Asset"));
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().status == 404);
  CHECK(rows_left(bed) == 0);
}

TEST_CASE("a data plane ends a participant's flows and erases them, and knows nothing of one it never served") {
  test_bed bed;
  using data_plane::data_flow;
  CHECK_FALSE(bed.wait(data_plane::remove_participant(*bed.services, alice, "gone")).value());
  CHECK_FALSE(bed.journal().read_row({alice, "vpa", "data-plane"}).value().has_value());
  data_flow::open o;
  o.message_id = "m1";
  o.terms.id = bed.runtime->fresh_id(alice).text();
  o.terms.participant_id = "did:web:alice";
  o.terms.agreement_id = "agreement";
  o.terms.dataset_id = "a1";
  o.terms.profile = "HttpData-PULL";
  o.token_digest = "digest";
  o.sealed_address = "sealed";
  const auto id = o.terms.id;
  bed.tell<data_flow>("alice", id, std::move(o));
  CHECK(bed.journal().resolve_name(data_plane::token_name_space, "digest").value().has_value());
  CHECK(bed.wait(data_plane::end_flows(*bed.services, alice, "gone")).value() == 0);
  CHECK((*bed.journal().read_row({alice, "data_flow", id}))->status == "TERMINATED");
  CHECK(bed.wait(data_plane::remove_participant(*bed.services, alice, "gone")).value());
  CHECK_FALSE(bed.journal().read_row({alice, "data_flow", id}).value().has_value());
  CHECK_FALSE(bed.journal().resolve_name(data_plane::token_name_space, "digest").value().has_value());
  CHECK_FALSE(bed.wait(data_plane::remove_participant(*bed.services, alice, "gone")).value());
}
