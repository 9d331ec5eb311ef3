#include "protocols/vc/model.hpp"

#include <algorithm>

#include "protocols/jose/jwt.hpp"

namespace fondaco::vc {

std::unexpected<fault> refuse(vc_errc e, std::string detail) {
  return std::unexpected(make_fault(e, std::move(detail)));
}

const json::value* member_of(const json::object& o, std::string_view name) noexcept {
  const auto* v = o.if_contains(name);
  return v && !v->is_null() ? v : nullptr;
}

std::vector<const json::value*> items_of(const json::object& o, std::string_view name) {
  std::vector<const json::value*> out;
  const auto* v = member_of(o, name);
  if (const auto* list = v ? v->if_array() : nullptr)
    for (const auto& item : *list)
      out.push_back(&item);
  else if (v)
    out.push_back(v);
  return out;
}

bool says(const json::object& o, std::string_view name, std::string_view text) {
  return std::ranges::any_of(items_of(o, name),
                             [&](const auto* v) { return v->is_string() && v->get_string() == text; });
}

std::expected<std::string, fault> text_of(const json::object& o, std::string_view name) {
  const auto* v = member_of(o, name);
  if (!v)
    return std::string();
  const auto* text = v->if_string();
  if (!text)
    return refuse(vc_errc::malformed, "'" + std::string(name) + "' is not a text");
  return std::string(text->data(), text->size());
}

std::expected<std::string, fault> id_of(const json::object& o, std::string_view name) {
  const auto* inner = json::object_at(o, name);
  if (!inner)
    return text_of(o, name);
  auto id = text_of(*inner, "id");
  if (!id || id->empty())
    return refuse(vc_errc::malformed, "'" + std::string(name) + "' is an object without a text as its 'id'");
  return id;
}

std::expected<std::optional<timepoint>, fault> date_of(const json::object& claims, std::string_view name) {
  if (!member_of(claims, name))
    return std::nullopt;
  const auto at = jose::moment_at(claims, name);
  if (!at)
    return refuse(vc_errc::malformed, "the claim '" + std::string(name) + "' is not a number of seconds");
  return at;
}

std::optional<timepoint> later(std::optional<timepoint> a, std::optional<timepoint> b) {
  return a && b ? std::max(*a, *b) : a ? a : b;
}

std::optional<timepoint> earlier(std::optional<timepoint> a, std::optional<timepoint> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

std::optional<std::string_view> only_subject(const credential& what) {
  std::optional<std::string_view> only;
  for (const auto& subject : what.subjects) {
    const auto id = json::string_at(subject, "id");
    if (!id || (only && *only != *id))
      return std::nullopt;
    only = id;
  }
  return only;
}

} // namespace fondaco::vc
