#include <algorithm>
#include <utility>

#include "cells/control_plane/management/resource.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

constexpr const char* profiles_entry = "edc.dataspace.profiles";

json::object show_profile(const std::string& name) {
  json::object protocol{{"version", "2025-1"},
                        {"path", "/" + name},
                        {"binding", "HTTPS"},
                        {"namespace", "https://w3id.org/dspace/2025/1/"}};
  json::object out{{"@type", "DataspaceProfile"}, {"name", name}};
  out["protocol"] = std::move(protocol);
  out["jsonLdContextsUrl"] = json::array{dsp::context_url};
  return out;
}

bool is_known(const cell_services& s, std::string_view name) {
  return std::ranges::any_of(s.settings.profiles, [&](const auto& p) { return p.name == name; });
}

task<response> get_profiles(cell_services& s, request_ptr r) {
  auto entering = enter_with_config(s, r, "profiles:read");
  auto p = co_await std::move(entering);
  if (!p)
    co_return std::move(p.error());
  std::vector<json::object> out;
  for (const auto& name : p->profiles)
    if (is_known(s, name))
      out.push_back(show_profile(name));
  co_return api::array_response(std::move(out));
}

// The association as the configuration entry keeps it.
result<std::string> read_association(const cell_services& s, const gateway::request& r) {
  auto body = api::read_body(r, {"AssociateDataspaceProfile"});
  if (!body)
    return std::unexpected(std::move(body.error()));
  body_check check;
  auto names = check.texts(*body, "profiles", need::required);
  if (check.failed())
    return std::unexpected(check.response());
  std::string out;
  for (const auto& name : names) {
    if (!is_known(s, name))
      return std::unexpected(api::invalid_request("Failed to associate profiles to ParticipantContext: Profile " +
                                                  name + " does not exist"));
    out.append(out.empty() ? "" : ",").append(name);
  }
  return out;
}

task<response> associate_profiles(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  tenant owner(path_value(*r, "pc"));
  persistence::entity_key context{owner, cells::kinds::participant_context, owner.id()};
  auto looking = need_document(s, std::move(context), "ParticipantContext");
  auto known = co_await std::move(looking);
  if (!known)
    co_return std::move(known.error());
  auto names = read_association(s, *r);
  if (!names)
    co_return std::move(names.error());
  persistence::entity_key key{owner, cells::kinds::participant_config, owner.id()};
  record_change change = [csv = *names](json::object before) -> result<json::object> {
    auto& entries = before["entries"];
    if (!entries.is_object())
      entries = json::object();
    entries.get_object()[profiles_entry] = csv;
    return before;
  };
  auto changing = change_record(s, std::move(key), std::move(change), "ParticipantContextConfig");
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  note_change(*r, *who, "dataspace profiles were associated", owner.id());
  co_return no_content();
}

} // namespace

void add_profile_routes(gateway::router& to, cell_services& s) {
  route(to, s, "GET", participant_base + "profiles", get_profiles);
  route(to, s, "PUT", participant_base + "profiles", associate_profiles);
}

} // namespace fondaco::control_plane::management
