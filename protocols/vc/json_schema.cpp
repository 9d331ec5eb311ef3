#include "protocols/vc/json_schema.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "protocols/base/text.hpp"
#include "protocols/vc/json_values.hpp"
#include "protocols/vc/model.hpp"

namespace fondaco::vc {

namespace {

using outcome = std::expected<void, fault>;

/// Keywords that say nothing about what is valid; definitions are judged where a reference leads to them.
constexpr std::array<std::string_view, 16> annotations{
    "$id",    "id",       "$comment",  "title",      "description",      "default",         "examples",    "$defs",
    "format", "readOnly", "writeOnly", "deprecated", "contentMediaType", "contentEncoding", "definitions", "$anchor"};

/// The dialects in which the keywords here mean what they mean here.
constexpr std::array<std::string_view, 6> dialects{
    "json-schema.org/schema",          "json-schema.org/draft-04/schema",      "json-schema.org/draft-06/schema",
    "json-schema.org/draft-07/schema", "json-schema.org/draft/2019-09/schema", "json-schema.org/draft/2020-12/schema"};

constexpr std::array<std::string_view, 7> types{"object", "array", "string", "boolean", "null", "integer", "number"};

std::string_view text(const json::value& v) { return v.get_string(); }

outcome unsupported(std::string detail) { return refuse(vc_errc::unsupported, std::move(detail)); }

outcome misshapen(std::string_view keyword, std::string_view demanded) {
  return unsupported("the schema's '" + std::string(keyword) + "' is not " + std::string(demanded));
}

bool names_itself(const json::object& schema) {
  for (const char* name : {"$id", "id"})
    if (const auto id = json::string_at(schema, name); id && !id->starts_with('#'))
      return true;
  return false;
}

bool is_unsupported(const outcome& o) { return !o && o.error().code == name_of(vc_errc::unsupported); }

outcome expect(bool holds, const std::string& path, std::string_view what) {
  if (holds)
    return {};
  const auto shown = path.empty()                                  ? std::string("the root")
                     : path.size() > limits::schema_path_bytes_max ? "a long path"
                                                                   : "'" + path + "'";
  return refuse(vc_errc::schema_violated, "at " + shown + " " + std::string(what));
}

/// Judges one instance by one schema, from the root so that local references are found.
class judge {
public:
  explicit judge(const json::value& root) : root_(root) {}

  outcome check(const json::value& schema, const json::value& v, const std::string& path, size_t depth) {
    if (depth > limits::schema_depth_max || !spend(1))
      return unsupported("the schema leads too deep or takes too many steps to judge");
    if (schema.is_bool())
      return expect(schema.get_bool(), path, "nothing is allowed");
    if (!schema.is_object())
      return unsupported("a schema is neither an object nor a boolean");
    if (&schema != &root_ && names_itself(schema.get_object()))
      return unsupported("a schema inside another has an '$id' of its own, which would move its references");
    // A fault of the schema is said before one of the instance, so it does not depend on what is judged.
    outcome violated;
    for (const auto& [name, rule] : schema.get_object()) {
      auto judged = spend(1) ? keyword(schema.get_object(), name, rule, v, path, depth)
                             : unsupported("the schema takes too many steps to judge");
      if (is_unsupported(judged))
        return judged;
      if (!judged && violated)
        violated = std::move(judged);
    }
    return violated;
  }

private:
  /// False once the instance has taken more steps than one may.
  bool spend(size_t steps) {
    left_ -= std::min(left_, steps);
    return left_ > 0;
  }

