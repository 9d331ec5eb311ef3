#include <algorithm>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/credential_service/dcp_edge.hpp"
#include "cells/credential_service/issuer_client.hpp"
#include "cells/credential_service/request_rows.hpp"
#include "planes/api/errors.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/vc/credential.hpp"

namespace fondaco::credential_service {

namespace api = planes::api;

namespace limits {
/// The most requests that sparse offers may begin for a participant in an hour: whoever has a DID can send one, and
/// whether its issuer is trusted is known only from its metadata.
inline constexpr size_t sparse_offers_per_hour_max = 64;
} // namespace limits

namespace {

using cells::cell_services;

/// What of an offer is worth a request, and why the rest is not.
struct taken_offer {
  std::vector<requested_credential> wanted;
  bool sparse = false;
  std::string why_not;
};

taken_offer judge(const cell_services& s, const dcp::credential_offer& offer) {
  taken_offer out;
  const auto leave = [&out](std::string why) { out.why_not += (out.why_not.empty() ? "" : " ") + why; };
  for (const auto& o : offer.credentials) {
    requested_credential c{o.id, o.credential_type, o.profile};
    if (!c.format.empty() && !vc::parse_profile(c.format))
      leave("The profile '" + c.format + "' is not supported.");
    else if (!c.credential_type.empty() && !is_trusted(s, offer.issuer, c.credential_type))
      leave("The issuer is not trusted for " + c.credential_type + ".");
    else
      out.wanted.push_back(std::move(c));
  }
  out.sparse = std::ranges::any_of(out.wanted, [](const auto& c) { return c.credential_type.empty(); });
  return out;
}

void note_left(const gateway::request& r, const std::string& issuer, const std::string& why) {
  write_log({severity::info,
             "credential_service",
             log_category::dcp,
             "an offer was not taken up",
             {{"participant_context", api::path_value(r, "p")},
              {"counterparty", issuer},
              {"correlation_id", r.correlation_id},
              {"reason", why}}});
}

/// True while strangers have not begun too many requests.
task<result<bool>> has_room(cell_services& s, tenant owner) {
  persistence::query_spec spec;
  const auto hour_ago = to_epoch_ms(s.clock.now()) - 3'600'000;
  spec.filter.push_back({"origin", "=", json::value(name_of(request_origin::sparse_offer))});
  spec.filter.push_back({"createdAt", ">", json::value(hour_ago)});
  spec.limit = limits::sparse_offers_per_hour_max;
  auto reading = api::query_rows(s, std::move(owner), std::string(credential_request::kind), std::move(spec));
  auto rows = co_await std::move(reading);
  if (!rows)
    co_return std::unexpected(std::move(rows.error()));
  co_return rows->size() < limits::sparse_offers_per_hour_max;
}

response taken() {
  response out;
  out.status = 200;
  return out;
}

task<response> begin_request(cell_services& s, dcp_caller c, taken_offer offer, std::string traceparent,
                             std::string id) {
  credential_request::begin begin;
  begin.id = id;
  begin.issuer_did = c.peer.did;
  begin.wanted = std::move(offer.wanted);
  begin.origin = offer.sparse ? request_origin::sparse_offer : request_origin::offer;
  begin.window_ms = s.settings.issuance_window_ms;
  begin.traceparent = std::move(traceparent);
  credential_request::command command = std::move(begin);
  auto telling = tell_request(s, c.owner, id, std::move(command));
  const auto told = co_await std::move(telling);
  if (!told)
    co_return api::from_ask(told.error(), "CredentialRequest", id);
  co_return taken();
}

result<dcp::credential_offer> read_offer(const gateway::request& r) {
  const auto body = read_json(r);
  if (!body)
    return std::unexpected(body.error());
  auto offer = dcp::read_credential_offer(*body);
  if (!offer)
    return std::unexpected(bad_message(offer.error()));
  return std::move(*offer);
}

} // namespace

task<response> take_offer(cell_services& s, request_ptr r, message_trail& trail) {
  auto token = need_bearer(*r);
  if (!token)
    co_return std::move(token.error());
  auto offer = read_offer(*r);
  if (!offer)
    co_return std::move(offer.error());
  auto entering = enter(s, r, std::move(*token), false);
  auto caller = co_await std::move(entering);
  if (!caller)
    co_return std::move(caller.error());
  trail.counterparty = caller->peer.did;
  if (caller->peer.did != offer->issuer)
    co_return refused(403, "NotAuthorized", "The offer's issuer is not the sender.");
  auto judged = judge(s, *offer);
  if (!judged.why_not.empty())
    note_left(*r, offer->issuer, judged.why_not);
  if (judged.wanted.empty())
    co_return taken();
  if (judged.sparse) {
    auto counting = has_room(s, caller->owner);
    auto room = co_await std::move(counting);
    if (!room)
      co_return std::move(room.error());
    if (!*room) {
      note_left(*r, offer->issuer, "Too many sparse offers came within an hour.");
      co_return taken();
    }
  }
  trail.entity_id = s.runtime.fresh_id(caller->owner).text();
  auto beginning = begin_request(s, *caller, std::move(judged), r->traceparent, trail.entity_id);
  co_return co_await std::move(beginning);
}

} // namespace fondaco::credential_service
