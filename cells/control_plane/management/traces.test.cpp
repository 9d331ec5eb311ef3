#include "cells/control_plane/management/test_bed.test.hpp"

#include "cells/control_plane/transfer_process.hpp"
#include "cells/span.hpp"

using namespace fondaco;
using control_plane::transfer_process;
using control_plane::testing::test_bed;

namespace {

constexpr const char* trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr const char* trace_id = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* peer = "https://peer.example/api/dsp/peer/closed";

/// The trace that an entity keeps from its first event on.
std::string kept_trace(test_bed& bed, std::string_view kind, const std::string& id) {
  const auto events = bed.journal().read_events({tenant("alice"), std::string(kind), id}, 0, 1);
  REQUIRE((events && !events->empty()));
  const auto body = json::parse(events->front().event.payload)->get_object();
  const auto* terms = json::object_at(body, "terms");
  const auto& holder = terms && terms->contains("traceparent") ? *terms : body;
  return cells::trace_id_of(json::string_at(holder, "traceparent").value_or(""));
}

std::string begin_transfer(test_bed& bed, gateway::http_headers headers) {
  const auto got = bed.send("alice", "POST", "participants/alice/transferprocesses",
                            test_bed::typed("TransferRequest", R"("counterPartyAddress":")" + std::string(peer) +
                                                                   R"(","profile":"closed","contractId":"agreement-1",)"
                                                                   R"("transferType":"HttpData-PULL")"),
                            std::move(headers));
  REQUIRE(got.status == 200);
  return got.text("@id");
}

} // namespace

TEST_CASE("a negotiation keeps the trace of the request that began it") {
  test_bed bed;
  bed.add_participant("alice");
  const auto got =
      bed.send("alice", "POST", "participants/alice/contractnegotiations",
               test_bed::typed("ContractRequest",
                               R"("counterPartyAddress":")" + std::string(peer) +
                                   R"(","profile":"closed","policy":{"@type":"Offer","@id":"o:1:2",)"
                                   R"("assigner":"peer","target":"asset-1","permission":[{"action":"use"}]})"),
               {{"traceparent", trace}});
  REQUIRE(got.status == 200);
  CHECK(kept_trace(bed, "negotiation", got.text("@id")) == trace_id);
}

TEST_CASE("a transfer goes on in its agreement's trace, unless its client names one") {
  test_bed bed;
  bed.add_participant("alice");
  // Agreements are negotiations' documents; here one is put in their place.
  persistence::entity_append append{{tenant("alice"), "negotiation", bed.runtime->fresh_id(tenant("alice")).text()}};
  append.shard = bed.runtime->shard_for(tenant("alice"));
  append.epoch = 1;
  append.events.push_back({"negotiation.finalized", 1, 'j', "{}", ""});
  append.status = "FINALIZED";
  append.view = "{}";
  append.at = from_epoch_ms(1000);
  append.documents.push_back({cells::kinds::contract_agreement, "agreement-1",
                              json::write(json::object{{"role", "CONSUMER"},
                                                       {"state", "FINALIZED"},
                                                       {"counterPartyId", "peer"},
                                                       {"assetId", "asset-1"},
                                                       {"traceparent", trace}})});
  const auto written = bed.journal().append({&append, 1});
  REQUIRE((written.size() == 1 && written[0]));
  CHECK(kept_trace(bed, transfer_process::kind, begin_transfer(bed, {})) == trace_id);
  const std::string own = "00-33333333333333333333333333333333-4444444444444444-01";
  CHECK(kept_trace(bed, transfer_process::kind, begin_transfer(bed, {{"traceparent", own}})) == own.substr(3, 32));
}

TEST_CASE("a policy on credentials may be kept, one on an unknown operand may not") {
  test_bed bed;
  bed.add_participant("alice");
  const auto status = [&](const std::string& left) {
    const auto body = test_bed::typed(
        "PolicyDefinition", R"("policy":{"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":")" +
                                left + R"(","operator":"eq","rightOperand":"active"}]}]})");
    return bed.send("alice", "POST", "participants/alice/policydefinitions", body).status;
  };
  CHECK(status("MembershipCredential") == 200);
  CHECK(status("MembershipCredential.level") == 200);
  CHECK(status("https://w3id.org/dataspace/policy/MembershipCredential") == 200);
  CHECK(status("Membership") == 400);
}
