#include <atomic>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* first_path = "/negotiations/request";

// A negotiation in which globex is the consumer and the test the provider, at an address of its own.
struct provided {
  world& w;
  peer& at;
  std::string id;
  json::object offer;

  std::string path() const { return "/contractnegotiations/" + id; }
  std::string peer_pid() const { return peer_pid_for(id); }
  dsp_client to_consumer() const { return w.as_peer(w.globex); }

  json::object agreement() const {
    json::object a{{"@id", "urn:uuid:" + random_uuid()},  {"@type", "Agreement"},
                   {"target", text_at(offer, "target")},  {"timestamp", "2026-01-31T12:00:00Z"},
                   {"assigner", peer_identity},           {"assignee", w.globex.identity},
                   {"permission", offer.at("permission")}};
    return a;
  }
  answer send_agreement(const json::object& a) const {
    auto m = message("ContractAgreementMessage", id, peer_pid());
    m["agreement"] = a;
    return to_consumer().post("/negotiations/" + id + "/agreement", m);
  }
  answer send_finalized() const {
    auto m = message("ContractNegotiationEventMessage", id, peer_pid());
    m["eventType"] = "FINALIZED";
    return to_consumer().post("/negotiations/" + id + "/events", m);
  }
  void await(const std::string& state) const { await_state(w, w.globex, path(), state); }
  // From REQUESTED to the good end.
  void finish() const {
    await("REQUESTED");
    check_equal("the status of the agreement", send_agreement(agreement()).status, 200);
    at.await("/negotiations/" + peer_pid() + "/agreement/verification");
    await("VERIFIED");
    check_equal("the status of FINALIZED", send_finalized().status, 200);
    await("FINALIZED");
  }
};

provided begin(world& w, peer& at) {
  json::object constraint{{"leftOperand", "attribute.region"}, {"operator", "eq"}, {"rightOperand", "eu"}};
  json::object rule{{"action", "use"}, {"constraint", json::array{std::move(constraint)}}};
  json::object offer{{"@id", "offer-" + random_hex(8)},
                     {"@type", "Offer"},
                     {"assigner", peer_identity},
                     {"target", "thing-1"},
                     {"permission", json::array{std::move(rule)}}};
  auto id = begin_negotiation(w, w.globex, at.base(), offer);
  return {w, at, id, offer};
}

// Answers the first `count` first messages in a bad way, then well.
peer::behaviour bad_at_first(size_t count, peer::behaviour bad) {
  auto met = std::make_shared<std::atomic<size_t>>(0);
  return [met, count, bad = std::move(bad), well = peer::well()](const delivery& d) {
    return d.path.ends_with(first_path) && met->fetch_add(1) < count ? bad(d) : well(d);
  };
}

// The negotiation goes on to its good end, and every try was the same message.
void check_recovers(bed& b, peer::behaviour how, size_t tries, const std::string& cause) {
  auto& w = b.shared();
  peer p;
  p.behave(std::move(how));
  auto n = begin(w, p);
  p.await(first_path, tries);
  n.finish();
  check_one_body_per_id(p.seen());
  auto all = p.seen(first_path);
  check(all.size() >= tries, "the first message came " + std::to_string(all.size()) + " times only");
  for (const auto& d : all) {
    check_equal("the message id of another try", text_at(d.message(), "@id"), text_at(all[0].message(), "@id"));
    check_equal("the token that the peer is presented", d.authorization, "Bearer " + w.peer_is_presented);
  }
  auto why = w.consumer.ctl({"why", n.id});
  check(why.out.find(cause) != std::string::npos, "why does not tell of '" + cause + "': " + why.out);
}

void answers_500(bed& b) {
  check_recovers(b, bad_at_first(2, [](const delivery&) { return http::reply{500, "broken", {}, false}; }), 3, "500");
}

void answers_503(bed& b) {
  check_recovers(
      b, bad_at_first(1, [](const delivery&) { return http::reply{503, "later", {{"Retry-After", "1"}}, false}; }), 2,
      "503");
}

