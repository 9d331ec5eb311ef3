// Every route of the Management API, of the operator and of the protocols against every caller who may not call it.

#include "e2e/fixed_tokens.hpp"
#include "e2e/protocol_matrix.hpp"
#include "e2e/tenant_bed.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

/// The bed that these cases share, made for the first of them.
class shared_tenants {
public:
  tenant_bed& of(bed& b) {
    if (!bed_ || !bed_->at.running())
      bed_ = std::make_unique<tenant_bed>(b);
    return *bed_;
  }

private:
  std::unique_ptr<tenant_bed> bed_;
};

void run_management(tenant_bed& t) {
  known_names known{{"partner_dsp", t.partner.dsp()},
                    {"partner_did", t.partner.identity},
                    {"slow_dsp", t.slow.dsp()},
                    {"slow_offer", json::serialize(t.offer(t.alpha, t.slow, "dataset-1"))},
                    {"agreed", t.agree(t.alpha, t.partner, "dataset-1")}};
  run_table(t.by, management_table(), known);
}

void run_operator(tenant_bed& t) {
  known_names known{{"agreed", t.agree(t.alpha, t.partner, "dataset-1")}};
  run_table(t.by, operator_table(), known);
}

header_maker bearer(std::string_view token) {
  return [text = "Bearer " + std::string(token)] { return http::header_list{{"Authorization", text}}; };
}

header_maker header(const char* name, const std::string& value) {
  return [=] { return http::header_list{{name, value}}; };
}

const header_maker nothing = [] { return http::header_list(); };

// Tokens that prove nothing at a door that another kind of token opens.
std::vector<refused_caller> refused_tokens(tenant_bed& t, int status) {
  return {{"a token that is none", status, bearer("garbage")},
          {"an expired token", status, bearer(fixed_tokens::expired)},
          {"a token for another service", status, bearer(fixed_tokens::other_audience)},
          {"the administrator's token", status, bearer(t.by.as("admin").token())},
          {"alpha's own token for its APIs", status, bearer(t.by.as("alpha").token())}};
}

std::string pids(const std::string& consumer, const std::string& provider) {
  return R"("consumerPid":")" + consumer + R"(","providerPid":")" + provider + "\"";
}

void run_dsp(tenant_bed& t) {
  protocol_callers who{"protocol", refused_tokens(t, 401), bearer(t.to_alpha), bearer(t.to_beta),
                       bearer(t.stranger_to_alpha)};
  who.refused.push_back({"nobody", 401, nothing});
  who.refused.push_back({"a counterparty of another tenant", 401, bearer(t.to_beta)});
  who.refused.push_back({"who knows what alpha presents", 401, bearer(t.from_alpha)});
  who.refused.push_back({"the operator", 401, bearer(t.by.as("operator").token())});
  const peer_negotiation looking(dsp_client(t.alpha.dsp(), t.to_alpha), t.other_side);
  const auto offer = looking.offer("alphas"), sold = tenant_bed::own_offer();
  const auto offered = t.buy(sold), bought = t.buy(sold);
  json::object agreement{
      {"@id", "urn:uuid:" + random_uuid()},  {"@type", "Agreement"},      {"target", "thing"},
      {"timestamp", "2026-01-31T12:00:00Z"}, {"assigner", peer_identity}, {"assignee", t.alpha.identity},
      {"permission", sold.at("permission")}};
  known_names known{{"callback", t.other_side.base()},
                    {"offer", json::serialize(offer)},
                    {"offer_id", text_at(offer, "@id")},
                    {"own_offer", json::serialize(sold)},
                    {"own_agreement", json::serialize(agreement)},
                    {"offered", offered},
                    {"offered_pids", pids(offered, peer_pid_for(offered))},
                    {"bought", bought},
                    {"bought_pids", pids(bought, peer_pid_for(bought))},
                    {"agreement", t.consume(t.alpha, t.to_alpha).agreement}};
  run_protocol_table(t.by, who, dsp_table(), known);
}

void run_public(tenant_bed& t) {
  const auto ours = t.consume(t.alpha, t.to_alpha), other = t.consume(t.alpha, t.to_alpha),
             betas = t.consume(t.beta, t.to_beta);
  protocol_callers who{"public", refused_tokens(t, 403), bearer(ours.authorization), {}, bearer(betas.authorization)};
  who.refused.push_back({"nobody", 401, nothing});
  who.refused.push_back({"who may pull another flow", 403, bearer(other.authorization)});
  who.refused.push_back({"who may pull another tenant's flow", 403, bearer(betas.authorization)});
  known_names known{{"flow", ours.flow}};
  run_protocol_table(t.by, who, public_table(), known);
}

