#include <algorithm>
#include <set>

#include "conformance/dcp/cases.hpp"

namespace fondaco::conformance::dcp {

namespace {

using types = std::vector<std::string>;

std::string form_value(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out;
}

std::string scope_of(const std::string& type) { return "org.eclipse.dspace.dcp.vc.type:" + type + ":read"; }

json::object query_for(const types& wanted) {
  json::array scope;
  for (const auto& t : wanted) {
    scope.emplace_back(scope_of(t));
  }
  return {{"@context", json::array{dcp_context}}, {"type", "PresentationQueryMessage"}, {"scope", std::move(scope)}};
}

/// The credential service under test, asked by the program as a verifier.
class service {
public:
  explicit service(world& w) : w_(w), did_(w.config().did_holder), url_(w.service_of(did_, "CredentialService")) {
    issue_credentials(w_, url_);
  }

  /// What the holder's token service lets a verifier see.
  std::string access_token(const types& granted) {
    std::string scopes;
    for (const auto& t : granted) {
      scopes += (scopes.empty() ? "" : " ") + scope_of(t);
    }
    const auto& c = w_.config();
    expect(!c.sts_url.empty(), "dataspacetck.sts.url is not set");
    auto form = "grant_type=client_credentials&client_id=" + form_value(c.sts_client_id) +
                "&client_secret=" + form_value(c.sts_client_secret) + "&audience=" + form_value(w_.verifier.did) +
                "&bearer_access_scope=" + form_value(scopes);
    auto got = w_.send("POST", c.sts_url + "/token", {{"Content-Type", "application/x-www-form-urlencoded"}}, form);
    expect_2xx(got, "the token service");
    auto t = read_jwt(text_at(object_of(got.raw.body), "access_token"));
    expect(t.has_value(), "the token service's access_token is no JWT");
    auto access = text_at(t->claims, "token");
    expect(!access.empty(), "the token service's JWT has no claim 'token'");
    return access;
  }

  si_token token(const types& granted) {
    auto t = w_.token(w_.verifier, did_);
    t.token = access_token(granted);
    return t;
  }

  http::response query(const si_token& t, const json::object& body, bearer how = bearer::usual) {
    return w_.call("POST", url_ + "/presentations/query", t, how, body);
  }

  /// The answer must present exactly these types, signed by holder and issuer.
  void verify(const http::response& answer, const types& wanted) {
    expect_2xx(answer, "the query");
    auto body = object_of(answer.raw.body);
    const auto* context = body.if_contains("@context");
    expect(context != nullptr && context->is_array() &&
               std::ranges::find(context->as_array(), json::value(dcp_context)) != context->as_array().end(),
           "the response's @context is no array with the context of DCP");
    expect(text_at(body, "type") == "PresentationResponseMessage", "the response has another type");
    const auto* list = body.if_contains("presentation");
    expect(list != nullptr && list->is_array(), "the response has no array 'presentation'");
    std::set<std::string> found, expected{"VerifiableCredential"};
    for (const auto& p : list->as_array()) {
      expect(p.is_string(), "a presentation is no JWT");
      collect(w_.verified(std::string(p.as_string()), "a presentation"), found);
    }
    expected.insert(wanted.begin(), wanted.end());
    std::string seen;
    for (const auto& t : found) {
      seen += " " + t;
    }
    expect(found == expected, "other types were presented than asked:" + seen);
  }

private:
  void collect(const jwt& presentation, std::set<std::string>& into) {
    const auto* aud = presentation.claims.if_contains("aud");
    const json::value own(w_.verifier.did);
    expect(aud != nullptr && (*aud == own || *aud == json::value(json::array{own})),
           "a presentation's aud is not the verifier alone");
    const auto* vp = presentation.claims.if_contains("vp");
    expect(vp != nullptr && (vp->is_object() || vp->is_array()), "a presentation has no claim 'vp'");
    const json::array all = vp->is_array() ? vp->as_array() : json::array{*vp};
    for (const auto& one : all) {
      const auto* held = one.is_object() ? one.as_object().if_contains("verifiableCredential") : nullptr;
      expect(held != nullptr && held->is_array(), "a vp has no array 'verifiableCredential'");
      for (const auto& c : held->as_array()) {
        expect(c.is_string(), "a presented credential is no JWT");
        collect_types(w_.verified(std::string(c.as_string()), "a presented credential"), into);
      }
    }
  }

  static void collect_types(const jwt& credential, std::set<std::string>& into) {
    const auto* vc = credential.claims.if_contains("vc");
    expect(vc != nullptr && vc->is_object(), "a presented credential has no claim 'vc'");
    const auto* type = vc->as_object().if_contains("type");
    expect(type != nullptr && type->is_array(), "a presented credential has no array 'type'");
    for (const auto& t : type->as_array()) {
      into.insert(t.is_string() ? std::string(t.as_string()) : std::string());
    }
  }

