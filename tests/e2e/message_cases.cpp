#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* negotiation_error = "ContractNegotiationError";

// A message that the state does not allow: what it is called, its type, where it goes, and what it carries besides.
struct wrong_message {
  std::string what;
  std::string type;
  std::string rest;
  json::object more;
};

std::vector<wrong_message> not_in_requested(const json::object& offer) {
  return {{"ACCEPTED in REQUESTED", "ContractNegotiationEventMessage", "/events", {{"eventType", "ACCEPTED"}}},
          {"FINALIZED from a consumer", "ContractNegotiationEventMessage", "/events", {{"eventType", "FINALIZED"}}},
          {"a verification in REQUESTED", "ContractAgreementVerificationMessage", "/agreement/verification", {}},
          {"a counter-offer in REQUESTED", "ContractRequestMessage", "/request", {{"offer", offer}}}};
}

void check_all_wrong(const peer_negotiation& n, const std::vector<wrong_message>& list, const std::string& state) {
  for (const auto& m : list) {
    auto got = n.send(m.type, m.rest, m.more);
    check_dsp_error(m.what, got, 400, negotiation_error);
    check_equal("consumerPid of the error to " + m.what, text_at(got.object(), "consumerPid"), n.consumer_pid());
    check_equal("providerPid of the error to " + m.what, text_at(got.object(), "providerPid"), n.provider_pid());
    check_equal("the state after " + m.what, n.state(), state);
  }
}

void wrong_in_requested(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.initech), w.other_side);
  n.begin("dataset-2");
  check_all_wrong(n, not_in_requested(n.offer("dataset-2")), "REQUESTED");
}

void wrong_in_agreed(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  n.begin("dataset-1");
  n.await("/agreement");
  n.await_state("AGREED");
  auto list = not_in_requested(n.offer("dataset-1"));
  std::erase_if(list, [](const auto& m) { return m.type == "ContractAgreementVerificationMessage"; });
  check_all_wrong(n, list, "AGREED");
  check_equal("the status of the right message after all the wrong ones", n.verify().status, 200);
  n.await("/events");
  n.await_state("FINALIZED");
}

void wrong_at_the_end(bed& b) {
  auto& w = b.shared();
  peer_negotiation ended(w.as_peer(w.initech), w.other_side);
  ended.begin("dataset-2");
  json::object reasons{{"code", "1"}, {"reason", json::array{"changed our mind"}}};
  check_equal("the status of a termination",
              ended.send("ContractNegotiationTerminationMessage", "/termination", reasons).status, 200);
  check_all_wrong(ended, not_in_requested(ended.offer("dataset-2")), "TERMINATED");
  peer_negotiation final(w.as_peer(w.acme), w.other_side);
  final.finish("dataset-1");
  check_all_wrong(final,
                  {{"a termination in FINALIZED", "ContractNegotiationTerminationMessage", "/termination", reasons}},
                  "FINALIZED");
}

void wrong_pids(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.initech), w.other_side);
  n.begin("dataset-2");
  auto m = message("ContractNegotiationTerminationMessage", "urn:uuid:" + random_uuid(), n.provider_pid());
  auto got = n.to().post("/negotiations/" + n.provider_pid() + "/termination", m);
  check_dsp_error("a message with another consumerPid", got, 400, negotiation_error);
  check_equal("the state after it", n.state(), "REQUESTED");
}

void unknown_ids(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  n.begin("dataset-1");
  auto unknown = n.provider_pid();
  unknown.back() = unknown.back() == '0' ? '1' : '0';
  for (const auto& id : {unknown, std::string("not-a-uuid"), random_uuid(), std::string(600, 'x')}) {
    check_dsp_error("an unknown negotiation", n.to().get("/negotiations/" + id), 404, negotiation_error);
    check_dsp_error("an unknown transfer", n.to().get("/transfers/" + id), 404, "TransferError");
    if (id.size() > 512) // a longer id is wrong in itself, where a message names it
      continue;
    auto m = message("ContractAgreementVerificationMessage", n.consumer_pid(), id);
    check_dsp_error("a message to an unknown negotiation",
                    n.to().post("/negotiations/" + id + "/agreement/verification", m), 404, negotiation_error);
  }
  check_dsp_error("an unknown dataset", n.to().get("/catalog/datasets/nothing"), 404, "CatalogError");
  auto known =
      std::vector<std::string>{"/contractnegotiations/", "/transferprocesses/",  "/contractagreements/", "/assets/",
                               "/policydefinitions/",    "/contractdefinitions/"};
  for (const auto& path : known) {
    auto got = w.provider_admin.send("GET", w.acme.path(path + unknown), std::string());
    check_equal("the status of an unknown id at " + path, got.status, 404);
    auto list = got.value().as_array();
    check_equal("the type of its error", text_at(list.at(0).as_object(), "type"), "ObjectNotFound");
  }
}

