// Presentations that prove nothing: each is refused by the provider that verifies it, and why says which check failed.

#include "e2e/fault_bed.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

/// A fault, and what both sides are told of it.
struct presentation_fault {
  const char* what;
  void (*spoil)(presentation_draft&, const counterparty&);
  /// `{did}` is the caller's DID.
  const char* reason;
};

const presentation_fault faults[] = {
    {"an expired presentation", [](presentation_draft& d, const counterparty&) { d.presentation_lifetime_s = -60; },
     "The presentation does not hold: "},
    {"an expired credential", [](presentation_draft& d, const counterparty&) { d.credential_lifetime_s = -60; },
     "The credential MembershipCredential is not in time: "},
    {"another holder's credential", [](presentation_draft& d, const counterparty& c) { d.subject = c.stranger.did; },
     "The credential MembershipCredential is about {stranger}, but the caller is {did}."},
    {"another holder's presentation",
     [](presentation_draft& d, const counterparty& c) {
       d.holder = d.signer = &c.stranger;
       d.subject = c.stranger.did;
     },
     "The presentation is {stranger}'s, but the caller is {did}."},
    {"a presentation that another holder signed",
     [](presentation_draft& d, const counterparty& c) { d.signer = &c.stranger; },
     "The presentation is signed with a key of {stranger}, but it is {did}'s."},
    {"a presentation for another verifier",
     [](presentation_draft& d, const counterparty& c) { d.audience = c.stranger.did; },
     "The presentation does not hold: "},
    {"a presentation that was tampered with",
     [](presentation_draft& d, const counterparty&) { d.presentation_tampered = true; },
     "The presentation has a signature that does not hold: "},
    {"a credential that was tampered with",
     [](presentation_draft& d, const counterparty&) { d.credential_tampered = true; },
     "The credential MembershipCredential has a signature that does not hold: "},
    {"a credential of an issuer that nobody trusts",
     [](presentation_draft& d, const counterparty& c) { d.issuer = &c.untrusted; },
     "The issuer {untrusted} is not trusted for MembershipCredential in dataspace profile 'dataspace'."}};

/// The provider whom the test asks, and the test as its counterparty.
class asking {
public:
  asking(bed& b, fault_bed& all) : f_(all.whole(b)), other_(all.other()), dsp_(f_.dsp(all.harbour())) { good(); }
  ~asking() { good(); }

  counterparty& other() { return other_; }
  const std::string& dsp() const { return dsp_; }
  std::string token() const { return other_.token(f_.did("harbour")); }
  void good() { other_.present(); }
  void spoil(const presentation_fault& fault) {
    other_.present([this, &fault](presentation_draft& d) { fault.spoil(d, other_); });
  }
  std::string reason(const presentation_fault& fault) const {
    auto out = replaced(fault.reason, "{did}", other_.holder.did);
    out = replaced(out, "{stranger}", other_.stranger.did);
    return replaced(out, "{untrusted}", other_.untrusted.did);
  }

  json::object catalog() const {
    const auto a = ask_catalog(dsp_, token());
    check_equal("the status of a good counterparty's catalog", a.got.status, 200);
    return a.got.object();
  }
  void check_served() const {
    check(json::serialize(catalog()).find("\"cargo\"") != std::string::npos, "a good counterparty's catalog is empty");
  }
  /// Both sides are told the same: the caller at once, the provider's operator by the id.
  void check_refused(const std::string& what, const traced_answer& a, const std::string& type, const std::string& id,
                     const std::string& reason) const {
    check_dsp_error("a request with " + what, a.got, 401, type);
    check(replaced(a.got.body, "\\/", "/").find(reason) != std::string::npos,
          "the refusal of " + what + " does not say '" + reason + "': " + a.got.body);
    const auto said = why(f_.control(), id);
    check(said.find(reason) != std::string::npos && said.find(other_.holder.did) != std::string::npos,
          "why of " + what + " does not say '" + reason + "', but: " + said);
  }
  const node& provider() const { return f_.control(); }

private:
  fabric& f_;
  counterparty& other_;
  std::string dsp_;
};

