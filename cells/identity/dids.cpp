#include <algorithm>
#include <utility>

#include "cells/identity/provisioning.hpp"
#include "cells/identity/route_groups.hpp"
#include "cells/identity/routes.hpp"
#include "gateway/problem.hpp"
#include "planes/api/bodies.hpp"
#include "protocols/base/base64.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;
using api::body_check;
using api::need;

constexpr const char* component = "identity";
/// The most segments of a path before `did.json`.
constexpr size_t did_path_segments_max = 8;

/// A body `{"did"}` must name the participant's own.
task<result<visit>> enter_with_did(cell_services& s, request_ptr r, const char* scope) {
  auto entering = enter_context(s, r, scope);
  auto v = co_await std::move(entering);
  if (!v)
    co_return v;
  auto body = api::read_plain_body(*r);
  if (!body)
    co_return std::unexpected(std::move(body.error()));
  body_check check;
  const auto did = check.text(*body, "did", need::required);
  if (check.failed())
    co_return std::unexpected(check.response());
  if (did != v->did)
    co_return std::unexpected(api::not_found(did_type, did));
  co_return v;
}

response not_in_state(const char* wanted, const char* what) {
  return api::invalid_request("The participant context is not " + std::string(wanted) +
                              ", so its DID document cannot be " + what + ".");
}

task<response> publish_document(cell_services& s, request_ptr r) {
  auto entering = enter_with_did(s, r, "dids:write");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  if (v->state != context_states::activated)
    co_return not_in_state("activated", "published");
  auto moving = move_document(s, v->owner, v->did, true);
  auto moved = co_await std::move(moving);
  if (!moved)
    co_return std::move(moved.error());
  api::note_change(component, *r, v->who, "a DID document was published", v->owner.id());
  co_return api::no_content();
}

task<response> unpublish_document(cell_services& s, request_ptr r) {
  auto entering = enter_with_did(s, r, "dids:write");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  if (v->state != context_states::deactivated)
    co_return not_in_state("deactivated", "unpublished");
  auto moving = move_document(s, v->owner, v->did, false);
  auto moved = co_await std::move(moving);
  if (!moved)
    co_return std::move(moved.error());
  api::note_change(component, *r, v->who, "a DID document was unpublished", v->owner.id());
  co_return api::no_content();
}

std::string name_of_state(int64_t state) {
  switch (state) {
  case did_states::generated: return "GENERATED";
  case did_states::published: return "PUBLISHED";
  case did_states::unpublished: return "UNPUBLISHED";
  }
  return "INITIAL";
}

task<response> state_of_document(cell_services& s, request_ptr r) {
  auto entering = enter_with_did(s, r, "dids:read");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  persistence::entity_key key{v->owner, kinds::did_document, v->did};
  auto reading = api::need_document(s, std::move(key), did_type);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  co_return text_response(name_of_state(json::integer_at(api::stored_object(found->body), "state").value_or(0)));
}

task<response> query_dids(cell_services& s, request_ptr r) {
  auto entering = enter_context(s, r, "dids:read");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  auto spec = read_query(*r);
  if (!spec)
    co_return std::move(spec.error());
  auto reading = api::query_documents(s, v->owner, kinds::did_document, std::move(*spec));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  json::array out;
  for (const auto& d : *found) {
    auto making =
        actors::in_pool(s.pool, s.edge, v->owner, [&s, owner = v->owner, stored = api::stored_object(d.body)] {
          return did::write_document(document_of(s, owner, stored));
        });
    auto made = co_await std::move(making);
    if (!made)
      co_return api::busy();
    out.push_back(std::move(*made));
  }
  co_return array_of(std::move(out));
}

/// Changes the services of a document; 400, 404 or 409 comes from the function.
using services_change = std::function<result<bool>(std::vector<did::service>&)>;

std::vector<did::service> stored_services(const json::object& document) {
  std::vector<did::service> out;
  if (const auto* list = json::array_at(document, "services"))
    for (const auto& v : *list)
      if (const auto* one = v.if_object())
        out.push_back({text_at(*one, "id"), text_at(*one, "type"), text_at(*one, "serviceEndpoint")});
  return out;
}

/// The part of every endpoints route before the body: whose document, and `autoPublish`.
task<result<visit>> enter_endpoints(cell_services& s, request_ptr r, bool& publish) {
  auto entering = enter_context(s, r, "dids:write");
  auto v = co_await std::move(entering);
  if (!v)
    co_return v;
  auto encoded = api::path_value(*r, "did");
  while (encoded.ends_with('='))
    encoded.pop_back();
  if (const auto did = base64url_decode(encoded); did != v->did)
    co_return std::unexpected(api::not_found(did_type, did.value_or(api::path_value(*r, "did"))));
  const auto wanted = read_flag(*r, "autoPublish", false);
  if (!wanted)
    co_return std::unexpected(wanted.error());
  publish = *wanted;
  if (publish && v->state != context_states::activated)
    co_return std::unexpected(not_in_state("activated", "published"));
  co_return v;
}

task<response> change_services(cell_services& s, request_ptr r, visit v, bool publish, services_change change) {
  api::record_change whole = [did = v.did, publish, change](json::object before) -> result<json::object> {
    if (before.empty())
      return std::unexpected(api::not_found(did_type, did));
    auto services = stored_services(before);
    if (auto changed = change(services); !changed)
      return std::unexpected(std::move(changed.error()));
    before["services"] = to_json(services);
    if (publish)
      before["state"] = did_states::published;
    return before;
  };
  persistence::entity_key key{v.owner, kinds::did_document, v.did};
  auto changing = api::change_record(s, std::move(key), std::move(whole), did_type);
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  api::note_change(component, *r, v.who, "the services of a DID document were changed", v.owner.id());
  co_return api::no_content();
}

