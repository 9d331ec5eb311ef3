#include <utility>

#include "cells/control_plane/catalog_filter.hpp"
#include "cells/control_plane/dsp_process_routes.hpp"
#include "cells/control_plane/dsp_routes.hpp"
#include "cells/control_plane/offers.hpp"
#include "gateway/problem.hpp"
#include "planes/api/bodies.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;
using gateway::response;
using gateway::task;

constexpr auto part = dsp_part::catalog;

dsp::catalog catalog_of(const cell_services& s, const dsp_caller& caller) {
  dsp::catalog c;
  c.endpoint_url = cells::dsp_base(s.settings, caller.self.owner, caller.profile);
  const auto shard = shard_number{0};
  c.id = derive_uuid(shard, {"catalog", caller.self.owner.id(), caller.profile}).text();
  c.service_id = derive_uuid(shard, {"service", caller.self.owner.id(), caller.profile}).text();
  c.participant_id = caller.self.identity;
  return c;
}

response query_failure(const persistence::query_error& e) {
  if (e.code == persistence::query_errc::unavailable)
    return dsp_unavailable(part);
  return dsp_error(part, 400, "filter: " + e.detail);
}

/// The query of a catalog request: the continuation token's, else the filter's.
std::expected<catalog_query, std::string> read_query(const gateway::request& r, const json::value& filter) {
  const auto token = gateway::query_value(r, "continuationToken");
  if (!token)
    return read_catalog_filter(filter);
  auto query = read_continuation(*token);
  if (!query)
    return std::unexpected("continuationToken is not one of this catalog.");
  return std::move(*query);
}

task<response> answer_catalog(cell_services& s, request_ptr r, const dsp_caller& caller) {
  auto body = read_dsp_body(*r, part);
  if (!body)
    co_return std::move(body.error());
  const auto filter = dsp::read_catalog_request(*body);
  if (!filter)
    co_return dsp_error(part, 400, filter.error().detail);
  const auto query = read_query(*r, *filter);
  if (!query)
    co_return dsp_error(part, 400, query.error());
  auto reading = actors::in_pool(s.pool, s.edge, caller.self.owner,
                                 [&s, owner = caller.self.owner, peer = caller.peer, what = *query] {
                                   return read_catalog(s, owner, peer, what);
                                 });
  auto page = co_await std::move(reading);
  if (!page)
    co_return dsp_unavailable(part);
  if (!*page)
    co_return query_failure(page->error());
  auto catalog = catalog_of(s, caller);
  catalog.datasets = std::move((*page)->datasets);
  auto out = gateway::json_response(200, json::write(dsp::write_catalog(catalog)));
  if (auto links = page_links(catalog.endpoint_url + "/catalog/request", *query, (*page)->more); !links.empty())
    out.headers.emplace_back("Link", std::move(links));
  co_return out;
}

task<response> answer_dataset(cell_services& s, request_ptr r, const dsp_caller& caller) {
  const auto id = path_param(*r, "id");
  if (!planes::api::is_id(id))
    co_return dsp_error(part, 404, "There is no such dataset.");
  auto reading =
      actors::in_pool(s.pool, s.edge, caller.self.owner, [&s, owner = caller.self.owner, peer = caller.peer, id] {
        return read_dataset(s, owner, peer, id);
      });
  auto found = co_await std::move(reading);
  if (!found)
    co_return dsp_unavailable(part);
  if (!*found)
    co_return query_failure(found->error());
  if (!**found)
    co_return dsp_error(part, 404, "There is no such dataset.");
  co_return gateway::json_response(200, json::write(dsp::write_dataset(catalog_of(s, caller), ***found)));
}

using answer = task<response> (*)(cell_services&, request_ptr, const dsp_caller&);

task<dsp_outcome> take_step(cell_services& s, answer how, request_ptr r, const dsp_caller& caller) {
  dsp_outcome out;
  auto answering = how(s, std::move(r), caller);
  out.answer = co_await std::move(answering);
  co_return out;
}

/// What the look-up of a version document came to.
struct version_lookup {
  bool store_answers = true;
  std::vector<dsp::protocol_version> versions;
};

version_lookup read_versions(cell_services& s, const tenant& owner) {
  version_lookup out;
  const auto self = cells::read_participant(s, owner);
  if (!self) {
    out.store_answers = s.documents.get({owner, cells::kinds::participant_context, owner.id()}).has_value();
    return out;
  }
  for (const auto& profile : self->profiles)
    if (takes_part(s.settings, *self, profile))
      out.versions.push_back({"2025-1", "/" + profile, "HTTPS", profile});
  return out;
}

task<response> answer_versions(cell_services& s, request_ptr r) {
  auto reading = actors::in_pool(s.pool, s.edge, tenant(path_param(*r, "pc")),
                                 [&s, owner = tenant(path_param(*r, "pc"))] { return read_versions(s, owner); });
  const auto found = co_await std::move(reading);
  if (!found || !found->store_answers)
    co_return gateway::problem(503, "The request cannot be served now; send it again after a moment.");
  if (found->versions.empty())
    co_return gateway::problem(404, "There is no such participant, or it takes part in no dataspace.");
  co_return gateway::json_response(200, json::write(dsp::write_versions(found->versions)));
}

} // namespace

void add_catalog_routes(gateway::router& to, cell_services& s, std::shared_ptr<refused_requests> refusals) {
  to.add("GET", "/api/dsp/{pc}/.well-known/dspace-version",
         [&s](request_ptr r) { return answer_versions(s, std::move(r)); });
  const auto add = [&](const char* method, const char* path, const char* message, answer how) {
    const dsp_step step = [&s, how](request_ptr r, const dsp_caller& c) { return take_step(s, how, std::move(r), c); };
    to.add(method, std::string("/api/dsp/{pc}/{profile}/catalog/") + path,
           [&s, step, message, refusals](request_ptr r) {
             return serve_dsp(s, std::move(r), part, step, message, refusals);
           });
  };
  add("POST", "request", "CatalogRequestMessage", answer_catalog);
  add("GET", "datasets/{id}", "DatasetRequestMessage", answer_dataset);
}

} // namespace fondaco::control_plane
