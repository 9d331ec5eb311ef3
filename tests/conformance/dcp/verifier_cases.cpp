#include <algorithm>

#include "conformance/dcp/cases.hpp"

namespace fondaco::conformance::dcp {

namespace {

constexpr const char* membership_scope = "org.eclipse.dspace.dcp.vc.type:MembershipCredential:read";

/// What the program's holder answers to a query.
struct holding {
  /// The types that its access token covers.
  std::vector<std::string> granted{membership};
  /// `presentation: []`, or a presentation without credentials.
  bool no_presentation = false, no_credential = false;
  /// Members of the one credential that is presented; unset: a credential as the issuer gave it.
  json::object (*spoiled)(const world&) = nullptr;
};

std::string presentation_of(const world& w, json::array credentials) {
  auto now = now_s();
  json::object vp{{"@context", json::array{"https://www.w3.org/2018/credentials/v1",
                                           "https://identity.foundation/presentation-exchange/submission/v1"}},
                  {"type", "VerifiablePresentation"},
                  {"verifiableCredential", std::move(credentials)}};
  return sign_jwt(w.holder.key, w.holder.kid,
                  {{"iss", w.holder.did},
                   {"sub", w.holder.did},
                   {"aud", w.config().did_verifier},
                   {"jti", random_uuid()},
                   {"nbf", now},
                   {"iat", now},
                   {"exp", now + 300},
                   {"vp", std::move(vp)}});
}

json::array presentations(const world& w, const holding& h, const std::vector<std::string>& wanted) {
  if (h.no_presentation) {
    return {};
  }
  json::array held;
  if (h.spoiled != nullptr) {
    held.emplace_back(w.credential(w.holder.did, json::array{membership}, h.spoiled(w)));
  } else if (!h.no_credential) {
    for (const auto& type : wanted) {
      held.emplace_back(w.credential(w.holder.did, json::array{"VerifiableCredential", json::value(type)}));
    }
  }
  return json::array{json::value(presentation_of(w, std::move(held)))};
}

/// The query must be that of the schema, and ask for the membership credential alone.
std::string unreadable_query(const json::object& query) {
  const auto* context = query.if_contains("@context");
  if (context == nullptr || !context->is_array() ||
      std::ranges::find(context->as_array(), json::value(dcp_context)) == context->as_array().end()) {
    return "the query's @context is no array with the context of DCP";
  }
  if (text_at(query, "type") != "PresentationQueryMessage") {
    return "the query has another type";
  }
  const auto* scope = query.if_contains("scope");
  bool exact = scope != nullptr && *scope == json::value(json::array{membership_scope});
  return exact ? "" : "the query does not ask for the membership credential alone";
}

/// The program's holder while a case runs: its answer, and the access tokens that it gave out.
struct holder_side {
  holding answers;
  std::mutex mutex;
  std::set<std::string> open;
  bool asked = false;
};

http::reply answer_query(world& w, holder_side& h, const http::message& request, const json::object& body) {
  json::object claims;
  if (auto why = w.refusal(request, w.config().did_verifier, w.holder.did, &claims)) {
    return {401, *why, {}, false};
  }
  if (auto why = unreadable_query(body); !why.empty()) {
    return {400, why, {}, false};
  }
  std::lock_guard lock(h.mutex);
  h.asked = true;
  if (h.open.erase(text_at(claims, "token")) == 0) {
    return {401, "the access token is unknown or was used", {}, false};
  }
  if (std::ranges::find(h.answers.granted, membership) == h.answers.granted.end()) {
    return {401, "the access token does not cover the membership credential", {}, false};
  }
  return json_reply(200, json::object{{"@context", json::array{dcp_context}},
                                      {"type", "PresentationResponseMessage"},
                                      {"presentation", presentations(w, h.answers, {membership})}});
}

/// The verifier under test, asked for something by the program as a holder.
class verifier_under_test {
public:
  verifier_under_test(world& w, holding h) : w_(w), did_(w.config().did_verifier) {
    held_->answers = std::move(h);
    w_.serve("POST /presentations/query", [&w, held = held_](const auto& request, const auto& body) {
      return answer_query(w, *held, request, body);
    });
  }

  si_token token() {
    auto t = w_.token(w_.holder, did_);
    auto access = random_uuid() + "::" + did_ + "::";
    for (const auto& type : held_->answers.granted) {
      access += (access.ends_with(':') ? "" : ",") + type;
    }
    std::lock_guard lock(held_->mutex);
    held_->open.insert(access);
    t.token = access;
    return t;
  }

  http::response trigger(const si_token& t, bearer how = bearer::usual) {
    expect(!w_.config().trigger_url.empty(), "dataspacetck.vpp.trigger.endpoint is not set");
    return w_.call("POST", w_.config().trigger_url, t, how,
                   {{"@type", "https://w3id.org/dspace/2025/1/CatalogRequestMessage"},
                    {"https://w3id.org/dspace/2025/1/filter", json::object()}});
  }