  outcome keyword(const json::object& schema, std::string_view name, const json::value& rule, const json::value& v,
                  const std::string& path, size_t depth) {
    if (std::ranges::find(annotations, name) != annotations.end())
      return {};
    if (name == "$schema")
      return dialect(rule);
    if (name == "$ref")
      return reference(rule, v, path, depth);
    if (name == "type")
      return type(rule, v, path);
    if (name == "const" || name == "enum")
      return value(name, rule, v, path);
    if (name == "not")
      return negation(rule, v, path, depth);
    if (name == "allOf" || name == "anyOf" || name == "oneOf")
      return combination(name, rule, v, path, depth);
    if (name == "required")
      return required(rule, v, path);
    if (name == "properties")
      return properties(rule, v, path, depth);
    if (name == "additionalProperties")
      return additional(schema, rule, v, path, depth);
    if (name == "items")
      return items(rule, v, path, depth);
    if (name.ends_with("imum"))
      return bound(schema, name, rule, v, path);
    if (name.starts_with("min") || name.starts_with("max"))
      return count(name, rule, v, path);
    return unknown(name);
  }

  static outcome unknown(std::string_view name) {
    return unsupported("the schema's keyword '" + std::string(cut_utf8(name, limits::schema_path_bytes_max)) +
                       "' is not known here");
  }

  static outcome dialect(const json::value& rule) {
    if (!rule.is_string())
      return misshapen("$schema", "a text");
    auto url = text(rule);
    for (std::string_view scheme : {"https://", "http://"})
      if (url.starts_with(scheme))
        url.remove_prefix(scheme.size());
    if (url.ends_with('#'))
      url.remove_suffix(1);
    return std::ranges::find(dialects, url) != dialects.end() ? outcome{}
                                                              : misshapen("$schema", "a draft from 04 to 2020-12");
  }

  outcome reference(const json::value& rule, const json::value& v, const std::string& path, size_t depth) {
    if (!rule.is_string() || !(text(rule) == "#" || text(rule).starts_with("#/")))
      return misshapen("$ref", "a JSON pointer into the schema itself");
    boost::system::error_code bad;
    const auto* target = root_.find_pointer(text(rule).substr(1), bad);
    return target && !bad ? check(*target, v, path, depth + 1) : unsupported("the schema's '$ref' points nowhere");
  }

  static outcome type(const json::value& rule, const json::value& v, const std::string& path) {
    const auto known = [](const json::value& t) {
      return t.is_string() && std::ranges::find(types, text(t)) != types.end();
    };
    const auto fits = [&](const json::value& t) { return has_type(v, text(t)); };
    const auto* list = rule.if_array();
    if (list ? list->empty() || !std::ranges::all_of(*list, known) : !known(rule))
      return misshapen("type", "a JSON type or an array of them");
    return expect(list ? std::ranges::any_of(*list, fits) : fits(rule), path, "the value has another type");
  }

  outcome value(std::string_view name, const json::value& rule, const json::value& v, const std::string& path) {
    if (name == "const")
      return expect(same_value(rule, v), path, "another value is demanded");
    const auto* list = rule.if_array();
    if (!list || !spend(list->size()))
      return misshapen("enum", "an array that is short enough");
    return expect(std::ranges::any_of(*list, [&](const auto& allowed) { return same_value(allowed, v); }), path,
                  "the value is none of those allowed");
  }

  outcome negation(const json::value& rule, const json::value& v, const std::string& path, size_t depth) {
    auto judged = check(rule, v, path, depth + 1);
    return is_unsupported(judged) ? judged : expect(!judged, path, "what 'not' excludes is there");
  }

  outcome combination(std::string_view name, const json::value& rule, const json::value& v, const std::string& path,
                      size_t depth) {
    const auto* list = rule.if_array();
    if (!list || list->empty())
      return misshapen(name, "a non-empty array");
    size_t held = 0;
    outcome violated;
    for (const auto& part : *list) {
      auto judged = check(part, v, path, depth + 1);
      if (is_unsupported(judged))
        return judged;
      held += judged ? 1 : 0;
      if (!judged && violated)
        violated = std::move(judged);
    }
    if (name == "allOf")
      return violated;
    return expect(name == "anyOf" ? held > 0 : held == 1, path, "'" + std::string(name) + "' does not hold");
  }

  outcome required(const json::value& rule, const json::value& v, const std::string& path) {
    const auto* list = rule.if_array();
    if (!list || !spend(list->size()) ||
        !std::ranges::all_of(*list, [](const auto& wanted) { return wanted.is_string(); }))
      return misshapen("required", "an array of texts");
    if (const auto* o = v.if_object())
      for (const auto& wanted : *list)
        if (!o->contains(text(wanted)))
          return expect(false, path + "/" + std::string(text(wanted)), "a required member is missing");
    return {};
  }

