#include <algorithm>
#include <utility>

#include "cells/identity/provisioning.hpp"
#include "cells/identity/route_groups.hpp"
#include "gateway/api_client.hpp"
#include "planes/api/bodies.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;

constexpr const char* component = "identity";

/// ParticipantContext as the API shows it.
json::object show_context(const json::object& stored, const std::string& id, int64_t created_at, int64_t updated_at) {
  const auto* scopes = json::array_at(stored, "scopes");
  const auto* properties = json::object_at(stored, "properties");
  auto shown = properties ? *properties : json::object();
  const auto alias = text_at(stored, "apiTokenAlias");
  shown["apiTokenAlias"] = alias;
  shown["scopes"] = scopes ? *scopes : json::array();
  return {{"id", id},
          {"participantContextId", id},
          {"did", text_at(stored, "did")},
          {"state", json::integer_at(stored, "state").value_or(context_states::created)},
          {"createdAt", created_at},
          {"lastModified", updated_at},
          {"apiTokenAlias", alias},
          {"scopes", scopes ? *scopes : json::array()},
          {"properties", std::move(shown)}};
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

task<response> create_context(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto body = api::read_plain_body(*r);
  if (!body)
    co_return std::move(body.error());
  auto wanted = read_manifest(*body);
  if (!wanted)
    co_return std::move(wanted.error());
  const auto id = wanted->participant_id;
  auto making = provision(s, std::move(*wanted));
  auto made = co_await std::move(making);
  if (!made)
    co_return std::move(made.error());
  api::note_change(component, *r, *who, "an identity was created", id);
  json::object shown{{"apiKey", text_or_null(made->api_key)},
                     {"clientId", text_or_null(made->client_id)},
                     {"clientSecret", text_or_null(made->client_secret)}};
  auto out = gateway::json_response(200, json::write(shown));
  never_store(out);
  co_return out;
}

task<response> list_contexts(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto page = read_page(*r);
  if (!page)
    co_return std::move(page.error());
  page->filter.push_back({"complete", "=", json::value(true)});
  auto reading = api::query_documents(s, cells::node_tenant, kinds::identity_context, std::move(*page));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  json::array out;
  for (const auto& d : *found) {
    const auto stored = api::stored_object(d.body);
    out.push_back(show_context(stored, d.key.id, json::integer_at(stored, "contextCreatedAt").value_or(0),
                               json::integer_at(stored, "contextUpdatedAt").value_or(0)));
  }
  co_return array_of(std::move(out));
}

task<response> get_context(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, "participants:read");
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto reading = need_context(s, tenant(api::path_value(*r, "p")));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  const auto shown = show_context(api::stored_object(found->body), found->key.id, to_epoch_ms(found->created_at),
                                  to_epoch_ms(found->updated_at));
  co_return gateway::json_response(200, json::write(shown));
}

task<response> remove_context(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, "participants:write");
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  const auto id = api::path_value(*r, "p");
  if (id.starts_with('.'))
    co_return api::not_found(context_type, id);
  auto taking = take_down(s, tenant(id));
  auto taken = co_await std::move(taking);
  if (!taken)
    co_return std::move(taken.error());
  api::note_change(component, *r, *who, "an identity was removed", id);
  co_return api::no_content();
}

/// Changes the body of a context that is there, then its entry in the list.
task<result<bool>> change_context(cell_services& s, tenant owner, std::function<void(json::object&)> change) {
  api::record_change whole = [owner, change](json::object before) -> result<json::object> {
    if (!is_complete(before))
      return std::unexpected(api::not_found(context_type, owner.id()));
    change(before);
    return before;
  };
  auto changing = api::change_record(s, context_key(owner), std::move(whole), context_type);
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return changed;
  auto listing = publish_to_list(s, owner);
  co_return co_await std::move(listing);
}

task<response> move_context(cell_services& s, request_ptr r) {
  auto entering = enter_context(s, r, "participants:write");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  const auto active = read_flag(*r, "isActive", std::nullopt);
  if (!active)
    co_return active.error();
  std::function<void(json::object&)> change = [to = *active](json::object& body) {
    body["state"] = to ? context_states::activated : context_states::deactivated;
  };
  auto changing = change_context(s, v->owner, std::move(change));
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  auto moving = move_document(s, v->owner, v->did, *active);
  auto moved = co_await std::move(moving);
  if (!moved)
    co_return std::move(moved.error());
  api::note_change(component, *r, v->who, *active ? "an identity was activated" : "an identity was deactivated",
                   v->owner.id());
  co_return api::no_content();
}

task<response> renew_api_key(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, "participants:write");
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  tenant owner(api::path_value(*r, "p"));
  const auto key = fresh_api_key(s, owner);
  std::function<void(json::object&)> change = [hash = gateway::hash_of_secret(key)](json::object& body) {
    body["apiKeySha256"] = hash;
  };
  auto changing = change_context(s, owner, std::move(change));
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  api::note_change(component, *r, *who, "an API key was renewed", owner.id());
  auto out = text_response(key);
  never_store(out);
  co_return out;
}

result<json::array> read_scopes(const gateway::request& r) {
  auto body = json::parse(r.body);
  const bool fits = body && body->is_array() && body->get_array().size() <= limits::context_scopes_max &&
                    std::ranges::all_of(body->get_array(), [](const json::value& v) {
                      return v.is_string() && api::is_id(v.get_string());
                    });
  if (!fits)
    return std::unexpected(api::invalid_request("The body must be a JSON array of at most " +
                                                std::to_string(limits::context_scopes_max) +
                                                " strings, none of them empty or longer than 512 bytes."));
  return std::move(body->get_array());
}

task<response> replace_scopes(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  tenant owner(api::path_value(*r, "p"));
  auto looking = need_context(s, owner);
  auto context = co_await std::move(looking);
  if (!context)
    co_return std::move(context.error());
  auto scopes = read_scopes(*r);
  if (!scopes)
    co_return std::move(scopes.error());
  std::function<void(json::object&)> change = [given = *scopes](json::object& body) { body["scopes"] = given; };
  auto changing = change_context(s, owner, std::move(change));
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  api::note_change(component, *r, *who, "an identity's scopes were replaced", owner.id());
  co_return api::no_content();
}

} // namespace

void add_participant_routes(gateway::router& to, cell_services& s) {
  const std::string base(participants_path);
  api::route(to, s, "POST", base, create_context);
  api::route(to, s, "GET", base, list_contexts);
  api::route(to, s, "GET", base + "/{p}", get_context);
  api::route(to, s, "DELETE", base + "/{p}", remove_context);
  api::route(to, s, "POST", base + "/{p}/state", move_context);
  api::route(to, s, "POST", base + "/{p}/token", renew_api_key);
  api::route(to, s, "PUT", base + "/{p}/scopes", replace_scopes);
}

} // namespace fondaco::identity
