#include "e2e/cases.hpp"
#include "e2e/fixed_tokens.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

answer list_participants(world& w, const std::string& authorization) {
  http::header_list headers;
  if (!authorization.empty())
    headers.emplace_back("Authorization", authorization);
  return send("GET", w.provider.url("management") + "/api/management/v5beta/participants", headers);
}

struct token_parts {
  std::string header, payload, signature;
};

token_parts split(const std::string& token) {
  auto first = token.find('.'), second = token.find('.', first + 1);
  check(first != token.npos && second != token.npos, "the node's own token is no JWT");
  return {token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1)};
}

std::string with_header(const std::string& header, const token_parts& t) { return base64url(header) + "." + t.payload; }

// The node's public key, as a client that mistakes it for a shared secret would use it.
std::string public_key_bytes(world& w) {
  auto set = send("GET", w.provider.url("management") + "/.well-known/jwks.json", {}).object();
  return json::serialize(array_at(set, "keys").at(0));
}

struct bad_token {
  std::string what;
  std::string authorization;
};

std::vector<bad_token> bad_tokens(world& w) {
  auto good = w.provider_admin.token();
  auto t = split(good);
  auto claims = json::parse(base64url_decode(t.payload)).as_object();
  auto kid = text_at(json::parse(base64url_decode(t.header)).as_object(), "kid");
  claims["exp"] = 4102444800;
  auto longer = t.header + "." + base64url(json::serialize(claims)) + "." + t.signature;
  auto hmac = with_header(R"({"alg":"HS256","kid":")" + kid + R"("})", t);
  hmac += "." + base64url(hmac_sha256(public_key_bytes(w), hmac));
  auto flipped = t.signature;
  flipped[10] = flipped[10] == 'A' ? 'B' : 'A';
  auto bearer = [](std::string_view token) { return "Bearer " + std::string(token); };
  return {{"no token", ""},
          {"an empty token", "Bearer "},
          {"a token that is none", "Bearer abc"},
          {"another scheme", "Basic " + good},
          {"alg none", bearer(with_header(R"({"alg":"none"})", t) + ".")},
          {"alg none with the old signature", bearer(with_header(R"({"alg":"none"})", t) + "." + t.signature)},
          {"alg HS256 keyed with the public key", bearer(hmac)},
          {"changed claims", bearer(longer)},
          {"a changed signature", bearer(t.header + "." + t.payload + "." + flipped)},
          {"no signature", bearer(t.header + "." + t.payload + ".")},
          {"a token for another service", bearer(fixed_tokens::other_audience)},
          {"an expired token", bearer(fixed_tokens::expired)},
          {"a token that is not valid yet", bearer(fixed_tokens::not_yet)},
          {"a token of an unknown issuer", bearer(fixed_tokens::other_issuer)},
          {"a token of another key", bearer(fixed_tokens::other_key)},
          {"a token of 12,000 bytes", bearer(std::string(12'000, 'a'))}};
}

void refuse_bad_tokens(bed& b) {
  auto& w = b.shared();
  check_equal("the status with a good token", list_participants(w, "Bearer " + w.provider_admin.token()).status, 200);
  check_equal("the status with the trusted issuer's good token",
              list_participants(w, "Bearer " + std::string(fixed_tokens::good)).status, 200);
  for (const auto& t : bad_tokens(w)) {
    auto got = list_participants(w, t.authorization);
    check_equal("the status with " + t.what, got.status, 401);
    check(got.header("WWW-Authenticate").starts_with("Bearer"), "401 without WWW-Authenticate with " + t.what);
    check(!text_at(got.object(), "error").empty(), "401 without {\"error\"} with " + t.what + ": " + got.body);
    auto write = send("POST", w.provider.url("management") + "/api/management/v5beta" + w.acme.path("/assets"),
                      {{"Authorization", t.authorization}, {"Content-Type", "application/json"}}, "{}");
    check_equal("the status of a write with " + t.what, write.status, 401);
  }
}

void refuse_scope(bed& b) {
  auto& w = b.shared();
  auto asset = managed("Asset");
  asset["@id"] = "never-made";
  asset["properties"] = json::object{{"name", "x"}};
  management reader(w.provider, "acme-app", "management-api:read");
  auto got = reader.send("POST", w.acme.path("/assets"), asset);
  check_equal("the status of a write with a reader's token", got.status, 403);
  check_equal("the answer", got.body, "Required scope 'management-api:assets:write' missing");
  check_equal("the status of the asset", w.provider_admin.send("GET", w.acme.path("/assets/never-made"), "").status,
              404);
  check_equal("the status of a read with a reader's token",
              reader.send("POST", w.acme.path("/assets/request"), std::string()).status, 200);
  management app(w.provider, "acme-app");
  check_equal("the status of an administrator's route with a participant's token",
              app.send("GET", "/participants", std::string()).status, 403);
  auto more = send("POST", w.provider.url("management") + "/oauth2/token",
                   {{"Content-Type", "application/x-www-form-urlencoded"}},
                   "grant_type=client_credentials&client_id=acme-app&scope=management-api%3Aadmin&client_secret=" +
                       w.provider.secret("acme-app"));
  check_equal("the status of asking for a scope that is not granted", more.status, 400);
  check_equal("its error", text_at(more.object(), "error"), "invalid_scope");
}

void refuse_foreigner(bed& b) {
  auto& w = b.shared();
  management app(w.consumer, "globex-app");
  check_equal("the status of one's own", app.send("POST", w.globex.path("/assets/request"), std::string()).status, 200);
  for (const char* path : {"/assets/request", "/contractnegotiations/request", "/transferprocesses/request"}) {
    auto known = app.send("POST", w.umbrella.path(path), std::string());
    auto unknown = app.send("POST", std::string("/participants/nobody") + path, std::string());
    check_equal(std::string("the status of another's ") + path, known.status, 403);
    check_equal("the type of the error", text_at(known.value().as_array().at(0).as_object(), "type"), "NotAuthorized");
    check_equal("the answer for a participant that does not exist", unknown.body, known.body);
    check_equal("its status", unknown.status, 403);
  }
  auto negotiation = agree(w, w.globex, w.acme, "dataset-1");
  auto got = app.send("GET", w.umbrella.path("/contractnegotiations/" + negotiation), std::string());
  check_equal("the status of one's own negotiation at another's path", got.status, 403);
  check_equal("an administrator's status for a participant that does not exist",
              w.consumer_admin.send("POST", "/participants/nobody/assets/request", std::string()).status, 404);
}

void refuse_dsp_tokens(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.initech), w.other_side);
  n.begin("dataset-2");
  auto m = json::serialize(message("ContractNegotiationTerminationMessage", n.consumer_pid(), n.provider_pid()));
  const auto url = w.initech.dsp() + "/negotiations/" + n.provider_pid();
  const std::vector<bad_token> bad{{"no token", ""},
                                   {"a wrong token", "Bearer " + random_hex(32)},
                                   {"an empty token", "Bearer "},
                                   {"another scheme", "Basic " + n.to().token()},
                                   {"the token that we are presented", "Bearer " + w.peer_is_presented},
                                   {"a part of the token", "Bearer " + n.to().token().substr(0, 63)},
                                   {"an administrator's token", "Bearer " + w.provider_admin.token()}};
  for (const auto& t : bad) {
    http::header_list headers{{"Content-Type", "application/json"}};
    if (!t.authorization.empty())
      headers.emplace_back("Authorization", t.authorization);
    check_dsp_error("a message with " + t.what, send("POST", url + "/termination", headers, m), 401,
                    "ContractNegotiationError");
    check_dsp_error("a look with " + t.what, send("GET", url, headers), 401, "ContractNegotiationError");
    check_dsp_error("a catalog request with " + t.what, send("POST", w.initech.dsp() + "/catalog/request", headers, m),
                    401, "CatalogError");
  }
  check_equal("the state after all that", n.state(), "REQUESTED");
  auto nobody = w.provider.url("protocol") + "/api/dsp/nobody/closed/negotiations/x";
  check_equal("the status of an unknown participant",
              send("GET", nobody, {{"Authorization", "Bearer " + n.to().token()}}).status, 404);
  auto other_profile = w.provider.url("protocol") + "/api/dsp/acme/open/negotiations/x";
  check_equal("the status of an unknown profile",
              send("GET", other_profile, {{"Authorization", "Bearer " + n.to().token()}}).status, 404);
}

void refuse_pull_tokens(bed& b) {
  auto& w = b.shared();
  auto agreement = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, "dataset-1")), "@id");
  auto one = access_of(w, w.globex, start_transfer(w, w.globex, w.acme, agreement));
  auto other = access_of(w, w.globex, start_transfer(w, w.globex, w.acme, agreement));
  check(one.authorization != other.authorization, "two transfers have the same token");
  check_equal("the status of a pull without a token", running_pull(one.endpoint, "").status(), 401);
  check_equal("the status of a pull with another transfer's token",
              running_pull(one.endpoint, other.authorization).status(), 403);
  check_equal("the status of a pull with a wrong token", running_pull(one.endpoint, random_hex(32)).status(), 403);
  check_equal("the status of a pull with Bearer", running_pull(one.endpoint, "Bearer " + one.authorization).status(),
              200);
  auto nowhere = w.provider.url("public") + "/api/public/" + random_uuid();
  check_equal("the status of a pull from nowhere", running_pull(nowhere, one.authorization).status(), 403);
}