void run_faults(bed& b, fault_bed& all) {
  asking a(b, all);
  a.check_served();
  for (const auto& fault : faults) {
    a.spoil(fault);
    const auto asked = a.other().presented();
    const auto got = ask_catalog(a.dsp(), a.token());
    check(a.other().presented() == asked + 1, std::string("nobody asked for ") + fault.what);
    a.check_refused(fault.what, got, "CatalogError", got.trace_id, a.reason(fault));
    a.good();
    a.check_served();
  }
}

/// The first request of a negotiation, of an offer that a good counterparty got.
json::object contract_request(const asking& a, const std::string& provider_did, const std::string& consumer_pid) {
  json::object offer;
  const auto catalog = a.catalog();
  for (const auto& d : array_at(catalog, "dataset"))
    if (text_at(d.as_object(), "@id") == "cargo")
      offer = array_at(d.as_object(), "hasPolicy").at(0).as_object();
  check(!offer.empty(), "there is no offer of cargo");
  offer["target"] = "cargo";
  offer["assigner"] = provider_did;
  auto m = message("ContractRequestMessage");
  m["consumerPid"] = consumer_pid;
  m["offer"] = std::move(offer);
  m["callbackAddress"] = "http://127.0.0.1:9/dsp";
  return m;
}

void run_request(bed& b, fault_bed& all) {
  asking a(b, all);
  const auto& fault = faults[0];
  const auto pid = "urn:uuid:" + random_uuid();
  const auto body = contract_request(a, all.whole(b).did("harbour"), pid);
  a.spoil(fault);
  const auto refused = tell(a.dsp() + "/negotiations/request", a.token(), body);
  a.check_refused(fault.what, refused, "ContractNegotiationError", pid, a.reason(fault));
  a.good();
  const auto taken = tell(a.dsp() + "/negotiations/request", a.token(), body);
  check_equal("the status of the same request with a good presentation: " + taken.got.body, taken.got.status, 201);
}

void run_replays(bed& b, fault_bed& all) {
  asking a(b, all);
  const auto once = random_uuid();
  a.other().present([&once](presentation_draft& d) { d.jti = once; });
  a.check_served();
  const auto again = ask_catalog(a.dsp(), a.token());
  a.check_refused("a presentation that was seen", again, "CatalogError", again.trace_id,
                  "The presentation was seen before.");
  a.good();
  // Whoever sends a token that was seen may be anybody: the log says it, and nothing is kept under the holder's name.
  const auto token = a.token();
  check_equal("the status of the first request with a token", ask_catalog(a.dsp(), token).got.status, 200);
  const auto asked = a.other().presented();
  const auto replayed = ask_catalog(a.dsp(), token);
  check_dsp_error("a token that was seen", replayed.got, 401, "CatalogError");
  const std::string reason = "The token was seen before: its jti may be used once.";
  check(replayed.got.body.find(reason) != std::string::npos, "the refusal says " + replayed.got.body);
  check_equal("the presentations that were asked for", a.other().presented(), asked);
  const auto log = a.provider().log();
  const auto at = log.find(reason);
  check(at != std::string::npos && log.find(replayed.trace_id) != std::string::npos, "the log does not say why");
  a.check_served();
}

} // namespace

cases presentation_fault_cases(const std::shared_ptr<fault_bed>& shared) {
  return {{"an expired, foreign, tampered or untrusted presentation is refused, and why says which check failed",
           [shared](bed& b) { run_faults(b, *shared); }},
          {"a contract request without a good presentation makes no process: why explains its consumerPid, and it can "
           "be sent again",
           [shared](bed& b) { run_request(b, *shared); }},
          {"a presentation counts once, and so does a token", [shared](bed& b) { run_replays(b, *shared); }}};
}

} // namespace fondaco::e2e
