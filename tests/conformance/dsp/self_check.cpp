#include "conformance/dsp/self_check.hpp"

#include <iostream>
#include <set>

#include "conformance/dsp/cases.hpp"
#include "conformance/dsp/messages.hpp"

namespace fondaco::conformance::dsp {

namespace {

/// Counts checks and says which did not hold.
class tally {
public:
  void hold(bool condition, const std::string& what) {
    ++checks_;
    if (!condition) {
      ++failed_;
      std::cout << "self-check failed: " << what << "\n";
    }
  }
  [[nodiscard]] int failed() const { return failed_; }
  [[nodiscard]] int checks() const { return checks_; }

private:
  int checks_ = 0, failed_ = 0;
};

std::string with_context(const std::string& rest) {
  return R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],)" + rest + "}";
}

/// A valid body, and JSON pointers to members whose removal must be noticed.
struct sample {
  std::string body;
  std::vector<std::string> required;
};

const std::string pids = R"("providerPid":"p-1","consumerPid":"c-1")";
const std::string rules = R"("permission":[{"action":"use"}])";

std::vector<sample> negotiation_samples() {
  return {
      {with_context(R"("@type":"ContractRequestMessage","consumerPid":"urn:uuid:32541fe6-c580-409e-85a8-8a9a32fbe833",)"
                    R"("offer":{"@id":"offer-1","@type":"Offer","target":"dataset-1",)" +
                    rules + R"(},"callbackAddress":"https://consumer.example/dsp")"),
       {"/@context", "/@type", "/consumerPid", "/offer", "/callbackAddress", "/offer/@id", "/offer/@type",
        "/offer/permission", "/offer/permission/0/action"}},
      {with_context(R"("@type":"ContractOfferMessage",)" + pids +
                    R"(,"offer":{"@id":"o","@type":"Offer","target":"d",)" + rules + "}"),
       {"/@context", "/@type", "/providerPid", "/consumerPid", "/offer", "/offer/@id", "/offer/@type", "/offer/target",
        "/offer/permission"}},
      {with_context(R"("@type":"ContractAgreementMessage",)" + pids +
                    R"(,"agreement":{"@id":"urn:uuid:e8dc8655-44c2-46ef-b701-4cffdc2faa44","@type":"Agreement",)"
                    R"("target":"dataset-1","timestamp":"2025-01-01T01:00:00Z","assigner":"did:web:provider",)"
                    R"("assignee":"did:web:consumer",)" +
                    rules + "}"),
       {"/@context", "/@type", "/providerPid", "/consumerPid", "/agreement", "/agreement/@id", "/agreement/@type",
        "/agreement/target", "/agreement/assigner", "/agreement/assignee", "/agreement/permission"}},
      {with_context(R"("@type":"ContractAgreementVerificationMessage",)" + pids),
       {"/@context", "/@type", "/providerPid", "/consumerPid"}},
      {with_context(R"("@type":"ContractNegotiationEventMessage",)" + pids + R"(,"eventType":"FINALIZED")"),
       {"/@context", "/@type", "/providerPid", "/consumerPid", "/eventType"}},
      {with_context(R"("@type":"ContractNegotiationTerminationMessage",)" + pids + R"(,"code":"1","reason":["x"])"),
       {"/@context", "/@type", "/providerPid", "/consumerPid"}},
      {with_context(R"("@type":"ContractNegotiation",)" + pids + R"(,"state":"REQUESTED")"),
       {"/@context", "/@type", "/providerPid", "/consumerPid", "/state"}},
      {with_context(R"("@type":"ContractNegotiationError",)" + pids +
                    R"(,"code":"400","reason":["Cannot process ContractAgreementMessage in state OFFERED"])"),
       {"/@context", "/@type", "/providerPid", "/consumerPid"}}};
}

std::vector<sample> transfer_samples() {
  std::vector<sample> all{
      {with_context(R"("@type":"TransferRequestMessage","consumerPid":"c","agreementId":"a","format":"HttpData-PULL",)"
                    R"("callbackAddress":"https://consumer.example/dsp")"),
       {"/@context", "/@type", "/consumerPid", "/agreementId", "/format", "/callbackAddress"}},
      {with_context(R"("@type":"TransferStartMessage",)" + pids +
                    R"(,"dataAddress":{"@type":"DataAddress","endpointType":"https://w3id.org/idsa/v4.1/HTTP",)"
                    R"("endpoint":"http://example.com","endpointProperties":[)"
                    R"({"@type":"EndpointProperty","name":"authorization","value":"TOKEN"},)"
                    R"({"@type":"EndpointProperty","name":"authType","value":"bearer"}]})"),
       {"/@context", "/@type", "/providerPid", "/consumerPid", "/dataAddress/@type", "/dataAddress/endpointType",
        "/dataAddress/endpointProperties/0/@type", "/dataAddress/endpointProperties/0/name",
        "/dataAddress/endpointProperties/1/value"}},
      {with_context(R"("@type":"TransferProcess",)" + pids + R"(,"state":"SUSPENDED")"),
       {"/@context", "/@type", "/providerPid", "/consumerPid", "/state"}}};
  for (const char* type :
       {"TransferCompletionMessage", "TransferSuspensionMessage", "TransferTerminationMessage", "TransferError"}) {
    all.push_back({with_context(std::string(R"("@type":")") + type + R"(",)" + pids),
                   {"/@context", "/@type", "/providerPid", "/consumerPid"}});
  }
  return all;
}

std::vector<sample> catalog_samples() {
  const std::string dataset = R"("@id":"d","@type":"Dataset","hasPolicy":[{"@id":"o","@type":"Offer",)" + rules +
                              R"(}],"distribution":[{"@type":"Distribution","format":"HttpData-PULL",)"
                              R"("accessService":{"@id":"s","@type":"DataService","endpointURL":"http://x/dsp"}}])";
  return {{with_context(R"("@id":"c","@type":"Catalog","participantId":"p","service":[{"@id":"s",)"
                        R"("@type":"DataService","endpointURL":"http://x/dsp"}],"dataset":[{)" +
                        dataset + "}]"),
           {"/@context", "/@type", "/@id", "/participantId", "/dataset/0/@id", "/dataset/0/hasPolicy",
            "/dataset/0/distribution", "/dataset/0/distribution/0/format", "/dataset/0/distribution/0/accessService",
            "/dataset/0/distribution/0/accessService/endpointURL", "/service/0/endpointURL",
            "/dataset/0/hasPolicy/0/permission"}},
          {with_context(dataset), {"/@context", "/@type", "/@id", "/hasPolicy", "/distribution"}},
          {with_context(R"("@type":"CatalogError","code":"404","reason":[])"), {"/@context", "/@type"}},
          {with_context(R"("@type":"CatalogRequestMessage","filter":[])"), {"/@context", "/@type"}},
          {with_context(R"("@type":"DatasetRequestMessage","dataset":"d")"), {"/@context", "/@type", "/dataset"}}};
}

json::value without(json::value body, const std::string& pointer) {
  auto slash = pointer.rfind('/');
  body.at_pointer(pointer.substr(0, slash)).as_object().erase(pointer.substr(slash + 1));
  return body;
}

void check_samples(tally& t) {
  for (auto samples : {negotiation_samples(), transfer_samples(), catalog_samples()}) {
    for (const auto& s : samples) {
      auto body = json::parse(s.body);
      auto type = std::string(body.at("@type").as_string());
      auto found = violations(body);
      t.hold(found.empty(), type + " is refused: " + (found.empty() ? "" : found.front()));
      for (const auto& pointer : s.required) {
        t.hold(!violations(without(body, pointer)).empty(), type + " is accepted without " + pointer);
      }
    }
  }
}

/// Replaces what a pointer names and expects a refusal.
struct spoiled {
  std::string type, pointer, value;
};

void check_spoiled(tally& t) {
  const spoiled all[] = {
      {"ContractRequestMessage", "/@context", R"("https://w3id.org/dspace/2025/1/context.jsonld")"},
      {"ContractRequestMessage", "/@context", R"(["https://example.com/other"])"},
      {"ContractRequestMessage", "/@context", R"(["https://w3id.org/dspace/2025/1/context.jsonld",{}])"},
      {"ContractRequestMessage", "/@type", R"(["ContractRequestMessage"])"},
      {"ContractRequestMessage", "/offer/@type", R"("Agreement")"},
      {"ContractRequestMessage", "/offer/permission", "[]"},
      {"ContractRequestMessage", "/offer/permission/0", R"({"action":"use","constraint":[{"leftOperand":"a"}]})"},
      {"ContractRequestMessage", "/offer/permission/0",
       R"({"action":"use","constraint":[{"leftOperand":"a","operator":"like","rightOperand":"b"}]})"},
      {"ContractRequestMessage", "/offer/permission/0",
       R"({"action":"use","constraint":[{"leftOperand":"a","operator":"eq","rightOperand":5}]})"},
      {"ContractRequestMessage", "/offer/permission/0", R"({"action":"use","constraint":[{"and":[],"or":[]}]})"},
      {"ContractRequestMessage", "/consumerPid", R"({"@id":"c"})"},
      {"ContractOfferMessage", "/offer/target", "7"},
      {"ContractAgreementMessage", "/agreement/timestamp", R"("yesterday")"},
      {"ContractNegotiationEventMessage", "/eventType", R"("REQUESTED")"},
      {"ContractNegotiationTerminationMessage", "/reason", "[]"},
      {"ContractNegotiationTerminationMessage", "/code", "1"},
      {"ContractNegotiation", "/state", R"("AGREEING")"},
      {"TransferProcess", "/state", R"("FINALIZED")"},
      {"TransferStartMessage", "/dataAddress/endpointProperties", "[]"},
      {"Catalog", "/dataset", "[]"},
      {"Catalog", "/service", "{}"},
      {"Catalog", "/dataset/0/hasPolicy/0/@type", R"("Agreement")"},
      {"Dataset", "/hasPolicy", "[]"},
      {"Dataset", "/distribution", "[]"}};
  for (const auto& s : all) {
    bool seen = false;
    for (auto samples : {negotiation_samples(), transfer_samples(), catalog_samples()}) {
      for (const auto& candidate : samples) {
        auto body = json::parse(candidate.body);
        if (body.at("@type") == json::value(s.type)) {
          seen = true;
          body.at_pointer(s.pointer) = json::parse(s.value);
          t.hold(!violations(body).empty(), s.type + " is accepted with " + s.pointer + " = " + s.value);
        }
      }
    }
    t.hold(seen, "no sample of " + s.type);
  }
  auto both = json::parse(negotiation_samples().front().body);
  both.as_object()["providerPid"] = "p";
  t.hold(!violations(both).empty(), "a request with callbackAddress and providerPid is accepted");
  auto targeted = json::parse(catalog_samples()[1].body);
  targeted.at_pointer("/hasPolicy/0").as_object()["target"] = "d";
  t.hold(!violations(targeted).empty(), "a catalog offer with a target is accepted");
}

void check_refusals(tally& t) {
  std::set<std::string> known{std::string(context_url)};
  auto refused = [&](const std::string& body) { return !refusals(json::parse(body), known).empty(); };
  auto valid = negotiation_samples()[6].body;
  t.hold(!refused(valid), "a valid ContractNegotiation is refused");
  t.hold(refused("[]"), "an array is not refused");
  t.hold(refused(R"({"@type":"CatalogError"})"), "a CatalogError without context is not refused");
  t.hold(refused(with_context(R"("@type":"Unheard")")), "an unknown type is not refused");
  t.hold(!refused(with_context(R"("@type":"TransferTerminationMessage","reason":[])")),
         "a type that the kit does not check is held to its schema");
  auto foreign = R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld","https://example.com/c"],)" +
                 valid.substr(valid.find("\"@type\""));
  t.hold(refused(foreign), "an unregistered context is not refused");
  known.insert("https://example.com/c");
  t.hold(!refused(foreign), "a registered context is refused");
}

void check_sent_messages(tally& t) {
  const json::object sent[] = {initial_request("c", "o", "d", "http://x"),
                               counter_request("p", "c", "o", "d"),
                               offer_message("p", "c", "o", "d", "cut"),
                               agreement_message("p", "c", "a", "d", "cut"),
                               event_message("p", "c", "ACCEPTED"),
                               pid_message("ContractAgreementVerificationMessage", "p", "c"),
                               coded_message("ContractNegotiationTerminationMessage", "p", "c"),
                               process_message("ContractNegotiation", "p", "c", "AGREED"),
                               transfer_request("c", "a", "f", "http://x"),
                               transfer_start("p", "c", true),
                               transfer_start("p", "c", false),
                               coded_message("TransferError", "p", "c", "409"),
                               catalog_request()};
  for (const auto& m : sent) {
    auto found = violations(m);
    t.hold(found.empty(), "we send an invalid " + json::serialize(m) + (found.empty() ? "" : ": " + found.front()));
  }
  t.hold(random_uuid().size() == 36 && random_uuid() != random_uuid(), "the uuids are not");
}

void check_retry_rules(tally& t) {
  using enum verdict::kind;
  struct row {
    int status;
    bool error_expected;
    int attempt;
    verdict::kind what;
  };
  const row rows[] = {{200, false, 1, passed}, {201, false, 1, passed}, {204, false, 3, passed},
                      {400, false, 1, again},  {409, false, 2, again},  {400, false, 3, failed},
                      {404, false, 1, failed}, {500, false, 1, failed}, {503, false, 1, failed},
                      {302, false, 1, failed}, {200, true, 1, failed},  {400, true, 1, passed},
                      {409, true, 1, passed},  {422, true, 1, passed},  {404, true, 1, failed},
                      {500, true, 1, failed},  {302, true, 1, failed}};
  for (const auto& r : rows) {
    t.hold(judge_post(r.status, r.error_expected, r.attempt).what == r.what,
           "status " + std::to_string(r.status) + " at attempt " + std::to_string(r.attempt) + " is judged wrongly");
  }
}

template <class State> void check_machine(tally& t, size_t states, const std::set<std::string>& allowed) {
  for (size_t from = 0; from < states; ++from) {
    for (size_t to = 0; to < states; ++to) {
      auto a = static_cast<State>(from), b = static_cast<State>(to);
      auto arrow = std::string(name_of(a)) + ">" + std::string(name_of(b));
      t.hold(may_follow(a, b) == allowed.contains(arrow), "the transition " + arrow + " is judged wrongly");
    }
  }
}

void check_machines(tally& t) {
  check_machine<negotiation_state>(t, 8,
                                   {"INITIALIZED>REQUESTED", "INITIALIZED>OFFERED", "INITIALIZED>TERMINATED",
                                    "REQUESTED>OFFERED", "REQUESTED>AGREED", "REQUESTED>TERMINATED",
                                    "OFFERED>REQUESTED", "OFFERED>OFFERED", "OFFERED>ACCEPTED", "OFFERED>TERMINATED",
                                    "ACCEPTED>AGREED", "ACCEPTED>TERMINATED", "AGREED>VERIFIED", "AGREED>TERMINATED",
                                    "VERIFIED>FINALIZED", "VERIFIED>TERMINATED"});
  check_machine<transfer_state>(t, 6,
                                {"INITIALIZED>REQUESTED", "REQUESTED>STARTED", "REQUESTED>TERMINATED",
                                 "SUSPENDED>STARTED", "SUSPENDED>TERMINATED", "STARTED>SUSPENDED", "STARTED>TERMINATED",
                                 "STARTED>COMPLETED"});
  negotiation n(part::consumer, "c");
  bool refused = false;
  try {
    n.transition(negotiation_state::offered);
  } catch (const illegal_state&) {
    refused = true;
  }
  t.hold(refused && n.state() == negotiation_state::initialized, "an offer before the peer's pid is not refused");
  n.requested_as("p");
  t.hold(n.provider_pid() == "p" && n.consumer_pid() == "c", "the pids of a consumer's process are mixed up");
}

void check_properties(tally& t) {
  auto p = parse_properties(
      "# a comment\n! another\na=1\nb : two words \n c 3\n\nd=x\\\n   y\ne\\=f=g\\u0041\\n\r\nh=\"q\"");
  t.hold(p["a"] == "1" && p["b"] == "two words " && p["c"] == "3", "plain properties are misread");
  t.hold(p["d"] == "xy" && p["e=f"] == "gA\n" && p["h"] == "\"q\"" && p.size() == 6, "escapes are misread");
  t.hold(!settings::from({}).has_value(), "a missing required key is accepted");
}

/// The callback server over real sockets: what a path answers before, while and after its handler exists.
void check_callback_server(tally& t) {
  callback_endpoint callbacks;
  transcript log(false);
  auto server = http::server::start("127.0.0.1", 0, [&](const http::message& m) { return callbacks.dispatch(m, log); });
  if (!server) {
    return t.hold(false, "the callback server does not start: " + server.error());
  }
  http::client client;
  auto url = "http://127.0.0.1:" + std::to_string((*server)->port());
  auto call = [&](const std::string& path) { return client.exchange("POST", url + path, {}, "{}"); };
  auto answer = call("/negotiations/x/offers");
  t.hold(answer && answer->status == 404 && answer->raw.body == "No handler registered on this endpoint",
         "an unknown path is not a 404");
  callbacks.expect("/negotiations/[^/]+/offers/", [&](const std::string&) {
    callbacks.forget("/negotiations/[^/]+/offers/");
    return http::reply{};
  });
  callbacks.expect("/negotiations/[^/]+/agreement", [&](const std::string&) {
    callbacks.forget("/negotiations/[^/]+/agreement");
    return http::reply{200, "{}", {}, false};
  });
  callbacks.expect("/transfers/request", [](const std::string&) -> http::reply { throw illegal_state("no"); });
  answer = call("/negotiations/x/offers/");
  t.hold(answer && answer->status == 200 && answer->raw.body.empty() && answer->raw.header("Content-Type") == nullptr &&
             answer->raw.header("Transfer-Encoding") != nullptr,
         "an empty answer is not an empty chunked body without Content-Type");
  t.hold(call("/negotiations/x/offers")->status == 200, "the offers handler does not stay");
  answer = call("/negotiations/x/agreement");
  t.hold(answer && answer->raw.body == "{}" && answer->raw.header("Content-Type") == nullptr,
         "an answer with a body has a Content-Type");
  t.hold(call("/negotiations/x/agreement")->status == 404, "the agreement handler stays");
  t.hold(call("/negotiations/x/y/agreement")->status == 404, "a pid with a slash matches");
  t.hold(!call("/transfers/request").has_value(), "a handler that throws answers");
  callbacks.clear();
  t.hold(call("/transfers/request")->status == 404, "a cleared handler stays");
}

void check_cases(tally& t) {
  std::map<std::string, int> groups;
  std::set<std::string> ids;
  for (const auto& c : all_cases()) {
    ids.insert(c.id);
    ++groups[c.id.substr(0, c.id.find(':'))];
  }
  t.hold(ids.size() == 65, "there are " + std::to_string(ids.size()) + " cases, not 65");
  t.hold(groups ==
             std::map<std::string, int>{{"MET", 1}, {"CAT", 3}, {"CN", 15}, {"CN_C", 16}, {"TP", 15}, {"TP_C", 15}},
         "the groups do not have the kit's sizes");
}

} // namespace

int self_check() {
  tally t;
  check_samples(t);
  check_spoiled(t);
  check_refusals(t);
  check_sent_messages(t);
  check_retry_rules(t);
  check_machines(t);
  check_properties(t);
  check_callback_server(t);
  check_cases(t);
  std::cout << "self-check: " << t.checks() - t.failed() << " of " << t.checks() << " checks hold\n";
  return t.failed();
}

} // namespace fondaco::conformance::dsp
