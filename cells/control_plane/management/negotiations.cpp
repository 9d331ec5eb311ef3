#include <utility>

#include "cells/control_plane/management/process_edge.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "protocols/json/json.hpp"
#include "protocols/odrl/canonical.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

const process_view negotiations{negotiation::kind,    "ContractNegotiation", "negotiations:read",
                                "negotiations:write", negotiation_fields,    show_negotiation};
constexpr const char* route_name = "contractnegotiations";

// The offer as canonical DSP, checked like the schema does and then as `odrl::read_policy` does.
result<json::object> read_offer(body_check& check, const json::object& body) {
  const auto* policy = check.object(body, "policy", need::required);
  if (!policy)
    return std::unexpected(check.response());
  if (json::string_at(*policy, "@type") != "Offer")
    check.refuse("policy.@type must be Offer", "policy.@type");
  auto offer = odrl::canonical_policy(*policy);
  if (!offer)
    return std::unexpected(api::invalid_field(offer.error().detail, "policy"));
  for (const char* name : {"@id", "assigner", "target"})
    check.text(*offer, name, need::required, "policy");
  if (!offer->contains("permission") && !offer->contains("prohibition"))
    check.refuse("policy needs a permission or a prohibition", "policy");
  if (check.failed())
    return std::unexpected(check.response());
  if (auto read = odrl::read_policy(*offer); !read)
    return std::unexpected(api::invalid_field(read.error().detail, "policy"));
  offer->erase("@context");
  return std::move(*offer);
}

result<negotiation::initiate> read_request(cell_services& s, const cells::participant& p, const gateway::request& r) {
  auto body = api::read_body(r, {"ContractRequest"});
  if (!body)
    return std::unexpected(std::move(body.error()));
  body_check check;
  negotiation::initiate c;
  c.counterparty_address = check.base_url(*body, "counterPartyAddress");
  c.callback_addresses = check.callback_addresses(*body);
  auto offer = read_offer(check, *body);
  if (!offer)
    return std::unexpected(std::move(offer.error()));
  auto profile = read_profile(s, p, *body);
  if (!profile)
    return std::unexpected(std::move(profile.error()));
  auto made = read_creation(s, r, p.owner, route_name, "");
  if (!made)
    return std::unexpected(std::move(made.error()));
  c.id = made->id;
  c.request_id = made->request_id;
  c.request_digest = made->request_digest;
  c.counterparty_id = json::string_at(*offer, "assigner").value_or("");
  c.asset_id = json::string_at(*offer, "target").value_or("");
  c.offer = std::move(*offer);
  c.profile = *profile;
  c.callback_address = cells::dsp_base(s.settings, p.owner, *profile);
  c.participant_id = p.identity;
  c.settings = settings_of(s, p);
  c.traceparent = r.traceparent;
  return c;
}

task<response> create_negotiation(cell_services& s, request_ptr r) {
  auto entering = enter_with_config(s, r, negotiations.write_scope);
  auto p = co_await std::move(entering);
  if (!p)
    co_return std::move(p.error());
  auto c = read_request(s, *p, *r);
  if (!c)
    co_return std::move(c.error());
  auto id = c->id;
  negotiation::command command = std::move(*c);
  auto beginning = begin_process<negotiation>(s, negotiations, p->owner, std::move(id), std::move(command));
  auto out = co_await std::move(beginning);
  co_return out;
}

task<response> get_agreement_of(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, negotiations.read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto id = path_value(*r, "id");
  persistence::entity_key key{*owner, std::string(negotiation::kind), id};
  auto reading = need_row(s, std::move(key), negotiations.type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  const auto view = stored_object(row->view);
  std::string agreement(json::string_at(view, "contractAgreementId").value_or(""));
  if (agreement.empty())
    co_return api::not_found("ContractAgreement", "of negotiation " + id);
  persistence::entity_key document_key{*owner, cells::kinds::contract_agreement, agreement};
  auto looking = need_document(s, std::move(document_key), "ContractAgreement");
  auto found = co_await std::move(looking);
  if (!found)
    co_return std::move(found.error());
  co_return api::object_response(show_agreement(*found));
}

task<response> terminate_negotiation(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, negotiations.write_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto reason = read_reason(*r, "TerminateNegotiation");
  if (!reason)
    co_return std::move(reason.error());
  negotiation::command command = negotiation::terminate{std::move(*reason), ""};
  auto ordering = order<negotiation>(s, negotiations, *owner, path_value(*r, "id"), std::move(command));
  auto out = co_await std::move(ordering);
  co_return out;
}

task<response> remove_negotiation(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, negotiations.write_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  negotiation::command command = negotiation::remove{};
  auto ordering = order<negotiation>(s, negotiations, *owner, path_value(*r, "id"), std::move(command));
  auto out = co_await std::move(ordering);
  co_return out;
}

} // namespace

json::object show_negotiation(const persistence::entity_row& row) {
  const auto view = stored_object(row.view);
  json::object out{{"@id", row.key.id}, {"@type", "ContractNegotiation"}};
  out["state"] = row.status;
  if (const auto* profile = view.if_contains("profile"))
    out["protocol"] = *profile;
  for (auto& member : shown_members(view, {"type", "profile", "counterPartyId", "counterPartyAddress",
                                           "callbackAddresses", "createdAt", "stateTimestamp", "correlationId",
                                           "assetId", "contractAgreementId", "errorDetail"}))
    out.emplace(member.key(), std::move(member.value()));
  return out;
}

void add_negotiation_routes(gateway::router& to, cell_services& s) {
  const auto base = participant_base + route_name;
  route(to, s, "POST", base, create_negotiation);
  to.add("POST", base + "/request", [&s](request_ptr r) { return query_processes(s, negotiations, std::move(r)); });
  to.add("GET", base + "/{id}", [&s](request_ptr r) { return get_process(s, negotiations, std::move(r)); });
  to.add("GET", base + "/{id}/state",
         [&s](request_ptr r) { return get_process_state(s, negotiations, "NegotiationState", std::move(r)); });
  route(to, s, "GET", base + "/{id}/agreement", get_agreement_of);
  route(to, s, "POST", base + "/{id}/terminate", terminate_negotiation);
  route(to, s, "DELETE", base + "/{id}", remove_negotiation);
}

} // namespace fondaco::control_plane::management
