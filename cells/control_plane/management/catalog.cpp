#include <utility>

#include "cells/api/bodies.hpp"
#include "cells/api/errors.hpp"
#include "cells/control_plane/management/body_check.hpp"
#include "cells/control_plane/management/resource.hpp"
#include "cells/control_plane/message_log.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = cells::api;

namespace {

struct asked {
  std::string address;
  std::string counterparty_id;
  std::string profile;
  /// The dataset's id; empty for the catalog.
  std::string dataset_id;
  json::value filter;
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
    check.texts(*body, "additionalScopes", need::optional);
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
  call.traceparent = r.traceparent;
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
    return api::bad_gateway("The counterparty answered with status " + std::to_string(got->status));
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
  auto opening = actors::in_pool(s.pool, s.edge, [&s, who = *p, profile = a->profile, id = a->counterparty_id] {
    return cells::token_for(s, who, profile, id);
  });
  auto token = co_await std::move(opening);
  if (!token)
    co_return busy();
  if (!*token) {
    note_request(*r, p->owner, *a, "no token");
    co_return api::bad_gateway("No token is configured for counterparty '" + a->counterparty_id + "' in profile '" +
                               a->profile + "'");
  }
  auto call = make_call(s, *r, *a, **token);
  actors::callback_awaiter<actors::http_result> waiting(
      s.edge, [&s, call](std::function<void(actors::http_result)> done) { s.http.send(call, std::move(done)); });
  auto got = co_await waiting;
  auto out = answer(got);
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
