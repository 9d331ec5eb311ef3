#include <condition_variable>

#include "conformance/dcp/cases.hpp"

namespace fondaco::conformance::dcp {

namespace {

constexpr auto delivery_within = std::chrono::seconds(10);
constexpr size_t credentials_expected = 2;

/// What the issuer under test delivered to the program's holder.
struct deliveries {
  std::mutex mutex;
  std::condition_variable changed;
  size_t credentials = 0;
  std::string refused;
};

/// Why a delivered container cannot be taken; empty if it can.
std::string unreadable(const json::value& container) {
  if (!container.is_object()) {
    return "a container is no object";
  }
  const auto& c = container.as_object();
  auto format = text_at(c, "format");
  if (format != jwt_profile_1_1 && format != "vc20-bssl/jwt") {
    return "the format '" + format + "' is no profile";
  }
  auto token = read_jwt(text_at(c, "payload"));
  const auto* vc = token ? token->claims.if_contains("vc") : nullptr;
  if (vc == nullptr || !vc->is_object()) {
    return "the payload is no JWT with a claim 'vc'";
  }
  const auto& credential = vc->as_object();
  for (const char* name : {"credentialSubject", "credentialStatus", "credentialSchema"}) {
    const auto* v = credential.if_contains(name);
    if (v != nullptr && !v->is_object() && !v->is_null()) {
      return std::string("vc.") + name + " is no object";
    }
  }
  const auto* type = credential.if_contains("type");
  bool readable = type != nullptr && type->is_array() && !text_at(credential, "issuer").empty();
  return readable ? "" : "vc.issuer is no string, or vc.type no list";
}

/// Why a CredentialMessage cannot be taken; empty if it can.
std::string unreadable_message(const json::object& body) {
  for (const char* name : {"type", "issuerPid", "holderPid", "status"}) {
    if (text_at(body, name).empty()) {
      return std::string("the message has no ") + name;
    }
  }
  const auto* list = body.if_contains("credentials");
  if (list == nullptr || !list->is_array() || list->as_array().empty()) {
    return "the message has no credentials";
  }
  for (const auto& c : list->as_array()) {
    if (auto why = unreadable(c); !why.empty()) {
      return why;
    }
  }
  return "";
}

std::shared_ptr<deliveries> await_deliveries(world& w) {
  auto kept = std::make_shared<deliveries>();
  w.serve("POST /credentials CredentialMessage", [&w, kept](const http::message& request, const json::object& body) {
    auto refused = w.refusal(request, w.config().did_issuer, w.holder.did);
    auto why = refused ? *refused : unreadable_message(body);
    std::lock_guard lock(kept->mutex);
    kept->refused = why;
    kept->credentials += why.empty() ? body.at("credentials").as_array().size() : 0;
    kept->changed.notify_all();
    return why.empty() ? http::reply{201, "", {}, false} : http::reply{refused ? 401 : 400, why, {}, false};
  });
  return kept;
}

/// The issuer under test, asked by the program as a holder.
class issuer_under_test {
public:
  explicit issuer_under_test(world& w)
      : w_(w), did_(w.config().did_issuer), url_(w.service_of(did_, "IssuerService")) {}

  [[nodiscard]] const std::string& url() const { return url_; }
  si_token token() { return w_.token(w_.holder, did_); }

  json::object request_message() {
    auto got = w_.call("GET", url_ + "/metadata", token(), bearer::usual);
    expect_2xx(got, "the metadata");
    auto metadata = object_of(got.raw.body);
    json::array wanted;
    const auto* all = metadata.if_contains("credentialsSupported");
    expect(all != nullptr && all->is_array(), "the metadata has no credentialsSupported");
    for (const auto& c : all->as_array()) {
      expect(c.is_object() && !text_at(c.as_object(), "profile").empty(), "a supported credential has no profile");
      if (text_at(c.as_object(), "profile") == jwt_profile_1_1) {
        wanted.push_back(json::object{{"id", text_at(c.as_object(), "id")}});
      }
    }
    return {{"@context", json::array{dcp_context}},
            {"type", "CredentialRequestMessage"},
            {"holderPid", w_.config().correlation_id},
            {"credentials", std::move(wanted)}};
  }

  http::response request(const si_token& t, const json::object& body, bearer how = bearer::usual) {
    return w_.call("POST", url_ + "/credentials", t, how, body);
  }

  /// Makes a request and gives the id in its Location.
  std::string request_id() {
    auto got = request(token(), request_message());
    expect_2xx(got, "the request");
    const auto* location = got.raw.header("Location");
    expect(location != nullptr && !location->empty(), "the answer has no Location");
    return location->substr(location->rfind('/') + 1);
  }

