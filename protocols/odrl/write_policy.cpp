#include "protocols/odrl/policy.hpp"

namespace fondaco::odrl {

namespace {

/// The schema of DSP 2025-1 takes a string, an object or an array here, so numbers and booleans go out as strings.
json::value operand_json(const json::value& v) {
  return v.is_number() || v.is_bool() ? json::value(json::write(v)) : v;
}

json::array constraints_json(const std::vector<constraint>& constraints);

json::object constraint_json(const constraint& c) {
  json::object out;
  switch (c.form) {
  case constraint::shape::all_of: out["and"] = constraints_json(c.children); break;
  case constraint::shape::any_of: out["or"] = constraints_json(c.children); break;
  case constraint::shape::one_of: out["xone"] = constraints_json(c.children); break;
  case constraint::shape::atomic:
    out["leftOperand"] = c.left_operand;
    out["operator"] = c.op;
    out["rightOperand"] = operand_json(c.right_operand);
    break;
  }
  return out;
}

json::array constraints_json(const std::vector<constraint>& constraints) {
  json::array out;
  for (const auto& c : constraints)
    out.push_back(constraint_json(c));
  return out;
}

void put_rules(json::object& out, std::string_view name, const std::vector<rule>& rules) {
  if (rules.empty())
    return;
  json::array list;
  for (const auto& r : rules) {
    json::object o;
    o["action"] = r.action;
    if (!r.constraints.empty())
      o["constraint"] = constraints_json(r.constraints);
    put_rules(o, "duty", r.duties);
    list.push_back(std::move(o));
  }
  out[name] = std::move(list);
}

void put_text(json::object& out, std::string_view name, const std::string& text) {
  if (!text.empty())
    out[name] = text;
}

} // namespace

json::object write_policy(const policy& p) {
  json::object out;
  put_text(out, "@id", p.id);
  put_text(out, "@type", p.type);
  if (p.profiles.size() == 1)
    out["profile"] = p.profiles.front();
  else if (!p.profiles.empty())
    out["profile"] = json::array(p.profiles.begin(), p.profiles.end());
  put_text(out, "target", p.target);
  put_text(out, "assigner", p.assigner);
  put_text(out, "assignee", p.assignee);
  put_text(out, "timestamp", p.timestamp);
  put_rules(out, "permission", p.permissions);
  put_rules(out, "prohibition", p.prohibitions);
  put_rules(out, "obligation", p.obligations);
  return out;
}

} // namespace fondaco::odrl
