#include <utility>

#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/management/process_edge.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

json::object show_transfer(const persistence::entity_row& row) {
  const auto view = stored_object(row.view);
  json::object out{{"@id", row.key.id}, {"@type", "TransferProcess"}, {"state", row.status}};
  for (auto& member : shown_members(view, {"type", "stateTimestamp", "callbackAddresses", "correlationId", "assetId",
                                           "contractId", "transferType", "errorDetail", "dataplaneMetadata"}))
    out.emplace(member.key(), std::move(member.value()));
  return out;
}

const process_view transfers{transfer_process::kind, "TransferProcess", "transfers:read",
                             "transfers:write",      transfer_fields,   show_transfer};
constexpr const char* route_name = "transferprocesses";

struct wanted {
  transfer_terms terms;
  plane_wishes wishes;
  /// True: the client named no trace, so the transfer goes on in the one that the agreement was made in.
  bool continues_agreement = false;
};

result<wanted> read_request(cell_services& s, const cells::participant& p, const gateway::request& r) {
  auto body = api::read_body(r, {"TransferRequest"});
  if (!body)
    return std::unexpected(std::move(body.error()));
  body_check check;
  wanted out;
  auto& t = out.terms;
  t.counterparty_address = check.base_url(*body, "counterPartyAddress");
  t.agreement_id = check.text(*body, "contractId", need::required);
  t.format = check.text(*body, "transferType", need::required);
  t.callback_addresses = check.callback_addresses(*body);
  if (const auto* hidden = check.object(*body, "privateProperties", need::optional))
    t.private_properties = *hidden;
  if (const auto* metadata = check.dataplane_metadata(*body))
    out.wishes = read_wishes(*metadata);
  if (check.failed())
    return std::unexpected(check.response());
  auto profile = read_profile(s, p, *body);
  if (!profile)
    return std::unexpected(std::move(profile.error()));
  auto made = read_creation(s, r, p.owner, route_name, "");
  if (!made)
    return std::unexpected(std::move(made.error()));
  t.id = made->id;
  t.request_id = made->request_id;
  t.request_digest = made->request_digest;
  t.profile = *profile;
  t.callback_address = cells::dsp_base(s.settings, p.owner, *profile);
  t.participant_id = p.identity;
  t.signaling_address = s.settings.signaling_url + "/api/signaling";
  t.labels = out.wishes.labels;
  t.metadata = out.wishes.metadata;
  t.settings = settings_of(s, p);
  t.traceparent = r.traceparent;
  out.continues_agreement = !gateway::header(r, "traceparent");
  return out;
}

// What the agreement says, and the plane that will serve us, where there is one. Blocks: for the reader pool.
result<transfer_terms> complete_terms(cell_services& s, const tenant& owner, wanted w) {
  auto& t = w.terms;
  auto agreement = s.documents.get({owner, cells::kinds::contract_agreement, t.agreement_id});
  if (!agreement)
    return std::unexpected(api::from_query(agreement.error()));
  const auto stored = *agreement ? stored_object((*agreement)->body) : json::object();
  if (json::string_at(stored, "role") != "CONSUMER")
    return std::unexpected(api::invalid_field("Contract agreement with id " + t.agreement_id + " not found",
                                              "contractId", json::value(t.agreement_id)));
  if (json::string_at(stored, "state") != "FINALIZED")
    return std::unexpected(api::conflict("Contract agreement with id " + t.agreement_id + " is not in force: its " +
                                         "negotiation is " +
                                         std::string(json::string_at(stored, "state").value_or(""))));
  t.counterparty_id = json::string_at(stored, "counterPartyId").value_or("");
  t.asset_id = json::string_at(stored, "assetId").value_or("");
  if (const auto* claims = json::object_at(stored, "claims"))
    t.claims = *claims;
  if (const auto trace = json::string_at(stored, "traceparent"); trace && w.continues_agreement)
    t.traceparent = *trace;
  auto planes = read_data_planes(s, owner);
  if (!planes)
    return std::unexpected(api::from_query(planes.error()));
  t.plane = choose_plane(*planes, w.wishes, t.format, s.random.next());
  return std::move(t);
}

task<response> create_transfer(cell_services& s, request_ptr r) {
  auto entering = enter_with_config(s, r, transfers.write_scope);
  auto p = co_await std::move(entering);
  if (!p)
    co_return std::move(p.error());
  auto w = read_request(s, *p, *r);
  if (!w)
    co_return std::move(w.error());
  auto completing = actors::in_pool(s.pool, s.edge, p->owner, [&s, owner = p->owner, given = std::move(*w)] {
    return complete_terms(s, owner, given);
  });
  auto terms = co_await std::move(completing);
  if (!terms)
    co_return busy();
  if (!*terms)
    co_return std::move(terms->error());
  auto id = (*terms)->id;
  transfer_process::command command = transfer_process::initiate{std::move(**terms)};
  auto beginning = begin_process<transfer_process>(s, transfers, p->owner, std::move(id), std::move(command));
  auto out = co_await std::move(beginning);
  co_return out;
}

enum class act : uint8_t { terminate, suspend, resume };

result<transfer_process::command> read_order(const gateway::request& r, act what) {
  if (what == act::resume)
    return transfer_process::start{};
  auto reason = read_reason(r, what == act::suspend ? "SuspendTransfer" : "TerminateTransfer");
  if (!reason)
    return std::unexpected(std::move(reason.error()));
  if (what == act::suspend)
    return transfer_process::suspend{std::move(*reason)};
  return transfer_process::terminate{std::move(*reason), ""};
}

// Resuming is an order for suspended transfers only; the decider's `start` also begins one that was held.
task<result<bool>> may_resume(cell_services& s, tenant owner, std::string id) {
  persistence::entity_key key{owner, std::string(transfer_process::kind), id};
  auto reading = need_row(s, std::move(key), transfers.type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::unexpected(std::move(row.error()));
  if (row->status != "SUSPENDED")
    co_return std::unexpected(api::conflict("Could not execute ResumeTransferCommand on TransferProcess with ID [" +
                                            id + "] because it's " + row->status));
  co_return true;
}

task<response> order_transfer(cell_services& s, request_ptr r, act what) {
  auto entering = enter(s, r, transfers.write_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto command = read_order(*r, what);
  if (!command)
    co_return std::move(command.error());
  auto id = path_value(*r, "id");
  if (what == act::resume) {
    auto checking = may_resume(s, *owner, id);
    auto allowed = co_await std::move(checking);
    if (!allowed)
      co_return std::move(allowed.error());
  }
  auto ordering = order<transfer_process>(s, transfers, *owner, std::move(id), std::move(*command));
  auto out = co_await std::move(ordering);
  co_return out;
}

} // namespace

void add_transfer_routes(gateway::router& to, cell_services& s) {
  const auto base = participant_base + route_name;
  route(to, s, "POST", base, create_transfer);
  to.add("POST", base + "/request", [&s](request_ptr r) { return query_processes(s, transfers, std::move(r)); });
  to.add("GET", base + "/{id}", [&s](request_ptr r) { return get_process(s, transfers, std::move(r)); });
  to.add("GET", base + "/{id}/state",
         [&s](request_ptr r) { return get_process_state(s, transfers, "TransferState", std::move(r)); });
  for (auto [name, what] : {std::pair{"/{id}/terminate", act::terminate}, std::pair{"/{id}/suspend", act::suspend},
                            std::pair{"/{id}/resume", act::resume}})
    to.add("POST", base + name, [&s, what](request_ptr r) { return order_transfer(s, std::move(r), what); });
}

} // namespace fondaco::control_plane::management