  http::response status(const std::string& id, const si_token& t, bearer how = bearer::usual) {
    return w_.call("GET", url_ + "/requests/" + id, t, how);
  }

private:
  world& w_;
  std::string did_, url_;
};

void run_valid_request(world& w) {
  issuer_under_test issuer(w);
  auto kept = await_deliveries(w);
  issuer.request_id();
  std::unique_lock lock(kept->mutex);
  kept->changed.wait_for(lock, delivery_within, [&] { return kept->credentials >= credentials_expected; });
  expect(kept->credentials == credentials_expected,
         std::to_string(kept->credentials) + " credentials were delivered, not 2" +
             (kept->refused.empty() ? "" : "; one delivery was refused: " + kept->refused));
}

void run_request_fault(world& w, const fault& f) {
  issuer_under_test issuer(w);
  auto t = issuer.token();
  if (f.token != nullptr) {
    f.token(t, w);
  }
  auto body = issuer.request_message();
  if (f.body != nullptr) {
    f.body(body);
  }
  expect_4xx(issuer.request(t, body, f.how), "the request");
}

void run_request_replay(world& w) {
  issuer_under_test issuer(w);
  auto t = issuer.token();
  auto body = issuer.request_message();
  auto first = issuer.request(t, body);
  expect(first.status == 201, "the first request: 201 was expected, " + std::to_string(first.status) + " came");
  expect_4xx(issuer.request(t, body), "the request with the same jti");
}

void run_status(world& w) {
  issuer_under_test issuer(w);
  auto id = issuer.request_id();
  auto got = issuer.status(id, issuer.token());
  expect_2xx(got, "the status");
  auto status = text_at(object_of(got.raw.body), "status");
  expect(status == "RECEIVED" || status == "REJECTED" || status == "ISSUED", "the status is '" + status + "'");
}

void run_status_fault(world& w, const fault& f) {
  issuer_under_test issuer(w);
  auto id = issuer.request_id();
  auto t = issuer.token();
  if (f.token != nullptr) {
    f.token(t, w);
  }
  expect_4xx(issuer.status(id, t, f.how), "the status");
}

void run_status_replay(world& w) {
  issuer_under_test issuer(w);
  auto id = issuer.request_id();
  auto t = issuer.token();
  expect_2xx(issuer.status(id, t), "the first status");
  expect_4xx(issuer.status(id, t), "the status with the same jti");
}

void run_unknown_status(world& w) {
  issuer_under_test issuer(w);
  issuer.request_id();
  expect_4xx(issuer.status("not-exist", issuer.token()), "the status of an unknown request");
}

void run_metadata(world& w) {
  issuer_under_test issuer(w);
  auto got = w.send("GET", issuer.url() + "/metadata", {});
  expect_2xx(got, "the metadata");
  auto body = object_of(got.raw.body);
  expect(text_at(body, "type") == "IssuerMetadata", "the metadata has another type");
  expect(text_at(body, "issuer") == w.config().did_issuer,
         "the metadata's issuer is '" + text_at(body, "issuer") + "'");
  const auto* all = body.if_contains("credentialsSupported");
  expect(all != nullptr && all->is_array() && !all->as_array().empty(), "the metadata supports no credentials");
}

void iss_of_third_party(si_token& t, const world& w) { t.iss = w.third.did; }

} // namespace

std::vector<conformance_case> issuer_cases() {
  std::vector<conformance_case> out;
  auto add = [&](const std::string& method, std::function<void(world&)> run) {
    out.push_back({packages::issuance_issuer, method, std::move(run)});
  };
  const std::string request = "credentialRequest", status = "credentialStatusRequest";
  struct numbered {
    const char *request, *status;
    fault what;
  };
  const numbered token_faults[] = {
      {"is_6_4_2_", "is_6_8_2_", {"_noAuthHeader", bearer::no_header}},
      {"is_6_4_3_", "is_6_8_3_", {"_noBearerPrefix", bearer::no_prefix}},
      {"is_6_4_5_", "is_6_8_5_", {"_tokenSignedWithWrongKey", bearer::usual, by_wrong_key}},
      {"is_6_4_6_", "is_6_8_6_", {"_tokenExpired", bearer::usual, expired_by<60>}},
      {"is_6_4_7_", "is_6_8_7_", {"_iatInFuture", bearer::usual, issued_in<60>}},
      {"is_6_4_8_", "is_6_8_8_", {"_nbfViolated", bearer::usual, valid_in<60>}},
      {"is_6_4_8_", "is_6_8_8_", {"_invalidAud", bearer::usual, for_third_party}},
      {"is_6_4_10_", "is_6_8_10_", {"_issNotEqualSub", bearer::usual, iss_of_third_party}}};
  const std::pair<const char*, fault> body_faults[] = {
      {"is_6_4_4_", {"_invalidBody", bearer::usual, nullptr, [](json::object& b) { b.erase("credentials"); }}},
      {"is_6_4_12_", {"_missingHolderPid", bearer::usual, nullptr, [](json::object& b) { b.erase("holderPid"); }}}};
  // First of all: a late delivery of another case would count here, as in the published kit.
  add("is_6_4_1_" + request, run_valid_request);
  for (const auto& [number, f] : body_faults) {
    add(number + request + f.suffix, [f](world& w) { run_request_fault(w, f); });
  }
  for (const auto& n : token_faults) {
    add(n.request + request + n.what.suffix, [f = n.what](world& w) { run_request_fault(w, f); });
  }
  add("is_6_4_11_" + request + "_jtiAlreadyUsed", run_request_replay);
  add("is_6_8_1_" + status, run_status);
  for (const auto& n : token_faults) {
    add(n.status + status + n.what.suffix, [f = n.what](world& w) { run_status_fault(w, f); });
  }
  add("is_6_8_11_" + status + "_jtiAlreadyUsed", run_status_replay);
  add("is_6_8_12_" + status + "_requestIdNotFound", run_unknown_status);
  add("is_6_7_issuerMetadata", run_metadata);
  add("is_6_2_endpointDiscovery", [](world& w) { issuer_under_test found(w); });
  return out;
}

} // namespace fondaco::conformance::dcp
