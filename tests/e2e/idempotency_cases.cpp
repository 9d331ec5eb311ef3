#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

http::header_list with_key(const std::string& key) { return {{"Idempotency-Key", key}}; }

std::string id_of(const answer& a) {
  check_equal("the status of a POST that creates", a.status, 200);
  auto id = text_at(a.object(), "@id");
  check(!id.empty(), "a POST that creates was answered without an @id: " + a.body);
  return id;
}

void same_request(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  auto m = n.request("dataset-1");
  auto first = n.to().post("/negotiations/request", m);
  check_equal("the status of the first request", first.status, 201);
  auto pid = text_at(first.object(), "providerPid");
  for (bool same_id : {true, false}) {
    if (!same_id)
      m["@id"] = "urn:uuid:" + random_uuid();
    auto again = n.to().post("/negotiations/request", m);
    check(again.status == 200 || again.status == 201,
          "a repeated first request was answered " + std::to_string(again.status) + ": " + again.body);
    check_equal("providerPid of the repeat", text_at(again.object(), "providerPid"), pid);
  }
  n.await("/agreement");
  auto agreements = w.other_side.seen("/negotiations/" + n.consumer_pid() + "/agreement");
  check_one_body_per_id(agreements);
  for (const auto& d : agreements)
    check_equal("the agreement's message id", text_at(d.message(), "@id"), text_at(agreements[0].message(), "@id"));
  m["consumerPid"] = "urn:uuid:" + random_uuid();
  m["@id"] = "urn:uuid:" + random_uuid();
  auto other = n.to().post("/negotiations/request", m);
  check_equal("the status of another process's request", other.status, 201);
  check(text_at(other.object(), "providerPid") != pid, "two processes of a consumer share a providerPid");
}

void at_once(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.initech), w.other_side);
  const auto m = n.request("dataset-2");
  constexpr size_t count = 8;
  std::vector<std::string> pids(count);
  std::vector<std::jthread> all;
  for (size_t i = 0; i < count; ++i)
    all.emplace_back([&, i] {
      try {
        pids[i] = text_at(n.to().post("/negotiations/request", m).object(), "providerPid");
      } catch (const std::exception& e) {
        pids[i] = e.what();
      }
    });
  all.clear();
  for (const auto& pid : pids)
    check_equal("providerPid of one of several requests at once", pid, pids[0]);
  check(!pids[0].empty(), "requests at once were answered without a providerPid");
}

void replayed_messages(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  n.begin("dataset-1");
  n.await("/agreement");
  n.await_state("AGREED");
  const auto verification = message("ContractAgreementVerificationMessage", n.consumer_pid(), n.provider_pid());
  auto post = [&](const std::string& rest, const json::object& m) {
    return n.to().post("/negotiations/" + n.provider_pid() + rest, m);
  };
  auto first = post("/agreement/verification", verification);
  check_equal("the status of the verification", first.status, 200);
  auto second = post("/agreement/verification", verification);
  check_equal("the status of the replayed verification", second.status, first.status);
  check_equal("the answer to the replayed verification", second.body, first.body);
  n.await("/events");
  n.await_state("FINALIZED");
  auto late = post("/agreement/verification", verification);
  check_equal("the status of the verification replayed at the end", late.status, first.status);
  check_equal("the answer to it", late.body, first.body);
  auto fresh = message("ContractAgreementVerificationMessage", n.consumer_pid(), n.provider_pid());
  check_dsp_error("another verification at the end", post("/agreement/verification", fresh), 400,
                  "ContractNegotiationError");
  check_equal("the state after all that", n.state(), "FINALIZED");
  auto events = w.other_side.seen("/negotiations/" + n.consumer_pid() + "/events");
  check_one_body_per_id(events);
  auto said = w.provider.ctl({"--json", "history", n.provider_pid()});
  size_t verified = 0;
  const auto history = json::parse(said.out).as_array().at(0).as_object();
  for (const auto& e : array_at(history, "events"))
    verified += text_at(e.as_object(), "type") == "negotiation.verified" ? 1 : 0;
  check_equal("how often the history was verified", verified, size_t{1});
}

void same_transfer(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  auto m = message("TransferRequestMessage");
  m["agreementId"] = text_at(n.finish("dataset-1"), "@id");
  m["consumerPid"] = "urn:uuid:" + random_uuid();
  m["format"] = transfer_type;
  m["callbackAddress"] = w.other_side.base();
  auto first = n.to().post("/transfers/request", m);
  check_equal("the status of the first request", first.status, 201);
  m["@id"] = "urn:uuid:" + random_uuid();
  auto again = n.to().post("/transfers/request", m);
  check(again.status == 200 || again.status == 201, "a repeated request was answered " + std::to_string(again.status));
  check_equal("providerPid of the repeat", text_at(again.object(), "providerPid"),
              text_at(first.object(), "providerPid"));
  w.other_side.await("/transfers/" + text_at(m, "consumerPid") + "/start");
  check_one_body_per_id(w.other_side.seen("/transfers/" + text_at(m, "consumerPid") + "/start"));
}

