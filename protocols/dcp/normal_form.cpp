#include "protocols/dcp/normal_form.hpp"

#include <string>
#include <utility>

namespace fondaco::dcp {

namespace {

constexpr std::string_view prefixes[] = {term_iri, "dcp:", "https://www.w3.org/2018/credentials#", "cred:"};
constexpr const char* wrappers[] = {"@value", "@set", "@list"};
constexpr unsigned depth_max = 32;

std::string_view term_of(std::string_view name) noexcept {
  if (name == "@type")
    return "type";
  if (name == "@id")
    return "id";
  for (const auto p : prefixes)
    if (name.starts_with(p))
      return name.substr(p.size());
  return name;
}

bool is_literal(const json::object& o) { return json::string_at(o, "@type") == "@json" && o.contains("@value"); }

json::value normal(const json::value& v, unsigned depth);

json::object normal_members(const json::object& o, unsigned depth) {
  json::object out;
  for (const auto& [name, v] : o) {
    if (name == "@context" || depth == 0)
      out.insert_or_assign(name, v);
    else if (const auto term = term_of(name); !out.contains(term))
      out.emplace(term, normal(v, depth - 1));
  }
  if (auto* type = out.if_contains("type")) {
    if (type->is_array() && type->get_array().size() == 1)
      *type = json::value(type->get_array().front());
    if (type->is_string())
      *type = std::string(term_of(std::string(type->get_string())));
  }
  return out;
}

json::value normal(const json::value& v, unsigned depth) {
  if (depth == 0)
    return v;
  if (v.is_array()) {
    json::array out;
    for (const auto& item : v.get_array())
      out.push_back(normal(item, depth - 1));
    return out;
  }
  if (!v.is_object())
    return v;
  const auto& o = v.get_object();
  if (is_literal(o))
    return o.at("@value");
  for (const char* wrapper : wrappers)
    if (const auto* inner = o.if_contains(wrapper))
      return normal(*inner, depth - 1);
  if (o.size() == 1 && o.contains("@id"))
    return o.at("@id");
  return normal_members(o, depth);
}

void add_items(const json::value& v, json::array& out, unsigned depth) {
  if (v.is_null())
    return;
  if (depth > 0 && v.is_array()) {
    for (const auto& item : v.get_array())
      add_items(item, out, depth - 1);
    return;
  }
  if (depth > 0 && v.is_object())
    for (const char* wrapper : wrappers)
      if (const auto* inner = v.get_object().if_contains(wrapper))
        return add_items(*inner, out, depth - 1);
  out.push_back(v);
}

const json::value* find_member(const json::object& o, std::string_view term) noexcept {
  for (const auto& [name, v] : o)
    if (!v.is_null() && term_of(name) == term)
      return &v;
  return nullptr;
}

} // namespace

const json::object* message_object(const json::value& body) noexcept {
  const auto* list = body.if_array();
  return list && list->size() == 1 ? list->front().if_object() : body.if_object();
}

json::object normal_form(const json::object& message) { return normal_members(message, depth_max); }

const json::value* find_literal(const json::object& o, std::string_view term) noexcept {
  const auto* v = find_member(o, term);
  if (!v)
    return nullptr;
  const auto* one = v->is_array() && v->get_array().size() == 1 ? &v->get_array().front() : v;
  const auto* wrapped = one->if_object();
  if (!wrapped || !is_literal(*wrapped))
    return v;
  const auto& inner = wrapped->at("@value");
  return inner.is_null() ? nullptr : &inner;
}

json::array literal_items(const json::object& o, std::string_view term) {
  json::array out;
  if (const auto* v = find_member(o, term))
    add_items(*v, out, depth_max);
  return out;
}

std::string_view bare_word(std::string_view text) noexcept {
  if (text.starts_with("dcp:"))
    return text.substr(4);
  // A word of a vocabulary that is read as an IRI is relative: a processor may have resolved it.
  if (text.starts_with("https://") || text.starts_with("http://"))
    return text.substr(text.rfind('/') + 1);
  return text;
}

} // namespace fondaco::dcp
