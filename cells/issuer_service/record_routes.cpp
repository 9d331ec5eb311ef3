#include <utility>

#include "cells/issuer_service/admin_edge.hpp"
#include "cells/issuer_service/definition.hpp"
#include "cells/issuer_service/issuer_records.hpp"
#include "cells/issuer_service/routes.hpp"
#include "planes/api/bodies.hpp"

namespace fondaco::issuer_service {

namespace {

namespace kinds = cells::kinds;
using api::body_check;
using api::need;

/// The longest properties of a holder, in bytes of their JSON: all of them may go into each of its issuances.
constexpr size_t properties_bytes_max = 32u << 10;

/// A body to be kept, with the id that it names; empty to let us choose.
struct draft {
  std::string id;
  json::object body;
};

void check_id(const std::string& id, const char* member, body_check& check) {
  if (!id.empty() && !api::is_id(id))
    check.refuse(std::string(member) + " must have 1 to 512 bytes without control characters", member);
}

json::object show_record(const persistence::document& d) {
  auto out = api::stored_object(d.body);
  add_origin(out, d);
  return out;
}

const record_routes attestations{kinds::attestation_definition, attestation_type, "attestations", show_record, false};
const record_routes definitions{kinds::credential_definition, definition_type, "credentialdefinitions", show_record};
const record_routes holders{kinds::holder, holder_type, "holders", show_record};

draft read_attestation(const json::object& body, body_check& check) {
  draft out;
  out.id = check.text(body, "id", need::required);
  check_id(out.id, "id", check);
  const auto type = check.one_of(body, "attestationType", need::required, {holder_attestation});
  const auto* configuration = check.object(body, "configuration", need::required);
  if (!check.failed())
    out.body = {{"id", out.id}, {"attestationType", type}, {"configuration", *configuration}};
  return out;
}

draft read_holder_body(const json::object& body, body_check& check) {
  draft out;
  out.id = check.text(body, "holderId", need::required);
  check_id(out.id, "holderId", check);
  const auto did = check.text(body, "did", need::required);
  if (!did.empty() && (!did.starts_with("did:") || !api::is_id(did)))
    check.refuse("did must be a DID of at most 512 bytes", "did", json::value(did));
  const auto name = check.text(body, "name", need::optional);
  const auto* properties = check.object(body, "properties", need::optional);
  if (properties && json::write(*properties).size() > properties_bytes_max)
    check.refuse("properties must have at most " + std::to_string(properties_bytes_max) + " bytes", "properties");
  out.body = {{"holderId", out.id}, {"did", did}};
  out.body["holderName"] = name.empty() ? json::value(nullptr) : json::value(name);
  out.body["anonymous"] = false;
  out.body["properties"] = properties ? *properties : json::object();
  return out;
}

draft read_definition_body(const json::object& body, body_check& check) {
  auto d = read_definition(body, check);
  check_id(d.id, "id", check);
  return {d.id, definition_body(body, d)};
}

using reader = draft (*)(const json::object& body, body_check& check);

result<draft> read_draft(const gateway::request& r, reader read) {
  const auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(body.error());
  body_check check;
  auto out = read(*body, check);
  if (check.failed())
    return std::unexpected(check.response());
  return out;
}

/// The attestations that a definition names and nobody has defined; 400 if there are any.
task<result<bool>> check_attestations(cell_services& s, tenant owner, json::object body) {
  std::vector<std::string> ids;
  if (const auto* list = json::array_at(body, "attestations"))
    for (const auto& id : *list)
      ids.emplace_back(std::string_view(id.get_string()));
  auto reading = actors::in_pool(s.pool, s.edge, owner, [&s, owner, ids] {
    std::string missing;
    for (const auto& id : ids)
      if (!api::is_id(id) || !has_attestation(s, owner, id))
        missing += (missing.empty() ? "" : ", ") + id;
    return missing;
  });
  const auto missing = co_await std::move(reading);
  if (!missing)
    co_return std::unexpected(api::busy());
  if (!missing->empty())
    co_return std::unexpected(
        api::invalid_field("Attestation definitions [" + *missing + "] not found", "attestations"));
  co_return true;
}

task<result<std::string>> keep(cell_services& s, request_ptr r, tenant owner, const record_routes& what, draft d,
                               api::write_mode when) {
  const bool is_definition = std::string_view(what.kind) == kinds::credential_definition;
  if (is_definition) {
    auto checking = check_attestations(s, owner, d.body);
    auto checked = co_await std::move(checking);
    if (!checked)
      co_return std::unexpected(std::move(checked.error()));
  }
  const bool is_new = when == api::write_mode::create;
  api::creation identity;
  identity.id = d.id;
  if (is_new) {
    auto read = api::read_creation(s, *r, owner, what.segment, d.id);
    if (!read)
      co_return std::unexpected(std::move(read.error()));
    identity = std::move(*read);
  }
  api::record_write w;
  w.kind = what.kind;
  w.id = identity.id;
  if (is_definition)
    d.body["id"] = identity.id;
  w.body = json::write(d.body);
  w.when = when;
  w.request_id = identity.request_id;
  w.request_digest = identity.request_digest;
  w.names = api::key_claim(owner, what.segment, identity);
  auto writing = api::write_record(s, owner, std::move(w), what.type);
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::unexpected(std::move(written.error()));
  co_return std::move(identity.id);
}

task<response> create(cell_services& s, request_ptr r, const record_routes& what, reader read) {
  const auto scope = std::string(what.segment) + ":write";
  auto entering = enter_admin(s, r, scope.c_str());
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto d = read_draft(*r, read);
  if (!d)
    co_return std::move(d.error());
  auto keeping = keep(s, r, e->owner, what, std::move(*d), api::write_mode::create);
  auto kept = co_await std::move(keeping);
  if (!kept)
    co_return std::move(kept.error());
  note_change(*r, *e, std::string("created: ") + what.type + " " + *kept);
  co_return created(e->owner, what.segment, *kept);
}

task<response> replace(cell_services& s, request_ptr r, const record_routes& what, reader read) {
  const auto scope = std::string(what.segment) + ":write";
  auto entering = enter_admin(s, r, scope.c_str());
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto d = read_draft(*r, read);
  if (!d)
    co_return std::move(d.error());
  if (d->id.empty())
    co_return api::invalid_field("id is required", "id");
  auto keeping = keep(s, r, e->owner, what, std::move(*d), api::write_mode::replace);
  auto kept = co_await std::move(keeping);
  if (!kept)
    co_return std::move(kept.error());
  note_change(*r, *e, std::string("replaced: ") + what.type + " " + *kept);
  response out;
  out.status = 200;
  co_return out;
}

void add_writes(gateway::router& to, cell_services& s, const record_routes& what, reader read, bool has_put) {
  const auto base = std::string(admin_base) + "/" + what.segment;
  to.add("POST", base, [&s, &what, read](request_ptr r) { return create(s, std::move(r), what, read); });
  if (has_put)
    to.add("PUT", base, [&s, &what, read](request_ptr r) { return replace(s, std::move(r), what, read); });
}

} // namespace

void add_attestation_routes(gateway::router& to, cell_services& s) {
  add_record_routes(to, s, attestations);
  add_writes(to, s, attestations, read_attestation, false);
}

void add_definition_routes(gateway::router& to, cell_services& s) {
  add_record_routes(to, s, definitions);
  add_writes(to, s, definitions, read_definition_body, true);
}

void add_holder_routes(gateway::router& to, cell_services& s) {
  add_record_routes(to, s, holders);
  add_writes(to, s, holders, read_holder_body, true);
}

} // namespace fondaco::issuer_service