void keyed_records(bed& b) {
  auto& w = b.shared();
  auto key = random_uuid();
  auto body = managed("Asset");
  body["properties"] = json::object{{"name", "made once"}};
  auto post = [&](const std::string& with, const json::object& o) {
    return w.provider_admin.send("POST", w.acme.path("/assets"), o, with_key(with));
  };
  auto first = post(key, body), again = post(key, body);
  check_equal("the @id of the repeat", id_of(again), id_of(first));
  check_equal("the answer to the repeat", again.body, first.body);
  check(id_of(post(random_uuid(), body)) != id_of(first), "two keys made one asset");
  body["properties"] = json::object{{"name", "something else"}};
  check_equal("the status of the key with another content", post(key, body).status, 409);
  auto other_tenant = w.provider_admin.send("POST", w.initech.path("/assets"), body, with_key(key));
  check(id_of(other_tenant) != id_of(first), "two tenants share an idempotency key");
  check_equal("the status of an empty key", post("", body).status, 400);
  check_equal("the status of a key of 600 bytes", post(std::string(600, 'k'), body).status, 400);
}

void keyed_negotiation(bed& b) {
  auto& w = b.shared();
  peer p;
  auto key = random_uuid();
  auto body = managed("ContractRequest");
  body["counterPartyAddress"] = p.base();
  body["profile"] = profile;
  body["policy"] = json::object{{"@id", "offer-1"},
                                {"@type", "Offer"},
                                {"assigner", peer_identity},
                                {"target", "thing-1"},
                                {"permission", json::array{json::object{{"action", "use"}}}}};
  auto post = [&](const json::object& o) {
    return w.consumer_admin.send("POST", w.globex.path("/contractnegotiations"), o, with_key(key));
  };
  auto first = post(body), again = post(body);
  check_equal("the @id of the repeat", id_of(again), id_of(first));
  await_state(w, w.globex, "/contractnegotiations/" + id_of(first), "REQUESTED");
  check_equal("the @id of a late repeat", id_of(post(body)), id_of(first));
  check_equal("the count of requests that the peer got", p.seen("/negotiations/request").size(), size_t{1});
  body["policy"].as_object()["target"] = "thing-2";
  check_equal("the status of the key with another content", post(body).status, 409);
  check_equal("the count of requests that the peer got", p.seen("/negotiations/request").size(), size_t{1});
}

void keyed_transfer(bed& b) {
  auto& w = b.shared();
  auto body = managed("TransferRequest");
  body["counterPartyAddress"] = w.acme.dsp();
  body["profile"] = profile;
  body["contractId"] = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, "dataset-1")), "@id");
  body["transferType"] = transfer_type;
  auto key = random_uuid();
  auto post = [&] { return w.consumer_admin.send("POST", w.globex.path("/transferprocesses"), body, with_key(key)); };
  auto first = post(), again = post();
  check_equal("the @id of the repeat", id_of(again), id_of(first));
  await_state(w, w.globex, "/transferprocesses/" + id_of(first), "STARTED");
}

void duplicates(bed& b) {
  auto& w = b.shared();
  auto body = managed("Asset");
  body["@id"] = "twice-" + random_hex(4);
  body["properties"] = json::object{{"name", "x"}};
  check_equal("the status of the first", w.provider_admin.send("POST", w.acme.path("/assets"), body).status, 200);
  auto second = w.provider_admin.send("POST", w.acme.path("/assets"), body);
  check_equal("the status of the second", second.status, 409);
  check_equal("its type", text_at(second.value().as_array().at(0).as_object(), "type"), "ObjectConflict");
  auto elsewhere = w.provider_admin.send("POST", w.initech.path("/assets"), body);
  check_equal("the status of the same id at another tenant", elsewhere.status, 200);
}

} // namespace

cases idempotency_cases() {
  return {{"a repeated first request of a consumer gives the same provider's process", same_request},
          {"the same first request many times at once makes one process", at_once},
          {"a replayed message id gets the same answer and is acted on once", replayed_messages},
          {"a repeated transfer request gives the same provider's process", same_transfer},
          {"an Idempotency-Key makes one asset, of its own tenant, and is refused with another content", keyed_records},
          {"an Idempotency-Key makes one negotiation, and the peer is asked once", keyed_negotiation},
          {"an Idempotency-Key makes one transfer", keyed_transfer},
          {"an id that is taken is answered 409, and only within its tenant", duplicates}};
}

} // namespace fondaco::e2e