// An offer that nobody made, or that was changed, makes no negotiation.
void wrong_offers(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  auto good = n.request("dataset-1");
  auto with_offer = [&](auto change) {
    auto m = good;
    m["@id"] = "urn:uuid:" + random_uuid();
    m["consumerPid"] = "urn:uuid:" + random_uuid();
    change(m);
    return n.to().post("/negotiations/request", m);
  };
  auto expect_refused = [](const std::string& what, const answer& a) {
    check(a.status >= 400 && a.status < 500, what + " was answered " + std::to_string(a.status) + ": " + a.body);
    check_dsp_error(what, a, a.status, negotiation_error);
  };
  expect_refused("an unknown offer",
                 with_offer([](json::object& m) { m["offer"].as_object()["@id"] = "offer-of-nobody"; }));
  expect_refused("an offer for another asset",
                 with_offer([](json::object& m) { m["offer"].as_object()["target"] = "dataset-gold"; }));
  expect_refused("a request without an offer", with_offer([](json::object& m) { m.erase("offer"); }));
  expect_refused("a request without consumerPid", with_offer([](json::object& m) { m.erase("consumerPid"); }));
  expect_refused("a request without callbackAddress", with_offer([](json::object& m) { m.erase("callbackAddress"); }));
  expect_refused("a first request with a providerPid", with_offer([](json::object& m) { m["providerPid"] = "p-1"; }));
  expect_refused("a callbackAddress that is no URL",
                 with_offer([](json::object& m) { m["callbackAddress"] = "file:///etc/passwd"; }));
  expect_refused("another type", with_offer([](json::object& m) { m["@type"] = "CatalogRequestMessage"; }));
  expect_refused("another context",
                 with_offer([](json::object& m) { m["@context"] = json::array{"https://example.org/context"}; }));
  check_equal("the status of the unchanged request", with_offer([](json::object&) {}).status, 201);
}

void wrong_transfers(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  auto agreement = text_at(n.finish("dataset-1"), "@id");
  auto request = [&](const std::string& about, const std::string& format) {
    auto m = message("TransferRequestMessage");
    m["consumerPid"] = "urn:uuid:" + random_uuid();
    m["agreementId"] = about;
    m["format"] = format;
    m["callbackAddress"] = w.other_side.base();
    return m;
  };
  auto unknown = n.to().post("/transfers/request", request("urn:uuid:" + random_uuid(), transfer_type));
  check(unknown.status == 404 || unknown.status == 400 || unknown.status == 409,
        "a transfer under an unknown agreement was answered " + std::to_string(unknown.status));
  check_dsp_error("a transfer under an unknown agreement", unknown, unknown.status, "TransferError");
  check_dsp_error("a transfer in an unknown format",
                  n.to().post("/transfers/request", request(agreement, "Carrier-Pigeon-PULL")), 400, "TransferError");
  auto good = request(agreement, transfer_type);
  auto got = n.to().post("/transfers/request", good);
  check_equal("the status of a transfer request", got.status, 201);
  auto consumer = text_at(good, "consumerPid"), provider = text_at(got.object(), "providerPid");
  w.other_side.await("/transfers/" + consumer + "/start");
  auto state = [&] { return text_at(n.to().get("/transfers/" + provider).object(), "state"); };
  wait_for("the transfer to be STARTED", [&](std::string& saw) -> std::optional<bool> {
    saw = state();
    return saw == "STARTED" ? std::optional(true) : std::nullopt;
  });
  check_dsp_error("a start in STARTED",
                  n.to().post("/transfers/" + provider + "/start", message("TransferStartMessage", consumer, provider)),
                  400, "TransferError");
  check_equal("the state after it", state(), "STARTED");
  check_equal(
      "the status of a completion",
      n.to()
          .post("/transfers/" + provider + "/completion", message("TransferCompletionMessage", consumer, provider))
          .status,
      200);
  check_dsp_error(
      "a suspension after the completion",
      n.to().post("/transfers/" + provider + "/suspension", message("TransferSuspensionMessage", consumer, provider)),
      400, "TransferError");
  check_equal("the state at the end", state(), "COMPLETED");
}

} // namespace

cases message_cases() {
  return {{"a message that REQUESTED does not allow is answered 400 with an error body and changes nothing",
           wrong_in_requested},
          {"a message that AGREED does not allow is answered 400 and the right one still works", wrong_in_agreed},
          {"a negotiation that ended takes no message any more", wrong_at_the_end},
          {"a message with another process id is answered 400 and changes nothing", wrong_pids},
          {"an unknown id is answered 404 at every door", unknown_ids},
          {"a request with a wrong offer or a missing member makes no negotiation", wrong_offers},
          {"a transfer keeps to its agreement, its formats and its states", wrong_transfers}};
}

} // namespace fondaco::e2e