  outcome properties(const json::value& rule, const json::value& v, const std::string& path, size_t depth) {
    const auto* known = rule.if_object();
    if (!known)
      return misshapen("properties", "an object");
    outcome violated;
    if (const auto* o = v.if_object())
      for (const auto& [name, part] : *known)
        if (const auto* member = o->if_contains(name)) {
          auto judged = check(part, *member, path + "/" + std::string(name), depth + 1);
          if (is_unsupported(judged))
            return judged;
          if (!judged && violated)
            violated = std::move(judged);
        }
    return violated;
  }

  outcome additional(const json::object& schema, const json::value& rule, const json::value& v, const std::string& path,
                     size_t depth) {
    const auto* known = json::object_at(schema, "properties");
    if (!rule.is_bool() && !rule.is_object())
      return misshapen("additionalProperties", "a schema");
    outcome violated;
    if (const auto* o = v.if_object())
      for (const auto& [name, member] : *o)
        if (!known || !known->contains(name)) {
          auto judged = check(rule, member, path + "/" + std::string(name), depth + 1);
          if (is_unsupported(judged))
            return judged;
          if (!judged && violated)
            violated = std::move(judged);
        }
    return violated;
  }

  outcome items(const json::value& rule, const json::value& v, const std::string& path, size_t depth) {
    if (!rule.is_bool() && !rule.is_object())
      return misshapen("items", "one schema");
    outcome violated;
    if (const auto* list = v.if_array())
      for (size_t i = 0; i < list->size(); ++i) {
        auto judged = check(rule, (*list)[i], path + "/" + std::to_string(i), depth + 1);
        if (is_unsupported(judged))
          return judged;
        if (!judged && violated)
          violated = std::move(judged);
      }
    return violated;
  }

  /// Draft 4 makes a bound exclusive with a boolean beside it, later drafts with a number of its own.
  static outcome bound(const json::object& schema, std::string_view name, const json::value& rule, const json::value& v,
                       const std::string& path) {
    const bool is_low = name == "minimum" || name == "exclusiveMinimum";
    if (!is_low && name != "maximum" && name != "exclusiveMaximum")
      return unknown(name);
    const bool is_own = name.starts_with("exclusive");
    if (is_own && rule.is_bool())
      return schema.contains(is_low ? "minimum" : "maximum") ? outcome{} : misshapen(name, "beside its bound");
    if (!rule.is_number())
      return misshapen(name, "a number");
    if (!v.is_number())
      return {};
    const bool excludes =
        is_own || json::boolean_at(schema, is_low ? "exclusiveMinimum" : "exclusiveMaximum").value_or(false);
    const auto side = order_of(v, rule);
    const bool holds = (side == 0 && !excludes) || (is_low ? side > 0 : side < 0);
    return expect(holds, path, "the number is out of bounds");
  }

  static outcome count(std::string_view name, const json::value& rule, const json::value& v, const std::string& path) {
    const auto of = name.substr(3);
    if (of != "Length" && of != "Items" && of != "Properties")
      return unknown(name);
    if (!rule.is_number())
      return misshapen(name, "a number");
    size_t n = 0;
    if (of == "Length" && v.is_string())
      n = characters(text(v));
    else if (of == "Items" && v.is_array())
      n = v.get_array().size();
    else if (of == "Properties" && v.is_object())
      n = v.get_object().size();
    else
      return {};
    const auto side = order_of(json::value(n), rule);
    return expect(name.starts_with("min") ? side >= 0 : side <= 0, path, "the value is too short or too long");
  }

  const json::value& root_;
  size_t left_ = limits::schema_steps_max;
};

} // namespace

std::expected<void, fault> check_schema(const json::value& schema, const json::value& instance) {
  return judge(schema).check(schema, instance, "", 0);
}

} // namespace fondaco::vc
