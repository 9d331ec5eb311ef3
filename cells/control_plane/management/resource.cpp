#include "cells/control_plane/management/resource.hpp"

#include <utility>

#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

// The document after its blocking preparation; the body goes in and comes back by value, since the pool's thread may
// outlive nothing of ours.
task<result<json::object>> prepared(cell_services& s, const resource& what, tenant owner, json::object document) {
  if (!what.prepare)
    co_return std::move(document);
  auto* prepare = what.prepare;
  auto working = actors::in_pool(s.pool, s.edge, owner, [&s, prepare, owner, document]() -> result<json::object> {
    auto changed = document;
    if (auto refused = prepare(s, owner, changed))
      return std::unexpected(std::move(*refused));
    return changed;
  });
  auto done = co_await std::move(working);
  if (!done)
    co_return std::unexpected(busy());
  co_return std::move(*done);
}

std::string take_id(json::object& document) {
  std::string id(json::string_at(document, "@id").value_or(""));
  document.erase("@id");
  return id;
}

} // namespace

task<response> create_resource(cell_services& s, const resource& what, request_ptr r) {
  auto entering = enter(s, r, what.write_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto body = what.read(s, *r);
  if (!body)
    co_return std::move(body.error());
  auto made = read_creation(s, *r, *owner, what.path, take_id(*body));
  if (!made)
    co_return std::move(made.error());
  auto preparing = prepared(s, what, *owner, std::move(*body));
  auto document = co_await std::move(preparing);
  if (!document)
    co_return std::move(document.error());
  record_write w;
  w.kind = what.kind;
  w.id = made->id;
  w.body = json::write(*document);
  w.request_id = made->request_id;
  w.request_digest = made->request_digest;
  w.names = key_claim(*owner, what.path, *made);
  auto writing = write_record(s, *owner, std::move(w), what.type);
  auto created_at = co_await std::move(writing);
  if (!created_at)
    co_return std::move(created_at.error());
  co_return api::id_response(made->id, *created_at);
}

task<response> query_resources(cell_services& s, const resource& what, request_ptr r) {
  auto entering = enter(s, r, what.read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto plan = plan_query(*r, *owner, what.fields());
  if (!plan)
    co_return std::move(plan.error());
  std::vector<json::object> out;
  if (plan->nothing)
    co_return api::array_response(std::move(out));
  auto reading = query_documents(s, *owner, what.kind, plan->spec);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  for (const auto& d : *found)
    out.push_back(what.show(d));
  co_return api::array_response(std::move(out));
}

task<response> get_resource(cell_services& s, const resource& what, request_ptr r) {
  auto entering = enter(s, r, what.read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  persistence::entity_key key{*owner, what.kind, path_value(*r, "id")};
  auto reading = need_document(s, std::move(key), what.type);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  co_return api::object_response(what.show(*found));
}

task<response> replace_resource(cell_services& s, const resource& what, request_ptr r) {
  auto entering = enter(s, r, what.write_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto body = what.read(s, *r);
  if (!body)
    co_return std::move(body.error());
  auto id = take_id(*body);
  if (const auto in_path = r->params.find("id"); in_path != r->params.end()) {
    if (!id.empty() && id != in_path->second)
      co_return api::invalid_field("@id differs from the id in the path", "@id", json::value(id));
    id = in_path->second;
  }
  if (!api::is_id(id))
    co_return api::invalid_field("@id is required: 1 to 512 bytes without control characters", "@id");
  persistence::entity_key key{*owner, what.kind, id};
  auto looking = need_document(s, std::move(key), what.type);
  auto known = co_await std::move(looking);
  if (!known)
    co_return std::move(known.error());
  auto preparing = prepared(s, what, *owner, std::move(*body));
  auto document = co_await std::move(preparing);
  if (!document)
    co_return std::move(document.error());
  record_write w;
  w.kind = what.kind;
  w.id = id;
  w.when = write_mode::replace;
  w.body = json::write(*document);
  auto writing = write_record(s, *owner, std::move(w), what.type);
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::move(written.error());
  co_return no_content();
}

task<response> remove_resource(cell_services& s, const resource& what, request_ptr r) {
  auto entering = enter(s, r, what.remove_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto id = path_value(*r, "id");
  persistence::entity_key key{*owner, what.kind, id};
  auto looking = need_document(s, std::move(key), what.type);
  auto known = co_await std::move(looking);
  if (!known)
    co_return std::move(known.error());
  if (what.keep) {
    auto* keep = what.keep;
    auto checking = actors::in_pool(s.pool, s.edge, *owner, [&s, keep, who = *owner, id] { return keep(s, who, id); });
    auto kept = co_await std::move(checking);
    if (!kept)
      co_return busy();
    if (*kept)
      co_return std::move(**kept);
  }
  auto removing = remove_record(s, *owner, what.kind, id, what.type);
  auto removed = co_await std::move(removing);
  if (!removed)
    co_return std::move(removed.error());
  co_return no_content();
}

void add_resource_routes(gateway::router& to, cell_services& s, const resource& what, bool put_by_path) {
  const auto base = participant_base + what.path;
  const auto bind = [&](const char* method, std::string path, auto f) {
    to.add(method, std::move(path), [&s, &what, f](request_ptr r) { return f(s, what, std::move(r)); });
  };
  bind("POST", base, create_resource);
  bind("POST", base + "/request", query_resources);
  bind("GET", base + "/{id}", get_resource);
  bind("PUT", put_by_path ? base + "/{id}" : base, replace_resource);
  bind("DELETE", base + "/{id}", remove_resource);
}

} // namespace fondaco::control_plane::management
