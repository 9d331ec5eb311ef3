#include "protocols/jsonld/lenient.hpp"

#include <algorithm>
#include <cctype>

namespace fondaco::jsonld {

namespace {

bool only_keywords(const json::object& o) noexcept {
  return std::ranges::all_of(o, [](const auto& m) {
    return m.key() == "@id" || m.key() == "@value" || m.key() == "@type" || m.key() == "@language";
  });
}

bool starts_with_scheme(std::string_view text, std::string_view scheme) noexcept {
  return text.size() > scheme.size() && std::ranges::equal(text.substr(0, scheme.size()), scheme, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

} // namespace

const json::value& unwrapped(const json::value& v) noexcept {
  const json::value* at = &v;
  for (;;) {
    if (const auto* list = at->if_array(); list && list->size() == 1) {
      at = &list->front();
      continue;
    }
    const auto* o = at->if_object();
    if (!o || !only_keywords(*o))
      return *at;
    const auto* id = o->if_contains("@id");
    const auto* literal = o->if_contains("@value");
    if ((id == nullptr) == (literal == nullptr))
      return *at;
    at = id ? id : literal;
  }
}

std::optional<std::string_view> text_of(const json::value& v) noexcept {
  const auto* s = unwrapped(v).if_string();
  return s ? std::optional<std::string_view>(std::string_view(s->data(), s->size())) : std::nullopt;
}

std::string_view bare(std::string_view term, std::string_view prefix, std::string_view iri) noexcept {
  const auto rest = [&](std::string_view from) {
    for (auto lead : {prefix, iri})
      if (from.size() > lead.size() && from.starts_with(lead))
        return from.substr(lead.size());
    return from;
  };
  const auto word = rest(term);
  // `odrl:odrl:use` names something else than `use`, also when it is read a second time.
  return rest(word) == word ? word : term;
}

std::string_view bare_odrl(std::string_view term) noexcept { return bare(term, "odrl:", odrl_iri); }

std::string_view bare_dspace(std::string_view term) noexcept { return bare(term, "dspace:", dspace_iri); }

bool is_expanded(const json::object& o) noexcept {
  const auto* type = o.if_contains("@type");
  const auto name = type ? text_of(*type) : std::nullopt;
  return !o.contains("@context") && name && name->starts_with(dspace_iri);
}

json::object bare_members(const json::object& o) {
  json::object out;
  for (const auto& [name, v] : o)
    out.emplace(bare_dspace(std::string_view(name.data(), name.size())), v);
  return out;
}

std::string_view kind_of(const json::value& v) noexcept {
  switch (v.kind()) {
  case boost::json::kind::null: return "null";
  case boost::json::kind::bool_: return "a boolean";
  case boost::json::kind::int64:
  case boost::json::kind::uint64:
  case boost::json::kind::double_: return "a number";
  case boost::json::kind::string: return "a string";
  case boost::json::kind::array: return "an array";
  case boost::json::kind::object: return "an object";
  }
  return "unknown";
}

bool is_base_url(std::string_view text) noexcept {
  std::string_view rest;
  if (starts_with_scheme(text, "https://"))
    rest = text.substr(8);
  else if (starts_with_scheme(text, "http://"))
    rest = text.substr(7);
  else
    return false;
  if (std::ranges::any_of(rest, [](unsigned char c) {
        return c <= ' ' || c >= 0x7f ||
               std::string_view("\"<>\\^`{|}?#").find(static_cast<char>(c)) != std::string_view::npos;
      }))
    return false;
  auto authority = rest.substr(0, rest.find('/'));
  return !authority.empty() && authority.front() != ':' && authority.find('@') == std::string_view::npos;
}

std::string_view without_trailing_slash(std::string_view text) noexcept {
  while (text.ends_with('/'))
    text.remove_suffix(1);
  return text;
}

} // namespace fondaco::jsonld