  world& w_;
  std::string did_, url_;
};

/// Cases in which only the token is wrong.
const fault token_faults[] = {
    {"cs_04_03_03_idTokenInvalidIssuerSub", bearer::usual,
     [](si_token& t, const world& w) {
       t.key = &w.third.key;
       t.kid = w.third.kid;
       t.iss = t.sub = w.third.did;
     }},
    {"cs_04_03_03_idTokenInvalidSub", bearer::usual, about_third_party},
    {"cs_04_03_03_idtokenIncorrectAud", bearer::usual, [](si_token& t, const world& w) { t.aud = w.verifier.did; }},
    {"cs_04_03_03_idtokenIncorrectSub", bearer::usual,
     [](si_token& t, const world& w) {
       t.iss = t.sub = w.third.did;
       t.aud = w.verifier.did;
     }},
    {"cs_04_03_03_idtokenNbfInFuture", bearer::usual, valid_in<1'000'000>},
    {"cs_04_03_03_idtokenExpired", bearer::usual, expired_by<1'000'000>},
    {"cs_05_03_01_accessTokenInvalidHeader", bearer::no_prefix},
    {"cs_05_04_invalidTokenNotAuthorized", bearer::usual, [](si_token& t, const world&) { t.token = "faketoken"; }}};

/// Cases in which the query is wrong, in one or two ways.
struct query_fault {
  const char* method;
  void (*spoil)(json::object&);
  void (*spoil_again)(json::object&) = nullptr;
  int status = 0;
};

json::object presentation_definition() {
  const json::object filter{{"type", "string"}, {"pattern", membership}};
  const json::object fields{{"path", json::array{"$.type"}}, {"filter", filter}};
  const json::object descriptor{
      {"id", "credential"}, {"format", "vcdm11_jwt"}, {"constraints", json::object{{"fields", fields}}}};
  return {{"id", random_uuid()}, {"input_descriptors", json::array{json::value(descriptor)}}};
}

void define(json::object& query, json::value definition) {
  query.erase("scope");
  query["presentationDefinition"] = std::move(definition);
}

const query_fault query_faults[] = {
    {"cs_05_04_01_invalidScopeAndPresentationRequest",
     [](json::object& q) { q["presentationDefinition"] = presentation_definition(); }, nullptr, 400},
    {"cs_05_04_01_emptyPresentationDefinition", [](json::object& q) { define(q, json::object()); },
     [](json::object& q) { define(q, nullptr); }},
    {"cs_05_04_02_emptyScopeExpect4xx", [](json::object& q) { q["scope"] = json::array(); },
     [](json::object& q) { q.erase("scope"); }}};

void run_query_fault(world& w, const query_fault& f) {
  service s(w);
  for (auto* spoil : {f.spoil, f.spoil_again}) {
    if (spoil == nullptr) {
      continue;
    }
    auto body = query_for({membership});
    spoil(body);
    auto got = s.query(s.token({membership}), body);
    expect_4xx(got, "the query");
    expect(f.status == 0 || got.status == f.status,
           "the query: " + std::to_string(f.status) + " was expected, " + std::to_string(got.status) + " came");
  }
}

/// Cases in which nothing is wrong: what was granted, what is asked, what must come.
struct selection {
  const char* method;
  types granted, asked, presented;
};

std::vector<selection> selections() {
  return {{"cs_05_04_01_02_scopeByTypeRequest", {membership}, {membership}, {membership}},
          {"cs_05_04_01_02_lessScopesThanAuthorizedByTypeRequest",
           {membership, sensitive_data},
           {sensitive_data},
           {sensitive_data}},
          {"cs_05_04_01_02_invalidScopeEscalationRequest", {membership}, {membership, sensitive_data}, {membership}}};
}

void run_replay(world& w) {
  service s(w);
  auto first = s.token({membership});
  s.verify(s.query(first, query_for({membership})), {membership});
  auto second = s.token({membership});
  second.jti = first.jti;
  expect_4xx(s.query(second, query_for({membership})), "the query with the same jti");
}

} // namespace

std::vector<conformance_case> credential_service_presentation_cases() {
  std::vector<conformance_case> out;
  auto add = [&](const char* method, std::function<void(world&)> run) {
    out.push_back({packages::presentation_cs, method, std::move(run)});
  };
  for (const auto& f : token_faults) {
    add(f.suffix, [f](world& w) {
      service s(w);
      auto t = s.token({membership});
      if (f.token != nullptr) {
        f.token(t, w);
      }
      expect_4xx(s.query(t, query_for({membership}), f.how), "the query");
    });
  }
  add("cs_04_03_03_idtokenJtiUsedTwice", run_replay);
  add("cs_05_02_endpointDiscovery", [](world& w) { w.service_of(w.config().did_holder, "CredentialService"); });
  for (const auto& f : query_faults) {
    add(f.method, [f](world& w) { run_query_fault(w, f); });
  }
  for (const auto& c : selections()) {
    add(c.method, [c](world& w) {
      service s(w);
      s.verify(s.query(s.token(c.granted), query_for(c.asked)), c.presented);
    });
  }
  return out;
}

} // namespace fondaco::conformance::dcp
