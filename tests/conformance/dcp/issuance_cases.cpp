#include "conformance/dcp/cases.hpp"

namespace fondaco::conformance::dcp {

namespace {

using message_maker = json::object (*)(const world&);

/// An API of the credential service that the issuer calls.
struct issuer_call {
  std::string prefix, path;
  message_maker message;
};

json::object full_offer(const world& w) {
  const json::object offered{{"id", random_uuid()},
                             {"type", "CredentialObject"},
                             {"credentialType", membership},
                             {"offerReason", "reissue"},
                             {"bindingMethods", json::array{"did:web:"}},
                             {"profile", jwt_profile_1_1},
                             {"issuancePolicy", json::object()}};
  return {{"@context", json::array{dcp_context}},
          {"type", "CredentialOfferMessage"},
          {"issuer", w.issuer.did},
          {"credentials", json::array{json::value(offered)}}};
}

std::string service_under_test(world& w) { return w.service_of(w.config().did_holder, "CredentialService"); }

void run_fault(world& w, const issuer_call& c, const fault& f) {
  auto url = service_under_test(w) + c.path;
  auto token = w.token(w.issuer, w.config().did_holder);
  if (f.token != nullptr) {
    f.token(token, w);
  }
  auto body = c.message(w);
  if (f.body != nullptr) {
    f.body(body);
  }
  auto got = w.call("POST", url, token, f.how, body);
  f.none() ? expect_2xx(got, "the message") : expect_4xx(got, "the message");
}

void run_replay(world& w, const issuer_call& c) {
  auto url = service_under_test(w) + c.path;
  auto token = w.token(w.issuer, w.config().did_holder);
  auto body = c.message(w);
  expect_2xx(w.call("POST", url, token, bearer::usual, body), "the first message");
  expect_4xx(w.call("POST", url, token, bearer::usual, body), "the message with the same jti");
}

const fault token_faults[] = {{"_noAuthHeader", bearer::no_header},
                              {"_missingBearerPrefix", bearer::no_prefix},
                              {"_tokenSignedWithWrongKey", bearer::usual, by_wrong_key},
                              {"_tokenExpired", bearer::usual, expired_by<3600>},
                              {"_iatInFuture", bearer::usual, issued_in<3600>},
                              {"_nbfViolated", bearer::usual, valid_in<3600>},
                              {"_incorrectAudience", bearer::usual, for_third_party},
                              {"_issNotEqualToSub", bearer::usual, about_third_party}};

void add_series(std::vector<conformance_case>& to, const issuer_call& c, const std::vector<fault>& own) {
  auto add = [&](const fault& f) {
    to.push_back({packages::issuance_cs, c.prefix + f.suffix, [c, f](world& w) { run_fault(w, c, f); }});
  };
  for (const auto& f : own) {
    add(f);
  }
  for (const auto& f : token_faults) {
    add(f);
  }
  to.push_back({packages::issuance_cs, c.prefix + "_jtiAlreadyUsed", [c](world& w) { run_replay(w, c); }});
}

} // namespace

void by_wrong_key(si_token& t, const world&) {
  static const auto other = ec_key::fresh();
  t.key = &other;
}
void for_third_party(si_token& t, const world& w) { t.aud = w.third.did; }
void about_third_party(si_token& t, const world& w) { t.sub = w.third.did; }

json::object credential_message(const world& w) {
  json::array containers;
  for (const auto* type : {membership, sensitive_data}) {
    containers.push_back(
        json::object{{"credentialType", type},
                     {"format", jwt_profile_1_1},
                     {"payload", w.credential(w.config().did_holder, json::array{"VerifiableCredential", type})}});
  }
  return {{"@context", json::array{dcp_context}}, {"type", "CredentialMessage"},
          {"issuerPid", random_uuid()},           {"holderPid", w.config().correlation_id},
          {"credentials", std::move(containers)}, {"status", "ISSUED"}};
}

void issue_credentials(world& w, const std::string& service_url) {
  auto token = w.token(w.issuer, w.config().did_holder);
  expect_2xx(w.call("POST", service_url + "/credentials", token, bearer::usual, credential_message(w)),
             "the delivery of the credentials that the case needs");
}

std::vector<conformance_case> credential_service_issuance_cases() {
  std::vector<conformance_case> out;
  add_series(out, {"cs_06_05_01_credentialMessage", "/credentials", credential_message},
             {{""},
              {"_invalidBody", bearer::usual, nullptr, [](json::object& b) { b.erase("holderPid"); }},
              {"_invalidStatus", bearer::usual, nullptr, [](json::object& b) { b["status"] = "INVALID_STATUS"; }}});
  const issuer_call offer{"cs_06_06_01_credentialOfferMessage", "/offers", full_offer};
  add_series(out, offer,
             {{""}, {"_invalidBody", bearer::usual, nullptr, [](json::object& b) { b["issuer"] = nullptr; }}});
  out.push_back({packages::issuance_cs, offer.prefix + "_onlyIds", [offer](world& w) {
                   auto sparse = offer;
                   sparse.message = [](const world& from) {
                     auto message = full_offer(from);
                     message["credentials"] = json::array{json::value(json::object{{"id", random_uuid()}}),
                                                          json::value(json::object{{"id", random_uuid()}})};
                     return message;
                   };
                   run_fault(w, sparse, {""});
                 }});
  return out;
}

} // namespace fondaco::conformance::dcp
