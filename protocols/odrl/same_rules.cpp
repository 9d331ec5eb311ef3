#include <algorithm>

#include "protocols/odrl/operators.hpp"
#include "protocols/odrl/policy.hpp"

namespace fondaco::odrl {

namespace {

/// Lists of keys are sorted, so two things that differ in order only have one key.
json::value sorted(std::vector<std::string> keys) {
  std::ranges::sort(keys);
  return json::value(json::array(keys.begin(), keys.end()));
}

std::string operand_key(const json::value& v) {
  if (const auto* list = v.if_array()) {
    // JSON-LD keeps no difference between a value and a list of one, nor an order of values.
    if (list->size() == 1)
      return operand_key(list->front());
    std::vector<std::string> keys;
    for (const auto& item : *list)
      keys.push_back(operand_key(item));
    return "l" + json::write(sorted(std::move(keys)));
  }
  if (const auto* o = v.if_object()) {
    std::vector<std::string> keys;
    for (const auto& m : *o)
      keys.push_back(json::write(json::value(m.key())) + ":" + operand_key(m.value()));
    return "o" + json::write(sorted(std::move(keys)));
  }
  return "s" + scalar_text(v);
}

std::string constraint_key(const constraint& c) {
  json::array key;
  key.push_back(json::value(static_cast<int64_t>(c.form)));
  if (c.form == constraint::shape::atomic) {
    key.push_back(json::value(c.left_operand));
    key.push_back(json::value(c.op));
    key.push_back(json::value(operand_key(c.right_operand)));
  } else {
    std::vector<std::string> children;
    for (const auto& child : c.children)
      children.push_back(constraint_key(child));
    key.push_back(sorted(std::move(children)));
  }
  return json::write(json::value(std::move(key)));
}

json::value rules_key(const std::vector<rule>& rules) {
  std::vector<std::string> keys;
  for (const auto& r : rules) {
    std::vector<std::string> constraints;
    for (const auto& c : r.constraints)
      constraints.push_back(constraint_key(c));
    json::array key;
    key.push_back(json::value(r.action));
    key.push_back(sorted(std::move(constraints)));
    key.push_back(rules_key(r.duties));
    keys.push_back(json::write(json::value(std::move(key))));
  }
  return sorted(std::move(keys));
}

} // namespace

bool same_rules(const policy& a, const policy& b) {
  if (!a.assigner.empty() && !b.assigner.empty() && a.assigner != b.assigner)
    return false;
  return sorted(a.profiles) == sorted(b.profiles) && rules_key(a.permissions) == rules_key(b.permissions) &&
         rules_key(a.prohibitions) == rules_key(b.prohibitions) && rules_key(a.obligations) == rules_key(b.obligations);
}

} // namespace fondaco::odrl