const refused_caller behind_proxy{"who comes through a proxy", 401, header("Forwarded", "for=203.0.113.1")};
const refused_caller behind_other_proxy{"who comes through a proxy of another kind", 401,
                                        header("X-Forwarded-For", "203.0.113.1")};

void run_callbacks(tenant_bed& t) {
  const auto provided = t.consume(t.alpha, t.to_alpha).transfer;
  protocol_callers who{"signaling", {behind_proxy, behind_other_proxy}, nothing, {}, {}};
  known_names known{{"provided", provided}};
  run_protocol_table(t.by, who, callback_table(), known);
  const auto url = t.at.url("signaling") + "/api/signaling/transfers/" + nobodys(provided);
  check_equal("the status of a transfer that does not exist", send("GET", url + "/agreement", {}).status, 404);
}

void run_signaling(tenant_bed& t) {
  protocol_callers who{
      "signaling",
      {behind_proxy,
       behind_other_proxy,
       {"a token that is none", 401, bearer("garbage")},
       {"an expired token", 401, bearer(fixed_tokens::expired)},
       {"a token for another service", 401, bearer(fixed_tokens::other_audience)},
       {"the operator", 403, bearer(t.by.as("operator").token())},
       {"an administrator of other APIs", 403, bearer(t.by.as("admin").token())},
       {"alpha's token for another API", 403, bearer(t.by.as("alpha", "management-api:write").token())},
       {"another tenant", 403, bearer(t.by.as("beta").token())}},
      bearer(t.by.as("alpha").token()),
      bearer(t.by.as("beta").token()),
      {}};
  known_names known{{"in", random_uuid()}, {"out", random_uuid()}};
  run_protocol_table(t.by, who, signaling_table(), known);
}

// Beta opens and ends a flow of its own under the id of alpha's, which somebody pulls.
void run_flow_of_one_id(tenant_bed& t) {
  constexpr int small_window_bytes = 64 << 10;
  const auto ours = t.consume(t.alpha, t.to_alpha);
  running_pull pull(t.at.url("public") + "/api/public/" + ours.flow, ours.authorization, small_window_bytes);
  check_equal("the status of the pull", pull.status(), 200);
  const auto flows = t.at.url("signaling") + "/api/dataplane/beta/dataflows/";
  const auto tell = [&](const std::string& what, const json::object& body) {
    const auto got =
        send("POST", flows + what,
             {{"Authorization", "Bearer " + t.by.as("beta").token()}, {"Content-Type", "application/json"}},
             json::serialize(body));
    check_equal("the status of beta's " + what + ": " + got.body, got.status, 200);
  };
  json::object start{
      {"messageId", random_uuid()},  {"participantId", t.beta.identity}, {"counterPartyId", peer_identity},
      {"dataspaceContext", profile}, {"processId", ours.flow},           {"agreementId", random_uuid()},
      {"datasetId", "cargo"},        {"profile", transfer_type}};
  start["metadata"] = json::object{{"dataAddress", file_address("data")}};
  tell("start", start);
  tell(ours.flow + "/terminate", {{"messageId", random_uuid()}});
  check(pull.finish(), "a pull from alpha was broken off by beta after " + std::to_string(pull.bytes()) + " bytes");
}

} // namespace

cases tenant_matrix_cases() {
  const auto shared = std::make_shared<shared_tenants>();
  const auto on = [shared](void (*run)(tenant_bed&)) { return [shared, run](bed& b) { run(shared->of(b)); }; };
  return {
      {"every route of the Management API refuses the wrong role, scope and tenant, hides a foreign tenant's things, "
       "and lets in who may",
       on(run_management)},
      {"every route of the operator refuses whoever is none, and lets in who is", on(run_operator)},
      {"every DSP route refuses who proves nothing to this participant, and hides another's processes and offers",
       on(run_dsp)},
      {"a data plane's public door opens to the token of one running flow alone", on(run_public)},
      {"a tenant that ends a data flow of its own breaks off no pull of another's flow of the same id",
       on(run_flow_of_one_id)},
      {"a data plane's callbacks are taken from this machine alone", on(run_callbacks)},
      {"every signaling route of the data plane refuses the wrong role, scope and tenant, and lets in who may",
       on(run_signaling)}};
}

} // namespace fondaco::e2e
