#include "protocols/dsp/envelope.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::dsp {

using jsonld::make_fault;
using jsonld::message_errc;

std::expected<const json::object*, fault> read_root(const json::value& body, std::string_view type) {
  const auto* o = body.if_object();
  if (!o)
    return std::unexpected(
        make_fault(message_errc::not_an_object,
                   std::string(type) + " is " + std::string(jsonld::kind_of(body)) + "; allowed is an object"));
  const auto* context = json::array_at(*o, "@context");
  auto is_ours = [](const json::value& v) { return v.is_string() && v.get_string() == context_url; };
  auto is_string = [](const json::value& v) { return v.is_string(); };
  if (!context || !std::ranges::all_of(*context, is_string) || !std::ranges::any_of(*context, is_ours))
    return std::unexpected(
        make_fault(message_errc::wrong_context, std::string(type) + ": @context is not an array of strings with \"" +
                                                    std::string(context_url) + "\"; required is one"));
  const auto* named = o->if_contains("@type");
  auto name = named ? jsonld::text_of(*named) : std::nullopt;
  if (!name)
    return std::unexpected(make_fault(named ? message_errc::wrong_type : message_errc::missing_field,
                                      std::string(type) + ": @type is " + (named ? "not a string" : "missing") +
                                          "; required is \"" + std::string(type) + "\""));
  auto word = jsonld::bare(jsonld::bare_dspace(*name), "dcat:", "http://www.w3.org/ns/dcat#");
  if (word != type)
    return std::unexpected(
        make_fault(message_errc::wrong_type, std::string(type) + ": @type is \"" + std::string(cut_utf8(word, 64)) +
                                                 "\"; allowed here is \"" + std::string(type) + "\""));
  return o;
}

json::object write_root(std::string_view type, std::string_view message_id) {
  json::object out;
  json::array context;
  context.emplace_back(context_url);
  out["@context"] = std::move(context);
  out["@type"] = type;
  put(out, "@id", message_id);
  return out;
}

void put(json::object& out, std::string_view name, std::string_view text) {
  if (!text.empty())
    out[name] = text;
}

void put_cause(json::object& out, std::string_view code, const std::vector<std::string>& reasons) {
  put(out, "code", code);
  if (!reasons.empty())
    out["reason"] = json::array(reasons.begin(), reasons.end());
}

json::object without_empty_lists(const json::object& policy) {
  json::object out;
  for (const auto& [key, v] : policy) {
    const auto* list = v.if_array();
    if (!list) {
      out.emplace(key, v);
      continue;
    }
    if (list->empty())
      continue;
    json::array kept;
    for (const auto& item : *list) {
      const auto* o = item.if_object();
      kept.push_back(o ? json::value(without_empty_lists(*o)) : item);
    }
    out.emplace(key, std::move(kept));
  }
  return out;
}

} // namespace fondaco::dsp
