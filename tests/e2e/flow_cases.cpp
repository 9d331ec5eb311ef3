#include <algorithm>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr int small_window_bytes = 64 << 10;

void check_pull(world& w, const access& a) {
  running_pull pull(a.endpoint, a.authorization);
  check_equal("the status of a pull", pull.status(), 200);
  check(pull.finish(),
        "a pull ended after " + std::to_string(pull.bytes()) + " of " + std::to_string(pull.length()) + " bytes");
  check_equal("the SHA-256 of what was pulled", pull.digest(), sha256_of_file(w.data_file));
}

void check_refused(const access& a, const std::string& when) {
  running_pull pull(a.endpoint, a.authorization);
  check_equal("the status of a pull " + when, pull.status(), 403);
}

// The sequence numbers of the history of this kind's entity are 1, 2, 3, and its types hold these in their order. A
// provider's data flow has the id of its transfer, so an id alone may have two histories.
void check_history(const node& at, const std::string& kind, const std::string& id,
                   const std::vector<std::string>& types) {
  auto said = at.ctl({"--json", "history", id});
  check_equal("the exit code of ctl history", said.code, 0);
  auto list = json::parse(said.out).as_array();
  auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& one) { return text_at(one.as_object(), "kind") == kind; });
  check(found != list.end(), "there is no history of a " + kind + " with the id " + id + ": " + said.out);
  int64_t sequence = 0;
  size_t met = 0;
  for (const auto& e : array_at(found->as_object(), "events")) {
    check_equal("a sequence number of " + id, e.as_object().at("sequence").as_int64(), ++sequence);
    if (met < types.size() && text_at(e.as_object(), "type") == types[met])
      ++met;
  }
  check(met == types.size(), "the history of " + id + " at " + at.name() + " has no " +
                                 (met < types.size() ? types[met] : "") + " at its place: " + said.out);
}

void check_why(const node& at, const std::string& id, const std::string& word) {
  auto said = at.ctl({"why", id});
  check_equal("the exit code of ctl why", said.code, 0);
  check(said.out.find(word) != std::string::npos, "why at " + at.name() + " does not say '" + word + "': " + said.out);
}

void negotiate(bed& b) {
  auto& w = b.shared();
  auto negotiation = agree(w, w.globex, w.acme, "dataset-1");
  auto other = correlated(w, w.globex, "/contractnegotiations/" + negotiation);
  auto here = agreement_of(w, w.globex, negotiation), there = agreement_of(w, w.acme, other);
  for (const char* name : {"agreementId", "assetId", "providerId", "consumerId", "contractSigningDate", "policy"}) {
    check(here.contains(name), std::string("an agreement has no ") + name);
    check(here.at(name) == there.at(name), std::string("the two sides' agreements differ in ") + name + ": " +
                                               json::serialize(here) + " and " + json::serialize(there));
  }
  check_equal("the agreement's asset", text_at(here, "assetId"), "dataset-1");
  check_equal("the agreement's provider", text_at(here, "providerId"), w.acme.identity);
  check_equal("the agreement's consumer", text_at(here, "consumerId"), w.globex.identity);
  check(json::serialize(here.at("policy")).find("attribute.region") != std::string::npos,
        "the agreement does not hold the contract policy's constraint");
  check_history(w.consumer, "negotiation", negotiation,
                {"negotiation.requested", "negotiation.agreed", "negotiation.verified"});
  check_history(w.provider, "negotiation", other,
                {"negotiation.agreed", "negotiation.verified", "negotiation.finalized"});
  check_why(w.consumer, negotiation, "FINALIZED");
  check_why(w.provider, other, "FINALIZED");
  auto by_agreement =
      w.consumer_admin.call("GET", w.globex.path("/contractagreements/" + text_at(here, "@id") + "/negotiation"));
  check_equal("the agreement's negotiation", text_at(by_agreement.as_object(), "@id"), negotiation);
}

