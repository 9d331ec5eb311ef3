#include <sstream>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

std::string why(const node& at, const std::string& id) {
  auto said = at.ctl({"why", id});
  check_equal("the exit code of ctl why", said.code, 0);
  return said.out;
}

void check_says(const std::string& said, const std::string& word, const std::string& where) {
  check(said.find(word) != std::string::npos, where + " does not say '" + word + "': " + said);
}

std::string refused_negotiation(world& w) {
  auto offer = find_offer(w, w.umbrella, w.acme, "dataset-1");
  check(!offer.empty(), "umbrella, a member, does not see dataset-1");
  auto id = begin_negotiation(w, w.umbrella, w.acme.dsp(), std::move(offer));
  await_state(w, w.umbrella, "/contractnegotiations/" + id, "TERMINATED");
  return id;
}

void refuse_contract(bed& b) {
  auto& w = b.shared();
  auto id = refused_negotiation(w);
  auto said = why(w.consumer, id);
  check_says(said, "attribute.region", "why at the consumer");
  check_says(said, "The counterparty said", "why at the consumer");
  auto got = w.consumer_admin.call("GET", w.umbrella.path("/contractnegotiations/" + id)).as_object();
  check_says(text_at(got, "errorDetail"), "attribute.region", "errorDetail");
  check(!got.contains("contractAgreementId"), "a refused negotiation names an agreement");
  auto none =
      w.consumer_admin.send("GET", w.umbrella.path("/contractnegotiations/" + id + "/agreement"), std::string());
  check_equal("the status of a refused negotiation's agreement", none.status, 404);
}

// A refused first request makes no process at the provider, so that strangers cannot fill it; what stays is a line in
// its log.
void provider_keeps_the_refusal(bed& b) {
  auto& w = b.shared();
  auto id = refused_negotiation(w);
  auto query = managed("QuerySpec");
  json::object criterion{
      {"@type", "Criterion"}, {"operandLeft", "correlationId"}, {"operator", "="}, {"operandRight", id}};
  query["filterExpression"] = json::array{std::move(criterion)};
  auto found = w.provider_admin.call("POST", w.acme.path("/contractnegotiations/request"), query).as_array();
  check_equal("the count of the provider's negotiations with that consumer's process", found.size(), size_t{0});
  std::istringstream lines(w.provider.log());
  std::string noted;
  for (std::string line; std::getline(lines, line);)
    if (line.find("ContractRequestMessage") != std::string::npos &&
        line.find("\"outcome\":\"400\"") != std::string::npos && line.find(w.umbrella.identity) != std::string::npos)
      noted = line;
  check_says(noted, "\"counterparty\":\"" + w.umbrella.identity + "\"", "the provider's log");
}

void terminate_tells_both(bed& b) {
  auto& w = b.shared();
  auto offer = find_offer(w, w.globex, w.initech, "dataset-2");
  auto id = begin_negotiation(w, w.globex, w.initech.dsp(), std::move(offer));
  await_state(w, w.globex, "/contractnegotiations/" + id, "REQUESTED");
  auto other = correlated(w, w.globex, "/contractnegotiations/" + id);
  auto end = managed("TerminateNegotiation");
  end["reason"] = "the price was wrong";
  w.provider_admin.call("POST", w.initech.path("/contractnegotiations/" + other + "/terminate"), end);
  await_state(w, w.initech, "/contractnegotiations/" + other, "TERMINATED");
  await_state(w, w.globex, "/contractnegotiations/" + id, "TERMINATED");
  check_says(why(w.provider, other), "This side said: the price was wrong", "why at the provider");
  check_says(why(w.consumer, id), "the price was wrong", "why at the consumer");
  check_says(why(w.consumer, id), "The counterparty said", "why at the consumer");
}

void hide_assets(bed& b) {
  auto& w = b.shared();
  check(!find_offer(w, w.globex, w.acme, "dataset-1").empty(), "a member does not see dataset-1");
  check(find_offer(w, w.globex, w.acme, "dataset-gold").empty(), "a plain member sees dataset-gold");
  peer_negotiation n(w.as_peer(w.acme), w.other_side);
  auto catalog = n.to().post("/catalog/request", message("CatalogRequestMessage"));
  check_equal("the status of a catalog", catalog.status, 200);
  check(catalog.body.find("dataset-gold") == std::string::npos, "the catalog names a hidden asset");
  auto hidden = n.to().get("/catalog/datasets/dataset-gold"), unknown = n.to().get("/catalog/datasets/dataset-none");
  check_dsp_error("a hidden dataset", hidden, 404, "CatalogError");
  check_equal("the answer to a hidden dataset", replaced(hidden.body, "dataset-gold", "X"),
              replaced(unknown.body, "dataset-none", "X"));
  auto seen = n.to().get("/catalog/datasets/dataset-1");
  check_equal("the status of a dataset that is seen", seen.status, 200);
  check_equal("the dataset's @id", text_at(seen.object(), "@id"), "dataset-1");
}

// The id of an offer is no secret: who may not see the asset may not ask for it either.
void refuse_hidden_offer(bed& b) {
  auto& w = b.shared();
  auto asset = "changing-" + random_hex(4);
  auto access = policy("attribute.membership", "active");
  publish(w.provider_admin, w.acme, asset, file_address(w.data_file), access, access);
  auto offer = find_offer(w, w.globex, w.acme, asset);
  check(!offer.empty(), "a member does not see the asset");
  auto definition = managed("PolicyDefinition");
  definition["@id"] = asset + "-access";
  definition["policy"] = policy("attribute.membership", "gold");
  w.provider_admin.call("PUT", w.acme.path("/policydefinitions/" + asset + "-access"), definition);
  check(find_offer(w, w.globex, w.acme, asset).empty(), "the asset is seen after its access policy changed");
  auto id = begin_negotiation(w, w.globex, w.acme.dsp(), std::move(offer));
  await_state(w, w.globex, "/contractnegotiations/" + id, "TERMINATED");
}

void refuse_policy(bed& b) {
  auto& w = b.shared();
  auto body = managed("PolicyDefinition");
  body["@id"] = "unbound-" + random_hex(4);
  body["policy"] = policy("phaseOfTheMoon", "full");
  auto got = w.provider_admin.send("POST", w.acme.path("/policydefinitions"), body);
  check_equal("the status of a policy with an unbound operand", got.status, 400);
  check_says(got.body, "phaseOfTheMoon", "the refusal");
}

} // namespace

cases refusal_cases() {
  return {
      {"a consumer that does not satisfy the contract policy is refused, and why names the constraint",
       refuse_contract},
      {"a refused first request makes no process at the provider, whose log tells of it", provider_keeps_the_refusal},
      {"a termination's reason is told by why on both nodes, each with its own view", terminate_tells_both},
      {"the catalog hides what the access policy refuses, and a hidden dataset looks like an unknown one", hide_assets},
      {"an offer's id opens nothing once the access policy refuses", refuse_hidden_offer},
      {"a policy with an operand that nothing judges is refused when it is written", refuse_policy}};
}

} // namespace fondaco::e2e
