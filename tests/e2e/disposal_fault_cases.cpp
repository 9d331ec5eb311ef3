// The end of a tenant in the middle of a pull, at either side.

#include "e2e/fault_bed.hpp"
#include "e2e/onboarding_audit.hpp"
#include "e2e/raw.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

/// More than all buffers between a data plane and a reader that does not read.
constexpr size_t bulk_bytes = 32u << 20;
constexpr int window_bytes = 32 << 10;

std::string below(const tenancy& t, const std::string& rest) {
  return "/api/management/v5beta/participants/" + t.context + rest;
}

/// A transfer that a consumer pulls from, slowly.
struct slow_transfer {
  std::string negotiation;
  std::string id;
  std::string provider_id;
  std::unique_ptr<running_pull> pull;
};

slow_transfer begin_pull(fabric& f, const tenancy& consumer, const tenancy& provider, const std::string& asset) {
  slow_transfer t;
  t.negotiation = f.negotiate(consumer, provider, asset, f.find_offer(consumer, provider, asset));
  f.await_process(consumer, "/contractnegotiations/" + t.negotiation, "FINALIZED");
  t.id = f.start_transfer(consumer, provider, t.negotiation);
  f.await_process(consumer, "/transferprocesses/" + t.id, "STARTED");
  auto& who = f.at(f.control());
  const auto shown = who.call("GET", below(consumer, "/transferprocesses/" + t.id));
  t.provider_id = text_at(shown.as_object(), "correlationId");
  const auto edr = who.call("GET", below(consumer, "/edrs/" + t.id + "/dataaddress")).as_object();
  t.pull = std::make_unique<running_pull>(text_at(edr, "endpoint"), text_at(edr, "authorization"), window_bytes);
  check_equal("the status of the pull", t.pull->status(), 200);
  check_equal("the length of the pull", t.pull->length(), uint64_t{bulk_bytes});
  return t;
}

/// Fails if a store has more of a tenant than its tombstones. What its partners keep of their dealings is theirs.
void check_erased(fabric& f, store_kind kind, const tenancy& t) {
  const auto mine = "tenant = '" + t.context + "'";
  const std::pair<const char*, std::string> queries[] = {
      {"entity",
       "select kind || ' ' || status from entity where " + mine + " and not (kind = 'vpa' and status = 'DISPOSED')"},
      {"event", "select j.type from journal j join entity e on j.entity = e.key where e.kind <> 'vpa' and e." + mine},
      {"document", "select kind || ' ' || id from document where " + mine},
      {"secret", "select name from secret where " + mine},
      {"name", "select space || ' ' || name from name where " + mine},
      {"mark", "select id from seen where " + mine}};
  std::string left;
  for (const auto& n : f.nodes())
    for (const auto& [what, query] : queries)
      for (const auto& row : select(*n, kind, query))
        left += "\n  " + n->name() + ": " + what + " " + row.at(0);
  check(left.empty(), "what a disposed tenant leaves in the stores:" + left);
}

/// Disposes of one side of a running pull: the pull ends, the other side's transfer too, and nothing of the tenant is
/// left.
void end_one(bed& b, fabric& f, tenancy& ending, const tenancy& staying, slow_transfer& t,
             const std::string& staying_transfer) {
  // So that nobody remembers the memberships that were good a moment ago: one of them is revoked before the ends are
  // told.
  f.control().kill();
  restart(f, f.control());
  f.dispose(ending);
  f.await_process(staying, "/transferprocesses/" + staying_transfer, "TERMINATED");
  await_why(
      f.control(), staying_transfer,
      "The counterparty said: The counterparty terminated the process: The participant context is being removed.");
  check(!t.pull->finish(), "a pull of a tenant that is gone went on to its end");
  f.await_disposed(ending);
  await_why(f.cfm(), ending.profile, "The participant_profile is DISPOSED");
  check_erased(f, b.kind(), ending);
  check_apis_forgot(f, {ending});
}

void run_provider_goes(bed& b, fault_bed& all) {
  auto& f = all.whole(b);
  auto seller = f.begin("seller");
  f.await_active(seller);
  publish_bytes(f, seller, "bulk", bulk_bytes);
  auto t = begin_pull(f, all.globex(), seller, "bulk");
  end_one(b, f, seller, all.globex(), t, t.id);
  check_equal("the negotiation that the consumer keeps",
              f.process_state(all.globex(), "/contractnegotiations/" + t.negotiation), std::string("FINALIZED"));
  check(!f.find_offer(all.globex(), all.harbour(), "cargo").empty(), "the consumer finds nothing elsewhere");
}

void run_consumer_goes(bed& b, fault_bed& all) {
  auto& f = all.whole(b);
  auto buyer = f.begin("buyer");
  f.await_active(buyer);
  publish_bytes(f, all.harbour(), "bulk", bulk_bytes);
  auto t = begin_pull(f, buyer, all.harbour(), "bulk");
  end_one(b, f, buyer, all.harbour(), t, t.provider_id);
  check(!f.find_offer(all.globex(), all.harbour(), "bulk").empty(), "the provider serves nobody else any more");
}

} // namespace

cases disposal_fault_cases(const std::shared_ptr<fault_bed>& shared) {
  return {{"a provider that is disposed of in the middle of a pull ends it, its consumer's transfer ends and why says "
           "by whom",
           [shared](bed& b) { run_provider_goes(b, *shared); }},
          {"a consumer that is disposed of in the middle of a pull ends it, its provider's transfer ends and why says "
           "by whom",
           [shared](bed& b) { run_consumer_goes(b, *shared); }}};
}

} // namespace fondaco::e2e
