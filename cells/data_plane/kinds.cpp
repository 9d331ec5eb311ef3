#include "cells/data_plane/kinds.hpp"

#include <utility>

#include "actors/ports/log.hpp"
#include "cells/data_plane/data_flow.hpp"
#include "cells/span.hpp"
#include "protocols/dps/messages.hpp"

namespace fondaco::cells {

namespace {

using data_plane::data_flow;

// 2xx: taken. 4xx but 408, 421 and 429: refused for good. All else may be different later.
data_flow::command outcome_of(const std::string& notice_id, const actors::http_result& r) {
  if (!r)
    return data_flow::not_delivered{
        notice_id, "no answer from the control plane (" + std::string(actors::name_of(r.error())) + ")",
        r.error() != actors::exchange_errc::address_refused};
  if (r->status >= 200 && r->status < 300)
    return data_flow::delivered{notice_id};
  const bool for_now = r->status == 408 || r->status == 421 || r->status == 429;
  const bool refused = r->status >= 400 && r->status < 500 && !for_now;
  return data_flow::not_delivered{notice_id, "the control plane answered " + std::to_string(r->status), !refused};
}

void send_notice(cell_services& s, actors::effect_run run, std::function<void(std::any)> done) {
  auto e = std::any_cast<data_flow::effect>(std::move(run.body));
  actors::http_call call;
  call.method = "POST";
  call.url = e.base_url + e.path;
  call.headers = {{"Content-Type", "application/json"}};
  call.body = json::write(dps::write_status(e.message));
  call.timeout_ms = s.settings.exchange_timeout_ms;
  call.traceparent = child_of(e.traceparent, s.random.next());
  auto id = e.message.message_id;
  auto owner = run.key.owner;
  auto flow = run.key.id;
  auto correlation = trace_id_of(e.traceparent);
  s.http.send(std::move(call), [id, owner, flow, correlation, done](actors::http_result r) {
    write_log({severity::info,
               "data_plane",
               log_category::dps,
               "a callback was sent",
               {{"participant_context", owner.id()},
                {"entity_id", flow},
                {"correlation_id", correlation},
                {"status", r ? std::to_string(r->status) : std::string(actors::name_of(r.error()))}}});
    done(outcome_of(id, r));
  });
}

} // namespace

std::vector<actors::entity_kind> data_plane_kinds(services_ref services) {
  actors::entity_kind flows;
  flows.name = data_flow::kind;
  flows.make = [](const persistence::entity_key& key) { return std::make_unique<actors::typed_state<data_flow>>(key); };
  flows.run_effect = [services](actors::effect_run run, std::function<void(std::any)> done) {
    send_notice(services(), std::move(run), std::move(done));
  };
  flows.cause_of = actors::cause_reader<data_flow>();
  flows.is_transient = [](const std::any& outcome) {
    return data_plane::is_transient(std::any_cast<const data_flow::command&>(outcome));
  };
  std::vector<actors::entity_kind> out;
  out.push_back(std::move(flows));
  return out;
}

} // namespace fondaco::cells