void closes(bed& b) {
  check_recovers(b, bad_at_first(2, [](const delivery&) { return http::reply{200, {}, {}, true}; }), 3, "");
}

void hangs(bed& b) {
  auto held = std::make_shared<gate>();
  struct opener {
    std::shared_ptr<gate> held;
    ~opener() { held->open(); }
  } at_the_end{held};
  auto hang = [held](const delivery&) {
    held->pass();
    return http::reply{500, {}, {}, false};
  };
  auto& w = b.shared();
  peer p;
  p.behave(bad_at_first(1, hang));
  auto n = begin(w, p);
  p.await(first_path, 2, milliseconds(10'000));
  held->open();
  n.finish();
  check_one_body_per_id(p.seen());
}

void refuses_then_takes(bed& b) {
  auto& w = b.shared();
  peer p;
  p.behave(bad_at_first(1, [](const delivery&) {
    return json_reply(400, {{"@type", "ContractNegotiationError"}, {"reason", json::array{"no such offer here"}}});
  }));
  auto n = begin(w, p);
  n.await("TERMINATED");
  auto why = w.consumer.ctl({"why", n.id});
  check(why.out.find("no such offer here") != std::string::npos, "why does not give the peer's reason: " + why.out);
  check_equal("the count of first messages after a refusal", p.seen(first_path).size(), size_t{1});
}

void redirects(bed& b) {
  auto& w = b.shared();
  peer p, elsewhere;
  for (int status : {301, 302, 307, 308}) {
    p.behave([&elsewhere, status](const delivery& d) {
      return http::reply{status, {}, {{"Location", elsewhere.root() + d.path}}, false};
    });
    auto before = p.seen(first_path).size();
    auto n = begin(w, p);
    p.await(first_path, before + 1);
    wait_for("a redirected message to be tried again or given up", [&](std::string& saw) -> std::optional<bool> {
      saw = state_of(w, w.globex, n.path());
      bool done = saw == "TERMINATED" || p.seen(first_path).size() > before + 1;
      return done ? std::optional(true) : std::nullopt;
    });
    auto end = managed("TerminateNegotiation");
    (void)w.consumer_admin.send("POST", w.globex.path(n.path() + "/terminate"), end);
  }
  check_equal("the count of requests that another host got by a redirect", elsewhere.seen().size(), size_t{0});
  auto body = managed("CatalogRequest");
  body["counterPartyAddress"] = p.base();
  body["counterPartyId"] = peer_identity;
  body["profile"] = profile;
  check_equal("the status of a catalog that is redirected",
              w.consumer_admin.send("POST", w.globex.path("/catalog/request"), body).status, 502);
  check_equal("the count of requests that another host got", elsewhere.seen().size(), size_t{0});
}

void bad_catalogs(bed& b) {
  auto& w = b.shared();
  auto held = std::make_shared<gate>();
  peer p;
  auto body = managed("CatalogRequest");
  body["counterPartyAddress"] = p.base();
  body["counterPartyId"] = peer_identity;
  body["profile"] = profile;
  auto expect_bad_gateway = [&](const std::string& what, peer::behaviour how) {
    behaving now(p, std::move(how));
    auto got = w.consumer_admin.send("POST", w.globex.path("/catalog/request"), body);
    check_equal("the status of a catalog from a peer that " + what, got.status, 502);
    check_equal("its type", text_at(got.value().as_array().at(0).as_object(), "type"), "BadGateway");
  };
  expect_bad_gateway("answers 500", [](const delivery&) { return http::reply{500, "secret trace", {}, false}; });
  expect_bad_gateway("closes", [](const delivery&) { return http::reply{200, {}, {}, true}; });
  expect_bad_gateway("answers no JSON", [](const delivery&) { return http::reply{200, "<html>", {}, false}; });
  expect_bad_gateway("answers 12 MB", [](const delivery&) {
    return http::reply{200, "[" + std::string(12u << 20, ' ') + "]", {}, false};
  });
  behaving hanging(p, held, [held](const delivery&) {
    held->pass();
    return http::reply{500, {}, {}, false};
  });
  auto begin_at = steady::now();
  auto got = w.consumer_admin.send("POST", w.globex.path("/catalog/request"), body);
  check_equal("the status of a catalog from a peer that hangs", got.status, 502);
  check(steady::now() - begin_at < milliseconds(6'000), "a peer that hangs held the catalog request for too long");
}

void other_agreement(bed& b) {
  auto& w = b.shared();
  peer p;
  auto n = begin(w, p);
  n.await("REQUESTED");
  auto refuse = [&](const std::string& what, auto change) {
    auto a = n.agreement();
    change(a);
    check_dsp_error("an agreement with " + what, n.send_agreement(a), 400, "ContractNegotiationError");
    check_equal("the state after it", state_of(w, w.globex, n.path()), "REQUESTED");
  };
  refuse("another asset", [](json::object& a) { a["target"] = "thing-2"; });
  refuse("another assigner", [](json::object& a) { a["assigner"] = "did:web:somebody.example"; });
  refuse("another assignee", [](json::object& a) { a["assignee"] = "did:web:somebody.example"; });
  refuse("no constraint", [](json::object& a) { a["permission"] = json::array{json::object{{"action", "use"}}}; });
  refuse("another value", [](json::object& a) { a["permission"] = policy("attribute.region", "us").at("permission"); });
  refuse("a duty more", [](json::object& a) { a["obligation"] = json::array{json::object{{"action", "use"}}}; });
  refuse("a prohibition more",
         [](json::object& a) { a["prohibition"] = json::array{json::object{{"action", "use"}}}; });
  check_equal("the count of verifications", p.seen("/agreement/verification").size(), size_t{0});
  n.finish();
}

void early_messages(bed& b) {
  auto& w = b.shared();
  peer p;
  auto n = begin(w, p);
  n.await("REQUESTED");
  check_dsp_error("FINALIZED in REQUESTED", n.send_finalized(), 400, "ContractNegotiationError");
  check_equal("the state after it", state_of(w, w.globex, n.path()), "REQUESTED");
  n.finish();
  check_dsp_error("an agreement after the end", n.send_agreement(n.agreement()), 400, "ContractNegotiationError");
}

// The agreement comes while the answer to our own request is still on its way: it waits and is taken.
void overtaking(bed& b) {
  auto& w = b.shared();
  auto held = std::make_shared<gate>();
  peer p;
  behaving now(p, held, [held, well = peer::well()](const delivery& d) {
    if (d.path.ends_with(first_path))
      held->pass(milliseconds(800));
    return well(d);
  });
  auto n = begin(w, p);
  p.await(first_path);
  auto got = n.send_agreement(n.agreement());
  check(got.status == 200 || got.status >= 500, "an agreement that overtook the answer was answered " +
                                                    std::to_string(got.status) + ", which ends a peer's process");
  if (got.status != 200) {
    n.await("REQUESTED");
    check_equal("the status of the agreement sent again", n.send_agreement(n.agreement()).status, 200);
  }
  p.await("/agreement/verification");
  n.await("VERIFIED");
}

} // namespace

cases peer_cases() {
  return {
      {"a peer that answers 500 and recovers gets the same message again, and the negotiation goes on", answers_500},
      {"a peer that answers 503 gets the same message again, and the negotiation goes on", answers_503},
      {"a peer that closes without an answer gets the same message again, and the negotiation goes on", closes},
      {"a peer that hangs is given up within the exchange's deadline, and the negotiation goes on", hangs},
      {"a peer that refuses the first message ends the negotiation, and why gives its reason", refuses_then_takes},
      {"a redirect to another host is not followed", redirects},
      {"a catalog from a peer that fails, closes, hangs or says nonsense is answered 502 in time", bad_catalogs},
      {"an agreement that differs from the offer is answered 400, and the right one is still taken", other_agreement},
      {"a message of the provider that the state does not allow is answered 400", early_messages},
      {"an agreement that overtakes the answer to our request is not refused for good", overtaking}};
}

} // namespace fondaco::e2e
