#include "cells/issuer_service/admin_edge.hpp"

#include <utility>

#include "cells/identity/edge.hpp"
#include "cells/identity/keys.hpp"
#include "cells/issuer_service/routes.hpp"
#include "planes/api/bodies.hpp"
#include "planes/codec/path.hpp"

namespace fondaco::issuer_service {

namespace {

constexpr const char* scope_prefix = "issuer-admin-api:";
constexpr const char* context_type = "ParticipantContext";
constexpr const char* component = "issuer";

/// The path's last segment as it was sent.
std::string raw_segment(const gateway::request& r) {
  auto path = std::string_view(r.path);
  if (path.ends_with('/'))
    path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string scope_of(const record_routes& what, const char* action) { return std::string(what.segment) + ":" + action; }

task<response> get_record(cell_services& s, request_ptr r, record_routes what) {
  const auto scope = scope_of(what, "read");
  auto entering = enter_admin(s, r, scope.c_str());
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto reading = need_record(s, r, e->owner, what.kind, what.type);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  co_return gateway::json_response(200, json::write(what.show(*found)));
}

task<response> query_records(cell_services& s, request_ptr r, record_routes what) {
  const auto scope = scope_of(what, "read");
  auto entering = enter_admin(s, r, scope.c_str());
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto spec = identity::read_query(*r);
  if (!spec)
    co_return std::move(spec.error());
  auto reading = api::query_documents(s, e->owner, what.kind, std::move(*spec));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  json::array out;
  for (const auto& d : *found)
    out.push_back(what.show(d));
  co_return identity::array_of(std::move(out));
}

task<response> delete_record(cell_services& s, request_ptr r, record_routes what) {
  const auto scope = scope_of(what, "write");
  auto entering = enter_admin(s, r, scope.c_str());
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto reading = need_record(s, r, e->owner, what.kind, what.type);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  auto removing = api::remove_record(s, e->owner, what.kind, found->key.id, what.type);
  auto removed = co_await std::move(removing);
  if (!removed)
    co_return std::move(removed.error());
  note_change(*r, *e, std::string("removed: ") + what.type + " " + found->key.id);
  co_return api::no_content();
}

} // namespace

task<result<entrant>> enter_admin(cell_services& s, request_ptr r, const char* scope) {
  const tenant owner(api::path_value(*r, "p"));
  std::string required = std::string(scope_prefix) + scope;
  std::optional<tenant> whose = owner;
  auto admission = api::admit(s, r, std::move(required), std::move(whose));
  auto admitted = co_await std::move(admission);
  if (!admitted)
    co_return std::unexpected(std::move(admitted.error()));
  auto reading = actors::in_pool(s.pool, s.edge, owner, [&s, owner] { return identity::read_own_did(s, owner); });
  auto own = co_await std::move(reading);
  if (!own)
    co_return std::unexpected(api::busy());
  if (!*own)
    co_return std::unexpected(api::not_found(context_type, owner.id()));
  entrant out{owner, std::move(**own), std::move(*admitted)};
  co_return std::move(out);
}

void add_record_routes(gateway::router& to, cell_services& s, const record_routes& what) {
  const auto base = std::string(admin_base) + "/" + what.segment;
  if (what.has_get)
    to.add("GET", base + "/{id}", [&s, what](request_ptr r) { return get_record(s, std::move(r), what); });
  to.add("DELETE", base + "/{id}", [&s, what](request_ptr r) { return delete_record(s, std::move(r), what); });
  to.add("POST", base + "/query", [&s, what](request_ptr r) { return query_records(s, std::move(r), what); });
}

task<result<persistence::document>> need_record(cell_services& s, request_ptr r, tenant owner, const char* kind,
                                                const char* type) {
  const auto id = api::path_value(*r, "id");
  if (!api::is_id(id))
    co_return std::unexpected(api::not_found(type, ""));
  persistence::entity_key key{owner, kind, id};
  auto reading = api::read_document(s, std::move(key));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  if (*found)
    co_return std::move(**found);
  const auto raw = raw_segment(*r);
  if (raw == id || !api::is_id(raw))
    co_return std::unexpected(api::not_found(type, id));
  persistence::entity_key raw_key{owner, kind, raw};
  auto again = api::read_document(s, std::move(raw_key));
  auto as_sent = co_await std::move(again);
  if (!as_sent)
    co_return std::unexpected(std::move(as_sent.error()));
  if (!*as_sent)
    co_return std::unexpected(api::not_found(type, id));
  co_return std::move(**as_sent);
}

response created(const tenant& owner, const char* segment, const std::string& id) {
  response out;
  out.status = 201;
  out.headers.emplace_back("Location", "/api/issuer/v1beta/participants/" + planes::path_segment(owner.id()) + "/" +
                                           segment + "/" + planes::path_segment(id));
  return out;
}

void add_origin(json::object& o, const persistence::document& d) {
  o["participantContextId"] = d.key.owner.id();
  o["createdAt"] = to_epoch_ms(d.created_at);
  o["lastModifiedAt"] = to_epoch_ms(d.updated_at);
}

void note_change(const gateway::request& r, const entrant& e, const std::string& what) {
  api::note_change(component, r, e.who, what, e.owner.id());
}

} // namespace fondaco::issuer_service

namespace fondaco::cells {

void add_issuer_admin_routes(gateway::router& to, cell_services& s) {
  issuer_service::add_attestation_routes(to, s);
  issuer_service::add_definition_routes(to, s);
  issuer_service::add_holder_routes(to, s);
  issuer_service::add_process_routes(to, s);
  issuer_service::add_issued_credential_routes(to, s);
}

} // namespace fondaco::cells
