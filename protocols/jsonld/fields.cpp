#include "protocols/jsonld/fields.hpp"

#include <algorithm>

#include "protocols/jsonld/lenient.hpp"

namespace fondaco::jsonld {

namespace {

std::string quoted_list(std::span<const std::string_view> names) {
  std::string out;
  for (auto name : names) {
    if (!out.empty())
      out += ", ";
    out += name;
  }
  return out;
}

std::string scalar_text(const json::value& v) {
  const auto& inner = unwrapped(v);
  if (const auto* s = inner.if_string())
    return std::string(s->data(), s->size());
  return json::write(inner);
}

} // namespace

std::string_view name_of(message_errc e) noexcept {
  switch (e) {
  case message_errc::not_an_object: return "not_an_object";
  case message_errc::wrong_context: return "wrong_context";
  case message_errc::wrong_type: return "wrong_type";
  case message_errc::missing_field: return "missing_field";
  case message_errc::wrong_field: return "wrong_field";
  case message_errc::exclusive_fields: return "exclusive_fields";
  case message_errc::too_long: return "too_long";
  }
  return "unknown";
}

fault make_fault(message_errc e, std::string detail) {
  return fault{std::string(name_of(e)), std::move(detail), cure::fix_input};
}

const json::value* fields::find(std::string_view name) const noexcept {
  const auto* v = of_.if_contains(name);
  return v && !v->is_null() ? v : nullptr;
}

void fields::refuse(message_errc e, std::string detail) { refuse(make_fault(e, where_ + ": " + std::move(detail))); }

void fields::refuse(fault f) {
  if (!failure_)
    failure_ = std::move(f);
}

void fields::missing(std::string_view name, need n, std::string_view allowed) {
  if (n == need::required)
    refuse(message_errc::missing_field, std::string(name) + " is missing; required is " + std::string(allowed));
}

std::string fields::bounded(std::string_view name, need n, std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max) {
    refuse(message_errc::too_long, std::string(name) + " has " + std::to_string(text.size()) + " bytes; allowed are " +
                                       std::to_string(bytes_max));
    return {};
  }
  if (text.empty() && n == need::required)
    refuse(message_errc::missing_field,
           std::string(name) + " is empty; required is a string of 1 to " + std::to_string(bytes_max) + " bytes");
  return std::string(text);
}

std::string fields::text(std::string_view name, need n, size_t bytes_max) {
  const auto* v = find(name);
  if (!v) {
    missing(name, n, "a string");
    return {};
  }
  auto text = text_of(*v);
  if (!text) {
    refuse(message_errc::wrong_field, std::string(name) + " is " + std::string(kind_of(unwrapped(*v))) +
                                          "; allowed is a string, as it is or in {\"@id\"}, {\"@value\"} or [ ]");
    return {};
  }
  return bounded(name, n, *text, bytes_max);
}

std::string fields::scalar(std::string_view name, need n, size_t bytes_max) {
  const auto* v = find(name);
  if (!v || unwrapped(*v).is_string() || unwrapped(*v).is_structured())
    return text(name, n, bytes_max);
  return bounded(name, n, scalar_text(*v), bytes_max);
}

std::string fields::base_url(std::string_view name, need n) {
  auto url = text(name, n, limits::url_bytes_max);
  if (url.empty())
    return url;
  if (!is_base_url(url)) {
    refuse(message_errc::wrong_field,
           std::string(name) +
               " is not an http or https URL with a host and without query, fragment or user information");
    return {};
  }
  return std::string(without_trailing_slash(url));
}

std::optional<size_t> fields::one_of(std::string_view name, need n, std::span<const std::string_view> allowed) {
  auto word = text(name, n);
  if (word.empty())
    return std::nullopt;
  auto found = std::ranges::find(allowed, bare_dspace(word));
  if (found == allowed.end()) {
    refuse(message_errc::wrong_field, std::string(name) + " is not one of the allowed: " + quoted_list(allowed));
    return std::nullopt;
  }
  return static_cast<size_t>(found - allowed.begin());
}

std::vector<std::string> fields::texts(std::string_view name, need n, size_t bytes_max) {
  const auto* v = find(name);
  if (!v) {
    missing(name, n, "an array of strings");
    return {};
  }
  const auto* list = v->if_array();
  std::span<const json::value> items =
      list ? std::span<const json::value>(list->data(), list->size()) : std::span<const json::value>(v, 1);
  if (items.size() > limits::list_items_max) {
    refuse(message_errc::too_long, std::string(name) + " has " + std::to_string(items.size()) + " items; allowed are " +
                                       std::to_string(limits::list_items_max));
    return {};
  }
  if (items.empty() && n == need::required)
    refuse(message_errc::missing_field, std::string(name) + " is empty; required is at least one string");
  std::vector<std::string> out;
  out.reserve(items.size());
  for (const auto& item : items)
    out.push_back(bounded(name, need::optional, scalar_text(item), bytes_max));
  return out;
}

const json::object* fields::object(std::string_view name, need n) {
  const auto* v = find(name);
  if (!v) {
    missing(name, n, "an object");
    return nullptr;
  }
  if (const auto* list = v->if_array(); list && list->size() == 1)
    v = &list->front();
  const auto* o = v->if_object();
  if (!o)
    refuse(message_errc::wrong_field, std::string(name) + " is " + std::string(kind_of(*v)) + "; allowed is an object");
  return o;
}

} // namespace fondaco::jsonld