void refuse_clients(bed& b) {
  auto& w = b.shared();
  auto ask = [&](const std::string& id, const std::string& secret) {
    return send("POST", w.consumer.url("management") + "/oauth2/token",
                {{"Content-Type", "application/x-www-form-urlencoded"}},
                "grant_type=client_credentials&client_id=" + id + "&client_secret=" + secret);
  };
  auto wrong = ask("globex-app", random_hex(32)), unknown = ask("nobody", random_hex(32));
  check_equal("the status of a wrong secret", wrong.status, 401);
  check_equal("the error", text_at(wrong.object(), "error"), "invalid_client");
  check_equal("the answer to an unknown client", unknown.body, wrong.body);
  check_equal("the status of a right secret", ask("globex-app", w.consumer.secret("globex-app")).status, 200);
}

} // namespace

cases token_cases() {
  return {{"a management token with alg none or HS256, another audience, expired or tampered with is answered 401",
           refuse_bad_tokens},
          {"a token without the scope is answered 403 and nothing is made", refuse_scope},
          {"another participant's path is answered 403 before it is known whether there is one", refuse_foreigner},
          {"a wrong DSP token is answered 401 and changes nothing", refuse_dsp_tokens},
          {"a pull needs the token of its own transfer", refuse_pull_tokens},
          {"the token endpoint answers a wrong secret and an unknown client alike", refuse_clients}};
}

} // namespace fondaco::e2e