result<did::service> read_service_body(const gateway::request& r, const std::string& did) {
  auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  body_check check;
  auto service = read_service(*body, did, check, "");
  if (check.failed())
    return std::unexpected(check.response());
  return service;
}

response unknown_service(const std::string& id) {
  return api::invalid_field("The DID document has no service " + id, "id", json::value(id));
}

task<response> add_service(cell_services& s, request_ptr r) {
  bool publish = false;
  auto entering = enter_endpoints(s, r, publish);
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  auto service = read_service_body(*r, v->did);
  if (!service)
    co_return std::move(service.error());
  services_change change = [added = *service](std::vector<did::service>& all) -> result<bool> {
    if (std::ranges::find(all, added.id, &did::service::id) != all.end())
      return std::unexpected(api::conflict("The DID document has a service " + added.id));
    if (all.size() >= did::limits::document_entries_max)
      return std::unexpected(
          api::conflict("The DID document has " + std::to_string(all.size()) + " services, and no more are allowed"));
    all.push_back(added);
    return true;
  };
  auto changing = change_services(s, std::move(r), std::move(*v), publish, std::move(change));
  co_return co_await std::move(changing);
}

task<response> replace_service(cell_services& s, request_ptr r) {
  bool publish = false;
  auto entering = enter_endpoints(s, r, publish);
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  auto service = read_service_body(*r, v->did);
  if (!service)
    co_return std::move(service.error());
  services_change change = [wanted = *service](std::vector<did::service>& all) -> result<bool> {
    const auto at = std::ranges::find(all, wanted.id, &did::service::id);
    if (at == all.end())
      return std::unexpected(unknown_service(wanted.id));
    *at = wanted;
    return true;
  };
  auto changing = change_services(s, std::move(r), std::move(*v), publish, std::move(change));
  co_return co_await std::move(changing);
}

task<response> remove_service(cell_services& s, request_ptr r) {
  bool publish = false;
  auto entering = enter_endpoints(s, r, publish);
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  const auto given = gateway::query_value(*r, "serviceId");
  if (!given || given->empty())
    co_return api::invalid_field("The query parameter serviceId is required", "serviceId");
  services_change change = [id = absolute_id(v->did, *given)](std::vector<did::service>& all) -> result<bool> {
    const auto gone = std::erase_if(all, [&id](const auto& one) { return one.id == id; });
    if (gone == 0)
      return std::unexpected(unknown_service(id));
    return true;
  };
  auto changing = change_services(s, std::move(r), std::move(*v), publish, std::move(change));
  co_return co_await std::move(changing);
}

/// The published document; nothing if there is none. Blocks: for the reader pool.
std::optional<json::object> published(cell_services& s, const std::string& did) {
  const auto owner = owner_of_did(s, did);
  // A context whose creation did not come to its end, or that is being removed, has no DID yet or any more.
  if (!owner || read_own_did(s, *owner) != did)
    return std::nullopt;
  const auto found = s.documents.get({*owner, kinds::did_document, did});
  if (!found)
    throw std::runtime_error("a DID document cannot be read");
  const auto stored = *found ? api::stored_object((*found)->body) : json::object();
  if (json::integer_at(stored, "state") != did_states::published)
    return std::nullopt;
  return did::write_document(document_of(s, *owner, stored));
}

task<response> serve_document(cell_services& s, request_ptr r) {
  const auto did = did::web_did(gateway::header(*r, "host").value_or(""), r->path);
  if (!did || did->size() > fondaco::limits::id_bytes_max)
    co_return gateway::problem(404, "There is no such DID document.");
  auto reading = actors::in_pool(s.pool, s.edge, [&s, did = *did] { return published(s, did); });
  const auto found = co_await std::move(reading);
  if (!found)
    co_return gateway::problem(503, "The DID document cannot be read now; ask again after a moment.");
  if (!*found)
    co_return gateway::problem(404, "There is no such DID document.");
  auto out = gateway::json_response(200, json::write(**found));
  const auto accepted = gateway::header(*r, "accept").value_or("");
  if (accepted.starts_with("application/did+json"))
    for (auto& [name, value] : out.headers)
      if (name == "Content-Type")
        value = "application/did+json";
  co_return out;
}

} // namespace

void add_document_routes(gateway::router& to, cell_services& s) {
  const auto base = std::string(participants_path) + "/{p}/dids";
  api::route(to, s, "POST", base + "/publish", publish_document);
  api::route(to, s, "POST", base + "/unpublish", unpublish_document);
  api::route(to, s, "POST", base + "/query", query_dids);
  api::route(to, s, "POST", base + "/state", state_of_document);
  api::route(to, s, "POST", base + "/{did}/endpoints", add_service);
  api::route(to, s, "PATCH", base + "/{did}/endpoints", replace_service);
  api::route(to, s, "DELETE", base + "/{did}/endpoints", remove_service);
}

} // namespace fondaco::identity

namespace fondaco::cells {

void add_did_routes(gateway::router& to, cell_services& s) {
  planes::api::route(to, s, "GET", "/.well-known/did.json", identity::serve_document);
  // A pattern for each depth instead of one for every path, so that other paths are answered as if this one was not.
  std::string path;
  for (size_t depth = 1; depth <= identity::did_path_segments_max; ++depth) {
    path += "/{s" + std::to_string(depth) + "}";
    planes::api::route(to, s, "GET", path + "/did.json", identity::serve_document);
  }
}

} // namespace fondaco::cells
