#include <algorithm>
#include <initializer_list>
#include <optional>

#include "protocols/base/ids.hpp"
#include "protocols/base/text.hpp"
#include "protocols/jsonld/fields.hpp"
#include "protocols/jsonld/lenient.hpp"
#include "protocols/odrl/canonical.hpp"
#include "protocols/odrl/policy.hpp"

namespace fondaco::odrl {

namespace {

using jsonld::kind_of;

/// Reads a canonical policy and keeps the first fault.
class reader {
public:
  policy read(const json::object& body) {
    only(body, "policy",
         {"@context", "@id", "@type", "profile", "target", "assigner", "assignee", "timestamp", "permission",
          "prohibition", "obligation"});
    policy p;
    p.id = text(body, "policy", "@id");
    p.type = type(body);
    p.target = target_ = text(body, "policy", "target");
    p.assigner = assigner_ = text(body, "policy", "assigner");
    p.assignee = assignee_ = text(body, "policy", "assignee");
    p.timestamp = text(body, "policy", "timestamp");
    p.profiles = profiles(body);
    p.permissions = rules(body, "", "permission", true);
    p.prohibitions = rules(body, "", "prohibition", false);
    p.obligations = rules(body, "", "obligation", false);
    return p;
  }

  std::optional<fault> failure;

private:
  void refuse(policy_errc e, std::string detail) {
    if (!failure)
      failure = make_fault(e, std::move(detail));
  }

  void only(const json::object& o, const std::string& path, std::initializer_list<std::string_view> allowed) {
    for (const auto& m : o) {
      if (std::ranges::find(allowed, std::string_view(m.key())) != allowed.end())
        continue;
      std::string names;
      for (auto name : allowed)
        names += (names.empty() ? "" : ", ") + std::string(name);
      refuse(policy_errc::unknown_member,
             path + ": " + std::string(cut_utf8(m.key(), 64)) + " is not known here; allowed are " + names);
    }
  }

  std::string text(const json::object& o, const std::string& path, std::string_view name) {
    const auto* v = o.if_contains(name);
    if (!v || v->is_null())
      return {};
    const auto* s = v->if_string();
    if (!s) {
      refuse(policy_errc::wrong_member,
             path + ": " + std::string(name) + " is " + std::string(kind_of(*v)) + "; allowed is a string");
      return {};
    }
    if (s->size() > limits::id_bytes_max)
      refuse(policy_errc::too_large, path + ": " + std::string(name) + " has " + std::to_string(s->size()) +
                                         " bytes; allowed are " + std::to_string(limits::id_bytes_max));
    return std::string(s->data(), s->size());
  }

  std::string required(const json::object& o, const std::string& path, std::string_view name) {
    auto word = text(o, path, name);
    if (word.empty())
      refuse(policy_errc::missing_member,
             path + ": " + std::string(name) + " is missing or empty; required is a string");
    return word;
  }

  std::string type(const json::object& body) {
    auto word = text(body, "policy", "@type");
    if (word.empty() || word == "Policy")
      return "Set";
    if (word != "Set" && word != "Offer" && word != "Agreement")
      refuse(policy_errc::wrong_member, "policy: @type is not one of the allowed: Set, Offer, Agreement");
    return word;
  }

  std::vector<std::string> profiles(const json::object& body) {
    const auto* list = json::array_at(body, "profile");
    if (!list) {
      auto one = text(body, "policy", "profile");
      return one.empty() ? std::vector<std::string>{} : std::vector<std::string>{one};
    }
    std::vector<std::string> out;
    for (const auto& item : *list) {
      if (!item.is_string() || out.size() >= limits::policy_rules_max) {
        refuse(policy_errc::wrong_member, "policy: profile is not a string or an array of at most " +
                                              std::to_string(limits::policy_rules_max) + " strings");
        break;
      }
      out.emplace_back(item.get_string().data(), item.get_string().size());
    }
    return out;
  }

  /// The items of a list that the canonical form made an array; empty if it is missing.
  const json::array* items(const json::object& o, const std::string& path, std::string_view name, size_t count_max) {
    const auto* list = json::array_at(o, name);
    if (list && list->size() > count_max) {
      refuse(policy_errc::too_large, path + std::string(name) + " has " + std::to_string(list->size()) +
                                         " items; allowed are " + std::to_string(count_max));
      return nullptr;
    }
    return list;
  }

