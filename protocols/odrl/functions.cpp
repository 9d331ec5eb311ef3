#include <algorithm>

#include "protocols/odrl/policy.hpp"

namespace fondaco::odrl {

void policy_functions::bind(std::string left_operand, policy_function f) {
  exact_.insert_or_assign(std::move(left_operand), std::move(f));
}

void policy_functions::bind_prefix(std::string prefix, std::function<policy_function(std::string_view)> make) {
  prefixes_.emplace_back(std::move(prefix), std::move(make));
}

void policy_functions::allow_action(std::string action) { actions_.push_back(std::move(action)); }

void policy_functions::bind_pattern(std::function<policy_function(std::string_view)> make) {
  patterns_.push_back(std::move(make));
}

policy_function policy_functions::find(std::string_view left_operand) const {
  if (auto exact = exact_.find(left_operand); exact != exact_.end())
    return exact->second;
  for (const auto& [prefix, make] : prefixes_)
    if (left_operand.size() > prefix.size() && left_operand.starts_with(prefix))
      return make(left_operand.substr(prefix.size()));
  for (const auto& make : patterns_)
    if (auto found = make(left_operand))
      return found;
  return {};
}

bool policy_functions::knows_action(std::string_view action) const {
  return std::ranges::find(actions_, action) != actions_.end();
}

} // namespace fondaco::odrl
