#include "planes/api/body_check.hpp"

#include <algorithm>
#include <utility>

#include "planes/api/bodies.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::planes::api {

namespace {

/// More violations than this are not listed.
constexpr size_t details_max = 32;

std::string joined(std::string_view inside, std::string_view name) {
  return inside.empty() ? std::string(name) : std::string(inside) + "." + std::string(name);
}

} // namespace

void body_check::refuse(std::string message, std::string path, json::value invalid_value) {
  if (details_.size() < details_max)
    details_.push_back({std::move(message), "ValidationFailure", std::move(path), std::move(invalid_value)});
}

std::string body_check::text(const json::object& o, std::string_view name, need n, std::string_view inside) {
  const auto path = joined(inside, name);
  const auto* v = o.if_contains(name);
  if (!v || v->is_null()) {
    if (n == need::required)
      refuse(path + " is required", path);
    return {};
  }
  if (!v->is_string() || v->get_string().empty()) {
    refuse(path + " must be a string that is not empty", path, *v);
    return {};
  }
  return std::string(v->get_string());
}

std::string body_check::base_url(const json::object& o, std::string_view name) {
  auto url = text(o, name, need::required);
  if (url.empty())
    return url;
  const auto plain = jsonld::without_trailing_slash(url);
  if (plain.size() > 2048 || !jsonld::is_base_url(plain)) {
    refuse(std::string(name) +
               " must be an http or https URL of at most 2048 bytes, without query and user information",
           std::string(name), json::value(url));
    return {};
  }
  return std::string(plain);
}

std::string body_check::one_of(const json::object& o, std::string_view name, need n,
                               std::initializer_list<std::string_view> allowed) {
  auto word = text(o, name, n);
  if (word.empty() || std::ranges::find(allowed, std::string_view(word)) != allowed.end())
    return word;
  std::string names;
  for (auto a : allowed)
    names += (names.empty() ? "" : ", ") + std::string(a);
  refuse(std::string(name) + " must be one of " + names, std::string(name), json::value(word));
  return {};
}

const json::object* body_check::object(const json::object& o, std::string_view name, need n, std::string_view inside) {
  const auto path = joined(inside, name);
  const auto* v = o.if_contains(name);
  if (!v || v->is_null()) {
    if (n == need::required)
      refuse(path + " is required", path);
    return nullptr;
  }
  if (!v->is_object())
    refuse(path + " must be an object", path);
  return v->if_object();
}

std::vector<std::string> body_check::texts(const json::object& o, std::string_view name, need n,
                                           std::string_view inside) {
  const auto path = joined(inside, name);
  const auto* v = o.if_contains(name);
  if (!v || v->is_null()) {
    if (n == need::required)
      refuse(path + " is required", path);
    return {};
  }
  if (v->is_string())
    return {std::string(v->get_string())};
  std::vector<std::string> out;
  const auto* list = v->if_array();
  for (size_t i = 0; list && i < list->size(); ++i) {
    const auto* item = (*list)[i].if_string();
    if (!item || item->empty())
      refuse(path + " must hold strings that are not empty", path + "[" + std::to_string(i) + "]");
    else
      out.emplace_back(*item);
  }
  if (!list)
    refuse(path + " must be an array of strings", path);
  return out;
}

const json::object* body_check::text_map(const json::object& o, std::string_view name, need n, bool null_allowed) {
  const auto* map = object(o, name, n);
  if (!map)
    return nullptr;
  for (const auto& [key, v] : *map) {
    const auto path = joined(name, key);
    if (!api::is_id(key))
      refuse(std::string(name) + " has a name that is not of 1 to 512 bytes without control characters",
             std::string(name));
    else if (v.is_null() && !null_allowed)
      refuse("Null values are not allowed when setting a configuration", path);
    else if (!v.is_null() && !v.is_string()) // the value may be a secret: it is not shown
      refuse(path + " must be a string", path);
  }
  return map;
}

json::value body_check::callback_addresses(const json::object& o) {
  const auto* v = o.if_contains("callbackAddresses");
  if (!v || v->is_null())
    return nullptr;
  json::array list;
  if (v->is_array())
    list = v->get_array();
  else
    list.push_back(*v);
  json::array out;
  for (size_t i = 0; i < list.size(); ++i) {
    const auto path = "callbackAddresses[" + std::to_string(i) + "]";
    const auto* a = list[i].if_object();
    if (!a) {
      refuse(path + " must be a CallbackAddress", path, list[i]);
      continue;
    }
    json::object kept{{"@type", "CallbackAddress"}};
    kept["uri"] = text(*a, "uri", need::required, path);
    json::array events;
    for (auto& e : texts(*a, "events", need::required, path))
      events.emplace_back(std::move(e));
    kept["events"] = std::move(events);
    const auto transactional = json::boolean_at(*a, "transactional");
    if (!transactional)
      refuse(path + ".transactional must be true or false", path + ".transactional");
    kept["transactional"] = transactional.value_or(false);
    out.push_back(std::move(kept));
  }
  return out;
}

const json::object* body_check::dataplane_metadata(const json::object& o) {
  const auto* m = object(o, "dataplaneMetadata", need::optional);
  if (!m)
    return nullptr;
  if (json::string_at(*m, "@type") != "DataplaneMetadata")
    refuse("dataplaneMetadata.@type must be DataplaneMetadata", "dataplaneMetadata.@type");
  texts(*m, "labels", need::optional, "dataplaneMetadata");
  texts(*m, "profiles", need::optional, "dataplaneMetadata");
  object(*m, "properties", need::optional, "dataplaneMetadata");
  return m;
}

} // namespace fondaco::planes::api
