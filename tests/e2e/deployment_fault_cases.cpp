// Deployments that are asked for twice, and those that came to half of it.

#include <algorithm>

#include "e2e/fault_bed.hpp"
#include "e2e/onboarding_audit.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* tenants = "/api/v1alpha1/tenants";

std::string profiles_of(const tenancy& t) { return std::string(tenants) + "/" + t.tenant + "/participant-profiles"; }

std::string profile_of(const tenancy& t) { return profiles_of(t) + "/" + t.profile; }

std::string make_tenant(fabric& f, const std::string& name) {
  const auto made = f.at(f.cfm()).call("POST", tenants, {{"properties", json::object{{"name", name}}}});
  return text_at(made.as_object(), "id");
}

json::object profile_body(fabric& f, const std::string& did) {
  json::object body{{"identifier", did}};
  body["dataspaceProfileIds"] = json::array{json::value(f.dataspace_profile("members"))};
  body["vpaProperties"] = json::object{{"cfm.issuer", json::object{{"membership", json::object{{"level", "full"}}}}}};
  return body;
}

answer deploy(fabric& f, const tenancy& t, const json::object& body, const std::string& idempotency_key) {
  return f.at(f.cfm()).send("POST", profiles_of(t), body, {{"Idempotency-Key", idempotency_key}});
}

void check_refused(const std::string& what, const answer& got, const std::string& reason) {
  check_equal("the status of " + what, got.status, 409);
  check(got.body.find(reason) != std::string::npos, what + " was refused, but not since '" + reason + "': " + got.body);
}

/// How many orchestrations were begun for a profile.
size_t orchestrations_for(fabric& f, const tenancy& t) {
  const json::object predicate{{"predicate", "correlationId = '" + t.profile + "'"}};
  const auto found = f.at(f.cfm()).call("POST", "/api/v1alpha1/orchestrations/query", predicate);
  return found.is_array() ? found.get_array().size() : 0;
}

void run_repeated(bed& b, fault_bed& all) {
  auto& f = all.whole(b);
  tenancy twice{"twice", make_tenant(f, "twice"), "", ""};
  const auto body = profile_body(f, f.did("twice"));
  const auto first = deploy(f, twice, body, "twice-1");
  check_equal("the status of the first deployment", first.status, 202);
  twice.profile = text_at(first.object(), "id");
  const auto again = deploy(f, twice, body, "twice-1");
  check_equal("the status of the same request again", again.status, 202);
  check_equal("the id that it answers", text_at(again.object(), "id"), twice.profile);
  check_refused("another request with its key", deploy(f, twice, profile_body(f, f.did("thrice")), "twice-1"),
                "was made by another request");
  const std::string taken = "another participant profile has the identifier";
  check_refused("a second profile with the DID", deploy(f, twice, body, "twice-2"), taken);
  const tenancy stranger{"stranger", make_tenant(f, "stranger"), "", ""};
  check_refused("another tenant's profile with the DID", deploy(f, stranger, body, "stranger-1"), taken);
  f.await_active(twice);
  check_equal("the id that it answers in the end", text_at(deploy(f, twice, body, "twice-1").object(), "id"),
              twice.profile);
  check_equal("the number of orchestrations", orchestrations_for(f, twice), size_t{1});
  for (const auto& [t, count] : {std::pair{twice, size_t{1}}, {stranger, size_t{0}}}) {
    const auto listed = f.at(f.cfm()).call("GET", profiles_of(t));
    check_equal("the number of profiles of " + t.name, listed.as_array().size(), count);
  }
  // The DID is free again once its profile is disposed of.
  f.dispose(twice);
  f.await_disposed(twice);
  auto next = stranger;
  const auto made = deploy(f, next, body, "stranger-2");
  check_equal("the status of a deployment with the DID of a disposed profile", made.status, 202);
  next.profile = text_at(made.object(), "id");
  f.await_active(next);
}

/// The activities that an orchestration has done.
json::object done_of(fabric& f, const std::string& orchestration) {
  const auto shown = f.at(f.cfm()).call("GET", "/api/v1alpha1/orchestrations/" + orchestration);
  return object_at(shown.as_object(), "completed");
}

void await_done(fabric& f, const std::string& orchestration, const std::string& activity) {
  wait_for("the activity " + activity, [&](std::string& saw) -> std::optional<bool> {
    const auto done = done_of(f, orchestration);
    saw = json::serialize(done);
    return done.contains(activity) ? std::optional(true) : std::nullopt;
  });
}

void await_state(fabric& f, const tenancy& t, const std::vector<std::string>& wanted) {
  wait_for(t.name + " to be " + wanted.front(), [&](std::string& saw) -> std::optional<bool> {
    saw = f.state(t) + "; " + why(f.cfm(), t.profile);
    return std::ranges::count(wanted, f.state(t)) > 0 ? std::optional(true) : std::nullopt;
  });
}

void run_half_done(bed& b, fault_bed& all) {
  auto& f = all.whole(b);
  // Of one nothing is at the credential group when that falls, of the other almost everything.
  auto late = f.begin("half-late");
  await_done(f, orchestration_of(f, late), "identity");
  f.credentials().kill();
  auto early = f.begin("half-early");
  const auto deployment = orchestration_of(f, early);
  await_done(f, deployment, "connector");
  check_refused("the disposal of what is being deployed", f.at(f.cfm()).send("DELETE", profile_of(early)),
                "is being deployed");
  await_state(f, early, {"error"});
  await_state(f, late, {"error", "active"});
  const auto unreachable = "There was no answer from " + f.credentials().url("management");
  // The registration, which runs beside it, may have failed before.
  await_why(f.cfm(), early.profile, "This side said: The deployment failed: ");
  await_why(f.cfm(), early.profile, "The activity 'identity' failed: " + unreachable);
  await_why(f.cfm(), deployment, "The orchestration is ERRORED");
  for (auto* t : {&early, &late}) {
    const auto shown = f.at(f.cfm()).call("GET", profile_of(*t)).as_object();
    t->context = text_at(object_at(object_at(shown, "properties"), "cfm.vpa.state"), "participantContextId");
    const auto made = f.at(f.control()).send("GET", "/api/management/v5beta/participants/" + t->context);
    check_equal("the status of what was made of " + t->name, made.status, 200);
    f.dispose(*t);
  }
  await_why(f.cfm(), orchestration_of(f, early), "since: " + unreachable);
  restart(f, f.credentials());
  f.await_disposed(early);
  f.await_disposed(late);
  await_why(f.cfm(), early.profile, "The participant_profile is DISPOSED");
  check_traces(traces_of(f, b.kind(), {early, late}));
  check_apis_forgot(f, {early, late});
  auto next = f.begin("half-early");
  f.await_active(next);
}

} // namespace

cases deployment_fault_cases(const std::shared_ptr<fault_bed>& shared) {
  return {{"a deployment that is asked for again is the same one, and a DID has one participant profile at a time",
           [shared](bed& b) { run_repeated(b, *shared); }},
          {"a deployment that came to half of it errs, why says at what, its disposal leaves nothing, and its DID can "
           "be had again",
           [shared](bed& b) { run_half_done(b, *shared); }}};
}

} // namespace fondaco::e2e
