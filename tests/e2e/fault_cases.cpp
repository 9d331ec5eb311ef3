// What falls in onboarding and trust, and who goes on: the CFM with its broker, the credential group, the onboarding
// service.

#include <cstdlib>

#include "e2e/fault_bed.hpp"
#include "e2e/onboarding_chaos.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

using shared_bed = std::shared_ptr<fault_bed>;

/// A negotiation is under way when `strike` falls; it and a transfer after it come to their good ends all the same.
template <class F>
void share_without_cfm(fabric& f, const tenancy& provider, const tenancy& consumer, const std::string& asset,
                       const std::string& contents, F strike) {
  const auto offer = f.find_offer(consumer, provider, asset);
  check(!offer.empty(), "the catalog has no " + asset);
  std::string negotiation;
  {
    // Without it nobody can present a credential, so the negotiation cannot end before the strike.
    const paused held(f.credentials());
    negotiation = "/contractnegotiations/" + f.negotiate(consumer, provider, asset, offer);
    strike();
    check(f.process_state(consumer, negotiation) != "FINALIZED", "the negotiation ended before anything was killed");
  }
  f.await_process(consumer, negotiation, "FINALIZED");
  const auto id = negotiation.substr(negotiation.rfind('/') + 1);
  await_why(f.control(), id, "The negotiation is FINALIZED");
  const auto transfer = f.start_transfer(consumer, provider, id);
  f.await_process(consumer, "/transferprocesses/" + transfer, "STARTED");
  check(f.pull(consumer, transfer).body == contents, "what was pulled without the CFM is not the file");
}

void cfm_falls(bed& b, fault_bed& all) {
  auto& f = all.whole(b);
  share_without_cfm(f, all.harbour(), all.globex(), "cargo", all.cargo(), [&] { f.cfm().kill(); });
  restart(f, f.cfm());
  auto late = f.begin("late");
  f.await_active(late);
  check(!f.find_offer(late, all.harbour(), "cargo").empty(), "who was onboarded afterwards finds nothing");
}

void broker_falls(bed& b) {
  const auto folder = b.fresh_folder();
  nats_process nats(folder + "/nats");
  nats.start();
  fabric_options o;
  o.kind = b.kind();
  o.split = true;
  o.nats_url = nats.url();
  fabric f(folder, o);
  f.start();
  auto harbour = f.begin("harbour"), globex = f.begin("globex");
  f.await_active(harbour);
  f.await_active(globex);
  const auto contents = publish_bytes(f, harbour, "cargo", 4096);
  share_without_cfm(f, harbour, globex, "cargo", contents, [&] {
    f.cfm().kill();
    nats.kill();
  });
  restart(f, f.cfm());
  auto late = f.begin("late");
  await_why(f.cfm(), late.profile, "It waits for the broker to take the manifest ");
  nats.start();
  f.await_active(late);
}

void credential_group_falls(bed& b, fault_bed& all) {
  auto& f = all.whole(b);
  f.credentials().kill();
  auto patient = f.begin("patient");
  const auto orchestration = orchestration_of(f, patient);
  await_why(f.cfm(), orchestration, "since: There was no answer from " + f.credentials().url("management"));
  check_equal("the state of the tenant meanwhile", f.state(patient), std::string("pending"));
  restart(f, f.credentials());
  f.await_active(patient);
  await_why(f.cfm(), orchestration, "The orchestration is COMPLETED");
  check(!f.find_offer(patient, all.harbour(), "cargo").empty(), "the tenant has no membership in the end");
}

void onboarding_falls(bed& b, fault_bed& all) {
  constexpr const char* applications = "/api/onboarding/v1/applications";
  auto& f = all.whole(b);
  json::object body{{"organisation", "applicant"}, {"identifier", f.did("applicant")}};
  body["dataspaceProfileIds"] = json::array{json::value(f.dataspace_profile("members"))};
  body["attestation"] = json::object{{"membership", json::object{{"level", "full"}}}};
  const auto id = text_at(f.at(f.cfm()).call("POST", applications, body).as_object(), "id");
  const auto path = std::string(applications) + "/" + id;
  await_why(f.cfm(), id, "It waits for a decision.");
  f.at(f.cfm()).call("POST", path + "/decision", {{"approved", true}, {"reason", "legal checks passed"}});
  f.cfm().kill();
  restart(f, f.cfm());
  const auto shown = wait_for("the application to be ACTIVE", [&](std::string& saw) -> std::optional<json::object> {
    saw = why(f.cfm(), id);
    auto now = f.at(f.cfm()).call("GET", path).as_object();
    check(text_at(now, "state") != "FAILED", "the provisioning failed: " + saw);
    return text_at(now, "state") == "ACTIVE" ? std::optional(std::move(now)) : std::nullopt;
  });
  check_equal("who decided", text_at(shown, "reason"), std::string("legal checks passed"));
  const tenancy applicant{"applicant", text_at(shown, "tenantId"), text_at(shown, "participantProfileId"),
                          text_at(shown, "participantContextId")};
  check(!f.find_offer(applicant, all.harbour(), "cargo").empty(), "the applicant finds nothing");
  await_why(f.cfm(), id, "The application is ACTIVE");
}

} // namespace

cases fault_cases() {
  auto all = std::make_shared<fault_bed>();
  cases out{
      {"the CFM is killed while a negotiation runs: the negotiation, a transfer and the pull go on without it, and "
       "it onboards the next tenant when it is back",
       [all](bed& b) { cfm_falls(b, *all); }},
      {"a tenant whose credential group is down waits, why says for whom, and it is active when the group is back",
       [all](bed& b) { credential_group_falls(b, *all); }},
      {"an application that was decided on is taken up by the next process when the onboarding service is killed",
       [all](bed& b) { onboarding_falls(b, *all); }}};
  if (std::getenv("FONDACO_TEST_NATS"))
    out.push_back({"the CFM and nats-server are killed while a negotiation runs, and nothing of it is lost; a tenant "
                   "waits for the broker, and why says so",
                   broker_falls});
  for (const auto& topic : {deployment_fault_cases, disposal_fault_cases, did_fault_cases, presentation_fault_cases})
    for (auto& one : topic(all))
      out.push_back(std::move(one));
  return out;
}

} // namespace fondaco::e2e
