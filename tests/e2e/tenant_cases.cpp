#include "e2e/cases.hpp"
#include "e2e/role_matrix.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

void check_same(const std::string& what, const answer& theirs, const std::string& id, const answer& unknown,
                const std::string& unknown_id) {
  check_equal("the status of " + what, theirs.status, 404);
  check_equal("the answer to " + what, looks(theirs, id), looks(unknown, unknown_id));
}

void over_dsp(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.initech), w.other_side);
  n.begin("dataset-2");
  auto acme = w.as_peer(w.acme);
  auto id = n.provider_pid(), none = nobodys(id);
  check_same("another tenant's negotiation", acme.get("/negotiations/" + id), id, acme.get("/negotiations/" + none),
             none);
  for (const char* rest : {"/termination", "/agreement/verification"}) {
    auto type = std::string(rest) == "/termination" ? "ContractNegotiationTerminationMessage"
                                                    : "ContractAgreementVerificationMessage";
    auto post = [&](const std::string& to) {
      return acme.post("/negotiations/" + to + rest, message(type, n.consumer_pid(), to));
    };
    check_same("a message to another tenant's negotiation", post(id), id, post(none), none);
  }
  check_equal("the negotiation's state after all that", n.state(), "REQUESTED");
}

// The test's negotiation with acme, asked for with globex's own token.
void other_counterparty(bed& b) {
  auto& w = b.shared();
  auto token = random_hex(32);
  trust(w.provider_admin, w.acme, "stranger", "did:web:stranger.example", good_attributes, token, random_hex(32));
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  n.finish("dataset-1");
  dsp_client stranger(w.acme.dsp(), token);
  check_equal("the status of the stranger's catalog",
              stranger.post("/catalog/request", message("CatalogRequestMessage")).status, 200);
  auto id = n.provider_pid(), none = nobodys(id);
  check_same("another counterparty's negotiation", stranger.get("/negotiations/" + id), id,
             stranger.get("/negotiations/" + none), none);
  auto end = [&](const std::string& to) {
    return stranger.post("/negotiations/" + to + "/termination",
                         message("ContractNegotiationTerminationMessage", n.consumer_pid(), to));
  };
  check_same("a termination of another counterparty's negotiation", end(id), id, end(none), none);
  check_equal("the negotiation's state after it", n.state(), "FINALIZED");
}

void over_management(bed& b) {
  auto& w = b.shared();
  auto negotiation = agree(w, w.globex, w.acme, "dataset-1");
  auto agreement = text_at(agreement_of(w, w.globex, negotiation), "@id");
  auto transfer = start_transfer(w, w.globex, w.acme, agreement);
  auto look = [&](const std::string& path, const std::string& id, const std::string& none) {
    auto get = [&](const std::string& one) {
      return w.consumer_admin.send("GET", w.umbrella.path(replaced(path, "ID", one)), std::string());
    };
    check_same("GET " + path, get(id), id, get(none), none);
  };
  for (const char* path :
       {"/contractnegotiations/ID", "/contractnegotiations/ID/state", "/contractnegotiations/ID/agreement"})
    look(path, negotiation, nobodys(negotiation));
  look("/contractagreements/ID", agreement, nobodys(agreement));
  for (const char* path : {"/transferprocesses/ID", "/transferprocesses/ID/state", "/edrs/ID/dataaddress"})
    look(path, transfer, nobodys(transfer));
  auto end = [&](const std::string& one) {
    return w.consumer_admin.send("POST", w.umbrella.path("/transferprocesses/" + one + "/terminate"),
                                 managed("TerminateTransfer"));
  };
  check_same("the termination of another tenant's transfer", end(transfer), transfer, end(nobodys(transfer)),
             nobodys(transfer));
  check_equal("the transfer's state after it", state_of(w, w.globex, "/transferprocesses/" + transfer), "STARTED");
}

void assets_of_another(bed& b) {
  auto& w = b.shared();
  auto get = [&](const std::string& id) {
    return w.provider_admin.send("GET", w.initech.path("/assets/" + id), std::string());
  };
  check_same("another tenant's asset", get("dataset-1"), "dataset-1", get("dataset-9"), "dataset-9");
  auto listed = w.provider_admin.call("POST", w.initech.path("/assets/request"));
  check(json::serialize(listed).find("dataset-1") == std::string::npos, "a list holds another tenant's asset");
  auto body = managed("Asset");
  body["@id"] = "dataset-1";
  body["properties"] = json::object{{"name", "taken over"}};
  check_equal("the status of changing another tenant's asset",
              w.provider_admin.send("PUT", w.initech.path("/assets"), body).status, 404);
  auto kept = w.provider_admin.call("GET", w.acme.path("/assets/dataset-1"));
  check(json::serialize(kept).find("taken over") == std::string::npos, "another tenant changed an asset");
}

void agreement_of_another(bed& b) {
  auto& w = b.shared();
  auto agreement = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, "dataset-1")), "@id");
  auto body = managed("TransferRequest");
  body["counterPartyAddress"] = w.acme.dsp();
  body["profile"] = profile;
  body["contractId"] = agreement;
  body["transferType"] = transfer_type;
  auto got = w.consumer_admin.send("POST", w.umbrella.path("/transferprocesses"), body);
  check_equal("the status of a transfer under another tenant's agreement", got.status, 400);
  body["contractId"] = nobodys(agreement);
  auto unknown = w.consumer_admin.send("POST", w.umbrella.path("/transferprocesses"), body);
  check_equal("the answer", looks(got, agreement), looks(unknown, nobodys(agreement)));
}

} // namespace

cases tenant_cases() {
  return {
      {"another tenant's negotiation is answered over DSP byte for byte as one that does not exist", over_dsp},
      {"another counterparty's negotiation is answered byte for byte as one that does not exist", other_counterparty},
      {"another tenant's processes are answered by the management API byte for byte as ones that do not exist",
       over_management},
      {"another tenant's asset can neither be seen nor listed nor changed", assets_of_another},
      {"another tenant's agreement gives no transfer", agreement_of_another}};
}

} // namespace fondaco::e2e