void pull_suspend_resume_end(bed& b) {
  auto& w = b.shared();
  auto agreement = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, "dataset-1")), "@id");
  auto transfer = start_transfer(w, w.globex, w.acme, agreement);
  const auto path = "/transferprocesses/" + transfer;
  auto other = correlated(w, w.globex, path);
  const auto other_path = "/transferprocesses/" + other;
  auto first = access_of(w, w.globex, transfer);
  check_pull(w, first);
  running_pull broken(first.endpoint, first.authorization, small_window_bytes);
  auto stop = managed("SuspendTransfer");
  stop["reason"] = "a pause for maintenance";
  w.provider_admin.call("POST", w.acme.path(other_path + "/suspend"), stop);
  await_state(w, w.acme, other_path, "SUSPENDED");
  await_state(w, w.globex, path, "SUSPENDED");
  check(!broken.finish(), "a pull that ran while its transfer was suspended came whole");
  check_refused(first, "while the transfer is suspended");
  w.provider_admin.call("POST", w.acme.path(other_path + "/resume"));
  await_state(w, w.acme, other_path, "STARTED");
  await_state(w, w.globex, path, "STARTED");
  auto second = access_of(w, w.globex, transfer);
  check(second.authorization != first.authorization, "a resumed transfer has the token from before");
  check_refused(first, "with the token from before the suspension");
  check_pull(w, second);
  auto end = managed("TerminateTransfer");
  end["reason"] = "we have all that we need";
  w.consumer_admin.call("POST", w.globex.path(path + "/terminate"), end);
  await_state(w, w.globex, path, "TERMINATED");
  await_state(w, w.acme, other_path, "TERMINATED");
  check_refused(second, "after the transfer's end");
  for (const auto* n : {&w.consumer, &w.provider})
    check_why(*n, n == &w.consumer ? transfer : other, "we have all that we need");
  const std::vector<std::string> told{"transfer.requested", "transfer.started", "transfer.suspended",
                                      "transfer.started", "transfer.terminated"};
  check_history(w.provider, "transfer_process", other, told);
  check_history(w.consumer, "transfer_process", transfer, told);
  check_history(w.provider, "data_flow", other,
                {"data_flow.started", "data_flow.suspended", "data_flow.resumed", "data_flow.terminated"});
}

void suspend_by_consumer(bed& b) {
  auto& w = b.shared();
  auto agreement = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, "dataset-1")), "@id");
  auto transfer = start_transfer(w, w.globex, w.acme, agreement);
  const auto path = "/transferprocesses/" + transfer;
  const auto other_path = "/transferprocesses/" + correlated(w, w.globex, path);
  auto first = access_of(w, w.globex, transfer);
  w.consumer_admin.call("POST", w.globex.path(path + "/suspend"), managed("SuspendTransfer"));
  await_state(w, w.globex, path, "SUSPENDED");
  await_state(w, w.acme, other_path, "SUSPENDED");
  wait_for("the data plane to refuse a suspended flow", [&](std::string& saw) -> std::optional<bool> {
    running_pull pull(first.endpoint, first.authorization);
    saw = std::to_string(pull.status());
    return pull.status() == 403 ? std::optional(true) : std::nullopt;
  });
  w.consumer_admin.call("POST", w.globex.path(path + "/resume"));
  await_state(w, w.globex, path, "STARTED");
  await_state(w, w.acme, other_path, "STARTED");
  check_pull(w, access_of(w, w.globex, transfer));
}

void wrong_orders(bed& b) {
  auto& w = b.shared();
  auto negotiation = agree(w, w.globex, w.acme, "dataset-1");
  auto agreement = text_at(agreement_of(w, w.globex, negotiation), "@id");
  auto got = w.consumer_admin.send("POST", w.globex.path("/contractnegotiations/" + negotiation + "/terminate"),
                                   managed("TerminateNegotiation"));
  check_equal("the status of terminating a FINALIZED negotiation", got.status, 409);
  auto transfer = start_transfer(w, w.globex, w.acme, agreement);
  got = w.consumer_admin.send("POST", w.globex.path("/transferprocesses/" + transfer + "/resume"));
  check_equal("the status of resuming a STARTED transfer", got.status, 409);
  check_equal("the transfer's state", state_of(w, w.globex, "/transferprocesses/" + transfer), "STARTED");
}

void follow_path(bed& b) {
  auto& w = b.shared();
  for (const char* path : {"/etc/passwd", "/data/../../../etc/passwd"}) {
    auto asset = "outside-" + random_hex(4);
    publish(w.provider_admin, w.acme, asset, file_address(path), policy("attribute.membership", "active"),
            policy("attribute.region", "eu"));
    auto agreement = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, asset)), "@id");
    auto a = access_of(w, w.globex, start_transfer(w, w.globex, w.acme, agreement));
    auto got = send("GET", a.endpoint, {{"Authorization", a.authorization}});
    check_equal("the status of pulling a file outside of the roots", got.status, 404);
    check(got.body.find("root:") == std::string::npos, "a file outside of the roots was served");
  }
}

} // namespace

cases flow_cases() {
  return {
      {"a negotiation ends FINALIZED on both sides with the same agreement, and history and why tell it", negotiate},
      {"64 MiB are pulled whole; suspension breaks a running pull off and refuses new ones, a resume brings another "
       "token, the end refuses for good",
       pull_suspend_resume_end},
      {"a consumer suspends and resumes its transfer and pulls again", suspend_by_consumer},
      {"an order that the state does not allow is answered 409 and changes nothing", wrong_orders},
      {"an asset cannot name a file outside of the data plane's folders", follow_path}};
}

} // namespace fondaco::e2e
