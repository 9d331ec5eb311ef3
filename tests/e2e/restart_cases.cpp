#include "e2e/cases.hpp"
#include "e2e/shop.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr auto ready_within = milliseconds(15'000);

enum class way : bool { term, kill };

// A provider of its own that may die, and the test as its consumer.
class mortal : public shop {
public:
  explicit mortal(bed& b) : shop(b) { open(); }

  void die(way how) {
    if (how == way::term)
      check_equal("the exit code after SIGTERM", at().stop(), 0);
    else
      at().kill();
  }
  void rise() {
    at().start(ready_within);
    auto got = send("GET", at().url("observability") + "/api/check/readiness", {});
    check_equal("the status of readiness once the node says ready", got.status, 200);
  }
};

std::string path_of(const peer_negotiation& n, const std::string& rest) {
  return "/negotiations/" + n.consumer_pid() + rest;
}

// The node dies while it waits for the consumer's verification.
void dies_when_agreed(bed& b, way how) {
  mortal m(b);
  auto n = m.negotiation();
  n.begin("dataset-1");
  auto before = n.await("/agreement");
  n.await_state("AGREED");
  m.die(how);
  m.rise();
  check_equal("the state after the restart", n.state(), "AGREED");
  check_equal("the status of the verification", n.verify().status, 200);
  n.await("/events");
  n.await_state("FINALIZED");
  check_one_body_per_id(m.other().seen());
  auto agreements = m.other().seen(path_of(n, "/agreement"));
  for (const auto& d : agreements)
    check_equal("the agreement after the restart", d.body, before.body);
}

// The node dies while its last message is on its way: the peer holds the answer to FINALIZED back.
void dies_when_finalizing(bed& b, way how) {
  mortal m(b);
  auto n = m.negotiation();
  n.begin("dataset-1");
  n.await("/agreement");
  n.await_state("AGREED");
  auto held = std::make_shared<gate>();
  {
    behaving now(m.other(), held, [held, well = peer::well()](const delivery& d) {
      if (d.path.ends_with("/events"))
        held->pass();
      return well(d);
    });
    check_equal("the status of the verification", n.verify().status, 200);
    n.await("/events");
    m.die(how);
  }
  auto before = m.other().seen(path_of(n, "/events")).size();
  m.rise();
  n.await("/events", before + 1);
  n.await_state("FINALIZED");
  check_one_body_per_id(m.other().seen());
  auto events = m.other().seen(path_of(n, "/events"));
  for (const auto& d : events)
    check_equal("FINALIZED after the restart", d.body, events[0].body);
  check_equal("the status of a verification after the end",
              n.send("ContractAgreementVerificationMessage", "/agreement/verification").status, 400);
}

// The peer answers 503 until the node is gone: the retry belongs to the next life.
void dies_between_tries(bed& b) {
  mortal m(b);
  auto n = m.negotiation();
  {
    behaving now(m.other(), [](const delivery&) { return http::reply{503, {}, {}, false}; });
    n.begin("dataset-1");
    n.await("/agreement", 2);
    m.die(way::kill);
  }
  auto before = m.other().seen(path_of(n, "/agreement")).size();
  m.rise();
  n.await("/agreement", before + 1);
  n.await_state("AGREED");
  check_equal("the status of the verification", n.verify().status, 200);
  n.await("/events");
  n.await_state("FINALIZED");
  check_one_body_per_id(m.other().seen());
}

struct started_transfer {
  std::string consumer_pid;
  std::string provider_pid;
  access reach;
};

started_transfer begin_transfer(mortal& m, const peer_negotiation& n, const std::string& agreement) {
  auto request = message("TransferRequestMessage");
  request["agreementId"] = agreement;
  request["consumerPid"] = "urn:uuid:" + random_uuid();
  request["format"] = transfer_type;
  request["callbackAddress"] = m.other().base();
  auto got = n.to().post("/transfers/request", request);
  check_equal("the status of a transfer request", got.status, 201);
  started_transfer t{text_at(request, "consumerPid"), text_at(got.object(), "providerPid"), {}};
  auto where = object_at(m.other().await("/transfers/" + t.consumer_pid + "/start").message(), "dataAddress");
  t.reach.endpoint = text_at(where, "endpoint");
  for (const auto& p : array_at(where, "endpointProperties"))
    if (text_at(p.as_object(), "name") == "authorization")
      t.reach.authorization = text_at(p.as_object(), "value");
  return t;
}

