#include <utility>

#include "cells/control_plane/management/resource.hpp"
#include "cells/control_plane/message_log.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/control_plane/peer_tokens.hpp"
#include "cells/span.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

struct asked {
  std::string address;
  std::string counterparty_id;
  std::string profile;
  /// The dataset's id; empty for the catalog.
  std::string dataset_id;
  json::value filter;
  /// Scopes that the token grants besides the profile's.
  std::vector<std::string> more_scopes;
};

result<asked> read_request(const cell_services& s, const cells::participant& p, const gateway::request& r,
                           bool one_dataset) {
  auto body = api::read_body(r, {one_dataset ? "DatasetRequest" : "CatalogRequest"});
  if (!body)
    return std::unexpected(std::move(body.error()));
  body_check check;
  asked out;
  out.address = check.base_url(*body, "counterPartyAddress");
  out.counterparty_id = check.text(*body, "counterPartyId", need::required);
  if (one_dataset)
    out.dataset_id = check.text(*body, "@id", need::required);
  const auto* filter = one_dataset ? nullptr : check.object(*body, "querySpec", need::optional);
  if (!one_dataset)
    out.more_scopes = check.texts(*body, "additionalScopes", need::optional);
  if (filter && json::string_at(*filter, "@type") != "QuerySpec")
    check.refuse("querySpec.@type must be QuerySpec", "querySpec.@type");
  if (check.failed())
    return std::unexpected(check.response());
  if (filter) {
    if (auto read = api::read_query_object(*filter); !read)
      return std::unexpected(std::move(read.error()));
    out.filter = *filter;
  }
  auto profile = read_profile(s, p, *body);
  if (!profile)
    return std::unexpected(std::move(profile.error()));
  out.profile = std::move(*profile);
  return out;
}

actors::http_call make_call(const cell_services& s, const gateway::request& r, const asked& a,
                            const std::string& token) {
  actors::http_call call;
  call.headers = {{"Authorization", "Bearer " + token}, {"Accept", "application/json"}};
  call.timeout_ms = s.settings.exchange_timeout_ms;
  call.traceparent = cells::child_of(r.traceparent, s.random.next());
  if (a.dataset_id.empty()) {
    call.method = "POST";
    call.url = a.address + "/catalog/request";
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = json::write(dsp::write_catalog_request(a.filter));
  } else {
    call.url = a.address + "/catalog/datasets/" + path_segment(a.dataset_id);
  }
  return call;
}

void note_request(const gateway::request& r, const tenant& owner, const asked& a, std::string outcome) {
  message_note n;
  n.message = a.dataset_id.empty() ? "CatalogRequestMessage" : "DatasetRequest";
  n.participant_context = owner.id();
  n.profile = a.profile;
  n.counterparty = a.counterparty_id;
  n.entity_id = a.dataset_id;
  n.correlation_id = r.correlation_id;
  n.outcome = std::move(outcome);
  note(std::move(n));
}

response answer(const actors::http_result& got) {
  if (!got)
    return api::bad_gateway("The counterparty did not answer: " + std::string(actors::name_of(got.error())));
  if (got->status < 200 || got->status > 299)
    return api::bad_gateway(failure_text("The counterparty", "the request", got));
  if (const auto parsed = json::parse(got->body); !parsed || !parsed->is_object())
    return api::bad_gateway("The counterparty's answer is not a JSON object");
  return gateway::json_response(200, got->body);
}

task<response> ask_counterparty(cell_services& s, request_ptr r, bool one_dataset) {
  auto entering = enter_with_config(s, r, "catalog:read");
  auto p = co_await std::move(entering);
  if (!p)
    co_return std::move(p.error());
  auto a = read_request(s, *p, *r, one_dataset);
  if (!a)
    co_return std::move(a.error());
  cells::work_span span(s, "catalog", r->traceparent);
  span.with("direction", "sent").with("participant_context", p->owner.id()).with("profile", a->profile);
  span.with("counterparty", a->counterparty_id).with("entity_id", a->dataset_id);
  auto making = token_for_peer(s, p->owner, a->profile, a->counterparty_id, a->more_scopes);
  auto token = co_await std::move(making);
  if (!token) {
    span.fail(token.error().detail);
    note_request(*r, p->owner, *a, "no token");
    if (token.error().remedy == cure::retry)
      co_return api::error_response(503, {{token.error().detail, "Unavailable", "", nullptr}});
    co_return api::bad_gateway(token.error().detail);
  }
  auto call = make_call(s, *r, *a, *token);
  actors::callback_awaiter<actors::http_result> waiting(
      s.edge, [&s, call](std::function<void(actors::http_result)> done) { s.http.send(call, std::move(done)); });
  auto got = co_await waiting;
  auto out = answer(got);
  if (out.status != 200)
    span.fail(got ? "status " + std::to_string(got->status) : std::string(actors::name_of(got.error())));
  note_request(*r, p->owner, *a, got ? std::to_string(got->status) : std::string(actors::name_of(got.error())));
  co_return out;
}

} // namespace

void add_catalog_routes(gateway::router& to, cell_services& s) {
  const auto bind = [&](const char* path, bool one_dataset) {
    to.add("POST", participant_base + path,
           [&s, one_dataset](request_ptr r) { return ask_counterparty(s, std::move(r), one_dataset); });
  };
  bind("catalog/request", false);
  bind("catalog/dataset/request", true);
}

} // namespace fondaco::control_plane::management
