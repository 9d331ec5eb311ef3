#include <utility>

#include "cells/control_plane/management/resource.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"
#include "protocols/dps/messages.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

constexpr const char* scope = "dataplanes:write";
constexpr const char* type = "DataPlaneInstance";

json::array texts_of(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

response done() { return gateway::json_response(200, ""); }

task<response> register_plane(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto body = api::read_plain_body(*r);
  if (!body)
    co_return std::move(body.error());
  auto plane = dps::read_registration(json::value(std::move(*body)));
  if (!plane)
    co_return api::invalid_request(plane.error().detail);
  if (!api::is_id(plane->dataplane_id))
    co_return api::invalid_field("dataplaneId must have 1 to 512 bytes without control characters", "dataplaneId");
  json::object stored{{"dataplaneId", plane->dataplane_id}, {"endpoint", plane->endpoint}};
  stored["transferTypes"] = texts_of(plane->profiles);
  stored["profiles"] = texts_of(plane->profiles);
  stored["labels"] = texts_of(plane->labels);
  if (!plane->authorization.empty()) {
    auto sealing =
        actors::in_pool(s.pool, s.edge, *owner, [&s, who = *owner, text = json::write(plane->authorization)] {
          return s.vault.seal(who, text);
        });
    auto sealed = co_await std::move(sealing);
    if (!sealed)
      co_return busy();
    if (!*sealed)
      co_return vault_unavailable();
    stored["authorization"] = **sealed;
  }
  record_write w;
  w.kind = cells::kinds::data_plane;
  w.id = plane->dataplane_id;
  w.when = write_mode::upsert;
  w.body = json::write(stored);
  auto writing = write_record(s, *owner, std::move(w), type);
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::move(written.error());
  co_return done();
}

task<response> remove_plane(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto removing = remove_record(s, *owner, cells::kinds::data_plane, path_value(*r, "id"), type);
  auto removed = co_await std::move(removing);
  if (!removed)
    co_return std::move(removed.error());
  co_return done();
}

} // namespace

void add_data_plane_routes(gateway::router& to, cell_services& s) {
  route(to, s, "PUT", participant_base + "dataplanes", register_plane);
  route(to, s, "DELETE", participant_base + "dataplanes/{id}", remove_plane);
}

} // namespace fondaco::control_plane::management