void keeps_transfers(bed& b) {
  mortal m(b);
  auto n = m.negotiation();
  auto t = begin_transfer(m, n, text_at(n.finish("dataset-1"), "@id"));
  m.die(way::kill);
  m.rise();
  running_pull pull(t.reach.endpoint, t.reach.authorization);
  check_equal("the status of a pull after the restart", pull.status(), 200);
  check(pull.finish(), "a pull after the restart broke off");
  check_equal("its SHA-256", pull.digest(), sha256_of_file(m.data_file()));
  auto end = message("TransferTerminationMessage", t.consumer_pid, t.provider_pid);
  check_equal("the status of a termination after the restart",
              n.to().post("/transfers/" + t.provider_pid + "/termination", end).status, 200);
  wait_for("the data plane to refuse an ended flow", [&](std::string& saw) -> std::optional<bool> {
    auto status = running_pull(t.reach.endpoint, t.reach.authorization).status();
    saw = std::to_string(status);
    return status == 403 ? std::optional(true) : std::nullopt;
  });
  check_one_body_per_id(m.other().seen());
}

// What was acknowledged is there after kill -9, and what a repeat asks for is what the first life made.
void keeps_what_it_acknowledged(bed& b) {
  mortal m(b);
  std::vector<std::pair<std::string, std::string>> made;
  for (size_t i = 0; i < 20; ++i) {
    auto key = random_uuid();
    auto asset = managed("Asset");
    asset["properties"] = json::object{{"name", "asset " + std::to_string(i)}};
    auto got = m.admin().send("POST", m.acme().path("/assets"), asset, {{"Idempotency-Key", key}});
    check_equal("the status of an asset", got.status, 200);
    made.emplace_back(key, text_at(got.object(), "@id"));
  }
  auto n = m.negotiation();
  auto request = n.request("dataset-1");
  auto first = n.to().post("/negotiations/request", request);
  m.die(way::kill);
  m.rise();
  for (const auto& [key, id] : made)
    check_equal("the status of an asset after kill -9",
                m.admin().send("GET", m.acme().path("/assets/" + id), std::string()).status, 200);
  auto again = n.to().post("/negotiations/request", request);
  check_equal("providerPid of a first request repeated to the next life", text_at(again.object(), "providerPid"),
              text_at(first.object(), "providerPid"));
}

void stops_while_pulled(bed& b) {
  mortal m(b);
  auto n = m.negotiation();
  auto t = begin_transfer(m, n, text_at(n.finish("dataset-1"), "@id"));
  running_pull pull(t.reach.endpoint, t.reach.authorization, 4096);
  auto begin = steady::now();
  check_equal("the exit code after SIGTERM", m.at().stop(), 0);
  check(steady::now() - begin < milliseconds(15'000), "a node with a running pull took too long to stop");
}

} // namespace

cases restart_cases() {
  return {{"a provider that is asked to end between AGREED and FINALIZED goes on after its restart",
           [](bed& b) { dies_when_agreed(b, way::term); }},
          {"a provider that is killed between AGREED and FINALIZED goes on after its restart",
           [](bed& b) { dies_when_agreed(b, way::kill); }},
          {"a provider that is asked to end while FINALIZED is on its way sends the same message after its restart",
           [](bed& b) { dies_when_finalizing(b, way::term); }},
          {"a provider that is killed while FINALIZED is on its way sends the same message after its restart",
           [](bed& b) { dies_when_finalizing(b, way::kill); }},
          {"a provider that is killed between two tries sends the same message after its restart", dies_between_tries},
          {"a started transfer can be pulled from after kill -9, until it is ended", keeps_transfers},
          {"what was acknowledged is there after kill -9", keeps_what_it_acknowledged},
          {"a node stops in time while it is pulled from", stops_while_pulled}};
}

} // namespace fondaco::e2e
