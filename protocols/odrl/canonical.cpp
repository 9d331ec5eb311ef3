#include "protocols/odrl/canonical.hpp"

#include <optional>

#include "protocols/jsonld/lenient.hpp"

namespace fondaco::odrl {

namespace {

using jsonld::bare_odrl;
using jsonld::text_of;
using jsonld::unwrapped;

/// Keeps the first fault, so that the walk itself reads as plain copying.
struct respelling {
  std::optional<fault> failure;

  void refuse(policy_errc e, std::string detail) {
    if (!failure)
      failure = make_fault(e, std::move(detail));
  }

  static std::string_view bare_name(std::string_view name) {
    auto word = bare_odrl(name);
    return word == "uid" ? "@id" : word == "type" ? "@type" : word == "dspace:timestamp" ? "timestamp" : word;
  }

  template <typename Each> json::object members(const json::object& from, const std::string& path, Each each) {
    json::object out;
    for (const auto& [key, v] : from) {
      auto name = bare_name(key);
      if (out.contains(name)) {
        refuse(policy_errc::ambiguous_member,
               path + ": " + std::string(name) + " appears under two spellings; allowed is one");
        return out;
      }
      out.emplace(name, each(name, v));
    }
    return out;
  }

  static json::value bare_text(const json::value& v) {
    if (auto text = text_of(v))
      return json::value(bare_odrl(*text));
    return v;
  }

  static json::value plain_text(const json::value& v) {
    if (auto text = text_of(v))
      return json::value(*text);
    return v;
  }

  static json::value texts(const json::value& v) {
    const auto* list = v.if_array();
    if (!list || list->size() == 1)
      return plain_text(v);
    json::array out;
    for (const auto& item : *list)
      out.push_back(plain_text(item));
    return out;
  }

  /// Also takes `{"type": "use"}`, the form of older management APIs.
  static json::value action(const json::value& v) {
    if (const auto* o = unwrapped(v).if_object(); o && o->size() == 1 && bare_name(o->begin()->key()) == "@type")
      return bare_text(o->begin()->value());
    return bare_text(v);
  }

  static json::value right_operand(const json::value& v) {
    const auto* o = v.if_object();
    if (o && o->size() == 1 && (o->contains("@list") || o->contains("@set")))
      return right_operand(o->begin()->value());
    const auto* list = v.if_array();
    if (!list)
      return unwrapped(v);
    json::array out;
    for (const auto& item : *list)
      out.push_back(item.is_array() ? item : unwrapped(item));
    return out;
  }

  template <typename Each> json::value list(const json::value& v, const std::string& path, Each each) {
    json::array out;
    if (const auto* items = v.if_array()) {
      for (const auto& item : *items)
        out.push_back(each(item, path + "[" + std::to_string(out.size()) + "]"));
    } else {
      out.push_back(each(v, path + "[0]"));
    }
    return out;
  }

  json::value constraint(const json::value& v, const std::string& path, size_t depth) {
    const auto* o = v.if_object();
    if (!o)
      return v;
    if (depth > limits::policy_depth_max) {
      refuse(policy_errc::too_large,
             path + " nests deeper than the allowed " + std::to_string(limits::policy_depth_max) + " levels");
      return v;
    }
    return members(*o, path, [&](std::string_view name, const json::value& m) -> json::value {
      if (name == "and" || name == "or" || name == "xone" || name == "andSequence") {
        const auto* ordered = m.if_object();
        const auto* items = ordered && ordered->size() == 1 ? ordered->if_contains("@list") : nullptr;
        return list(items ? *items : m, path + "." + std::string(name),
                    [&](const json::value& c, const std::string& p) { return constraint(c, p, depth + 1); });
      }
      if (name == "leftOperand")
        return plain_text(m);
      if (name == "operator" || name == "@type")
        return bare_text(m);
      if (name == "rightOperand")
        return right_operand(m);
      return m;
    });
  }

  json::value rule(const json::value& v, const std::string& path, bool may_have_duties) {
    const auto* o = v.if_object();
    if (!o)
      return v;
    return members(*o, path, [&](std::string_view name, const json::value& m) -> json::value {
      if (name == "action")
        return action(m);
      if (name == "constraint")
        return list(m, path + ".constraint",
                    [&](const json::value& c, const std::string& p) { return constraint(c, p, 1); });
      if (name == "duty" && may_have_duties)
        return list(m, path + ".duty", [&](const json::value& d, const std::string& p) { return rule(d, p, false); });
      if (name == "target" || name == "assigner" || name == "assignee")
        return plain_text(m);
      return name == "@type" ? bare_text(m) : m;
    });
  }

  json::object policy(const json::object& body) {
    return members(body, "policy", [&](std::string_view name, const json::value& m) -> json::value {
      if (name == "permission" || name == "prohibition" || name == "obligation")
        return list(m, std::string(name),
                    [&](const json::value& r, const std::string& p) { return rule(r, p, name == "permission"); });
      if (name == "target" || name == "assigner" || name == "assignee" || name == "timestamp" || name == "@id")
        return plain_text(m);
      if (name == "profile")
        return texts(m);
      return name == "@type" ? bare_text(m) : m;
    });
  }
};

} // namespace

std::string_view name_of(policy_errc e) noexcept {
  switch (e) {
  case policy_errc::unknown_member: return "unknown_member";
  case policy_errc::ambiguous_member: return "ambiguous_member";
  case policy_errc::missing_member: return "missing_member";
  case policy_errc::wrong_member: return "wrong_member";
  case policy_errc::too_large: return "too_large";
  case policy_errc::cannot_be_judged: return "cannot_be_judged";
  case policy_errc::not_comparable: return "not_comparable";
  }
  return "unknown";
}

fault make_fault(policy_errc e, std::string detail) {
  return fault{std::string(name_of(e)), std::move(detail), cure::fix_input};
}

std::expected<json::object, fault> canonical_policy(const json::object& body) {
  respelling walk;
  auto out = walk.policy(body);
  if (walk.failure)
    return std::unexpected(*walk.failure);
  return out;
}

} // namespace fondaco::odrl