  std::vector<rule> rules(const json::object& o, const std::string& path, std::string_view name, bool may_have_duties) {
    std::vector<rule> out;
    if (const auto* list = items(o, path, name, limits::policy_rules_max))
      for (const auto& item : *list)
        out.push_back(
            read_rule(item, path + std::string(name) + "[" + std::to_string(out.size()) + "]", may_have_duties));
    return out;
  }

  rule read_rule(const json::value& v, const std::string& path, bool may_have_duties) {
    rule r;
    const auto* o = v.if_object();
    if (!o) {
      refuse(policy_errc::wrong_member, path + " is " + std::string(kind_of(v)) + "; allowed is an object");
      return r;
    }
    if (may_have_duties)
      only(*o, path, {"@context", "@id", "@type", "action", "constraint", "duty", "target", "assigner", "assignee"});
    else
      only(*o, path, {"@context", "@id", "@type", "action", "constraint", "target", "assigner", "assignee"});
    same_as_policy(*o, path, "target", target_);
    same_as_policy(*o, path, "assigner", assigner_);
    same_as_policy(*o, path, "assignee", assignee_);
    r.action = required(*o, path, "action");
    r.constraints = constraints(*o, path, "constraint", 1);
    if (may_have_duties)
      r.duties = rules(*o, path + ".", "duty", false);
    return r;
  }

  void same_as_policy(const json::object& o, const std::string& path, std::string_view name, const std::string& whole) {
    if (o.contains(name) && text(o, path, name) != whole)
      refuse(policy_errc::wrong_member, path + ": " + std::string(name) + " differs from the policy's " +
                                            std::string(name) + "; allowed is the same or none");
  }

  std::vector<constraint> constraints(const json::object& o, const std::string& path, std::string_view name,
                                      size_t depth) {
    std::vector<constraint> out;
    if (const auto* list = items(o, path + ".", name, limits::policy_constraints_max))
      for (const auto& item : *list)
        out.push_back(
            read_constraint(item, path + "." + std::string(name) + "[" + std::to_string(out.size()) + "]", depth));
    return out;
  }

  constraint read_constraint(const json::value& v, const std::string& path, size_t depth) {
    constraint c;
    const auto* o = v.if_object();
    if (!o) {
      refuse(policy_errc::wrong_member, path + " is " + std::string(kind_of(v)) + "; allowed is an object");
      return c;
    }
    if (o->contains("andSequence")) {
      refuse(policy_errc::cannot_be_judged, path + ": andSequence cannot be judged; allowed are and, or, xone");
      return c;
    }
    for (auto [name, form] : {std::pair{"and", constraint::shape::all_of}, std::pair{"or", constraint::shape::any_of},
                              std::pair{"xone", constraint::shape::one_of}}) {
      if (!o->contains(name))
        continue;
      only(*o, path, {"@context", "@id", "@type", name});
      c.form = form;
      c.children = constraints(*o, path, name, depth + 1);
      if (c.children.empty())
        refuse(policy_errc::missing_member, path + ": " + name + " holds no constraint; required is at least one");
      return c;
    }
    atomic(c, *o, path);
    return c;
  }

  void atomic(constraint& c, const json::object& o, const std::string& path) {
    only(o, path, {"@context", "@id", "@type", "leftOperand", "operator", "rightOperand"});
    c.left_operand = required(o, path, "leftOperand");
    c.op = required(o, path, "operator");
    if (std::ranges::find(operators, std::string_view(c.op)) == operators.end()) {
      std::string names;
      for (auto name : operators)
        names += (names.empty() ? "" : ", ") + std::string(name);
      refuse(policy_errc::wrong_member, path + ": operator is not one of the allowed: " + names);
    }
    const auto* right = o.if_contains("rightOperand");
    if (!right || right->is_null() || (right->is_array() && right->get_array().empty()))
      refuse(policy_errc::missing_member, path + ": rightOperand is missing or empty; required is a value or a list of "
                                                 "values, since an empty one demands nothing");
    else
      c.right_operand = *right;
  }

  std::string target_, assigner_, assignee_;
};

} // namespace

std::expected<policy, fault> read_policy(const json::object& body) {
  auto canonical = canonical_policy(body);
  if (!canonical)
    return std::unexpected(canonical.error());
  reader r;
  auto out = r.read(*canonical);
  if (r.failure)
    return std::unexpected(*r.failure);
  return out;
}

} // namespace fondaco::odrl
