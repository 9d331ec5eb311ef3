#include "cells/control_plane/data_planes.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace fondaco::control_plane {

namespace {

std::vector<std::string> texts(const json::object& o, std::string_view name) {
  std::vector<std::string> out;
  if (const auto* list = json::array_at(o, name))
    for (const auto& v : *list)
      if (v.is_string())
        out.emplace_back(v.get_string());
  return out;
}

bool holds(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

bool suits(const data_plane_record& plane, const plane_wishes& wishes) {
  return std::ranges::all_of(wishes.labels, [&](const auto& label) { return holds(plane.labels, label); });
}

bool wished(const plane_wishes& wishes, std::string_view type) {
  return wishes.profiles.empty() || holds(wishes.profiles, type);
}

} // namespace

std::string signaling_base(std::string_view endpoint) {
  constexpr std::string_view tail = "/dataflows";
  while (endpoint.ends_with('/'))
    endpoint.remove_suffix(1);
  if (endpoint.ends_with(tail))
    endpoint.remove_suffix(tail.size());
  return std::string(endpoint);
}

json::object document_body(const persistence::document& d) {
  auto body = json::parse(d.body);
  return body && body->is_object() ? std::move(body->get_object()) : json::object{};
}

std::expected<std::vector<data_plane_record>, persistence::query_error> read_data_planes(cells::cell_services& s,
                                                                                         const tenant& owner) {
  persistence::query_spec all;
  all.limit = persistence::limits::read_rows_max;
  auto rows = s.documents.query(owner, cells::kinds::data_plane, all);
  if (!rows)
    return std::unexpected(std::move(rows.error()));
  std::vector<data_plane_record> out;
  for (const auto& row : *rows) {
    const auto body = document_body(row);
    data_plane_record plane;
    plane.id = json::string_at(body, "dataplaneId").value_or(row.key.id);
    plane.endpoint = signaling_base(json::string_at(body, "endpoint").value_or(""));
    plane.transfer_types = texts(body, "transferTypes");
    for (auto& profile : texts(body, "profiles"))
      if (!holds(plane.transfer_types, profile))
        plane.transfer_types.push_back(std::move(profile));
    plane.labels = texts(body, "labels");
    if (!plane.endpoint.empty())
      out.push_back(std::move(plane));
  }
  return out;
}

plane_wishes read_wishes(const json::object& dataplane_metadata) {
  plane_wishes out;
  out.labels = texts(dataplane_metadata, "labels");
  out.profiles = texts(dataplane_metadata, "profiles");
  if (const auto* properties = json::object_at(dataplane_metadata, "properties"))
    out.metadata = *properties;
  return out;
}

plane_wishes wishes_of_asset(const json::object& asset) {
  const auto* metadata = json::object_at(asset, "dataplaneMetadata");
  return metadata ? read_wishes(*metadata) : plane_wishes{};
}

std::vector<std::string> offered_types(const std::vector<data_plane_record>& planes, const plane_wishes& wishes) {
  std::set<std::string> types;
  for (const auto& plane : planes)
    if (suits(plane, wishes))
      for (const auto& type : plane.transfer_types)
        if (wished(wishes, type))
          types.insert(type);
  return {types.begin(), types.end()};
}

std::optional<chosen_plane> choose_plane(const std::vector<data_plane_record>& planes, const plane_wishes& wishes,
                                         std::string_view transfer_type, uint64_t chance) {
  if (!wished(wishes, transfer_type))
    return std::nullopt;
  std::vector<const data_plane_record*> eligible;
  for (const auto& plane : planes)
    if (suits(plane, wishes) && holds(plane.transfer_types, transfer_type))
      eligible.push_back(&plane);
  if (eligible.empty())
    return std::nullopt;
  const auto& one = *eligible[chance % eligible.size()];
  return chosen_plane{one.id, one.endpoint};
}

} // namespace fondaco::control_plane