  /// True once the verifier has asked for a presentation: without that a refusal says nothing about the answer.
  [[nodiscard]] bool asked() {
    std::lock_guard lock(held_->mutex);
    return held_->asked;
  }

private:
  world& w_;
  std::string did_;
  std::shared_ptr<holder_side> held_ = std::make_shared<holder_side>();
};

const fault token_faults[] = {{"presentationResponse_rejectMissingBearerPrefix", bearer::no_prefix},
                              {"verifier_04_03_03_idTokenInvalidIssuerSub", bearer::usual,
                               [](si_token& t, const world& w) {
                                 t.key = &w.third.key;
                                 t.kid = w.third.kid;
                                 t.iss = t.sub = w.third.did;
                                 t.aud = w.holder.did;
                               }},
                              {"verifier_04_03_03_idTokenInvalidSub", bearer::usual, about_third_party},
                              {"verifier_04_03_03_idTokenIncorrectAud", bearer::usual, for_third_party},
                              {"verifier_04_03_03_idTokenIncorrectSub", bearer::usual, about_third_party},
                              {"verifier_04_03_03_idTokenNbfInFuture", bearer::usual, valid_in<1'000'000>},
                              {"verifier_04_03_03_idTokenExpired", bearer::usual, expired_by<1'000'000>},
                              {"verifier_04_03_01_presentationResponse_idTokenNoTokenClaim", bearer::usual,
                               [](si_token& t, const world&) { t.token.reset(); }}};

/// Cases in which the holder's answer differs.
struct answer_case {
  const char* method;
  bool accepted;
  holding h;
};

json::object without_expiration(json::object o) {
  o["expirationDate"] = nullptr;
  return o;
}

std::vector<answer_case> answer_cases() {
  auto spoiled = [](json::object (*how)(const world&)) {
    holding h;
    h.spoiled = how;
    return h;
  };
  holding none, empty;
  none.no_presentation = true;
  empty.no_credential = true;
  return {{"verifier_05_01_presentationResponse_success", true, {}},
          {"verifier_05_04_02_01_presentationResponse_tooFewCredentials", false, {{"SomeOtherCredential"}}},
          {"verifier_05_04_02_02_presentationResponse_tooManyCredentials", true, {{membership, sensitive_data}}},
          {"verifier_05_04_02_03_presentationResponse_emptyPresentations", false, none},
          {"verifier_05_04_02_04_presentationResponse_emptyCredentials", false, empty},
          {"verifier_05_04_03_presentationResponse_holderNotEqualSubjectId", false, spoiled([](const world& w) {
             return without_expiration({{"credentialSubject", json::object{{"id", w.third.did}, {"foo", "bar"}}}});
           })},
          {"verifier_05_04_03_07_presentationResponse_expiredCredential", false,
           spoiled([](const world&) { return json::object{{"expirationDate", instant(now_s() - 100)}}; })},
          {"verifier_05_04_03_06_presentationResponse_credentialRevoked", false, spoiled([](const world& w) {
             return without_expiration(
                 {{"credentialStatus", json::object{{"id", random_uuid()},
                                                    {"type", "BitstringStatusListEntry"},
                                                    {"statusPurpose", "revocation"},
                                                    {"statusListIndex", "1"},
                                                    {"statusListCredential",
                                                     w.config().callback_address + "/statuslist/" + random_uuid()}}}});
           })},
          {"verifier_05_04_03_06_presentationResponse_notYetValidCredential", false,
           spoiled([](const world&) { return without_expiration({{"issuanceDate", instant(now_s() + 3600)}}); })},
          {"verifier_x_x_presentationResponse_invalidCredentialSchema", false, spoiled([](const world& w) {
             return without_expiration(
                 {{"credentialSubject", json::object{{"id", w.holder.did}}},
                  {"credentialSchema",
                   json::object{{"type", "JsonSchemaValidator2018"},
                                {"id", w.config().callback_address + "/schema/membership-schema.json"}}}});
           })}};
}

void run_replay(world& w) {
  verifier_under_test v(w, {});
  auto first = v.token();
  expect_2xx(v.trigger(first), "the first request");
  auto second = v.token();
  second.jti = first.jti;
  expect_4xx(v.trigger(second), "the request with the same jti");
}

} // namespace

std::vector<conformance_case> verifier_cases() {
  std::vector<conformance_case> out;
  auto add = [&](const char* method, std::function<void(world&)> run) {
    out.push_back({packages::presentation_verifier, method, std::move(run)});
  };
  for (const auto& f : token_faults) {
    add(f.suffix, [f](world& w) {
      verifier_under_test v(w, {});
      auto t = v.token();
      if (f.token != nullptr) {
        f.token(t, w);
      }
      expect_4xx(v.trigger(t, f.how), "the request");
    });
  }
  add("verifier_04_03_03_idTokenJtiUsedTwice", run_replay);
  add("presentationResponse_endpointDiscovery",
      [](world& w) { w.service_of(w.config().did_verifier, "CredentialService"); });
  for (const auto& c : answer_cases()) {
    add(c.method, [c](world& w) {
      verifier_under_test v(w, c.h);
      auto got = v.trigger(v.token());
      expect(v.asked(), "the verifier answered " + std::to_string(got.status) + " without a valid query to the holder");
      c.accepted ? expect_2xx(got, "the request") : expect_4xx(got, "the request");
    });
  }
  return out;
}

} // namespace fondaco::conformance::dcp
