#include <algorithm>
#include <map>
#include <set>

#include "cfm/provision_manager/orchestration.hpp"

namespace fondaco::cfm {

namespace {

fault bad(std::string detail) {
  return {std::string(name_of(orchestration_errc::bad_manifest)), std::move(detail), cure::fix_input};
}

} // namespace

std::expected<std::vector<std::vector<std::string>>, fault> steps_of(const std::vector<activity>& activities) {
  if (activities.size() > limits::orchestration_activities_max)
    return std::unexpected(bad("An orchestration has at most 256 activities."));
  std::map<std::string, const activity*> left;
  for (const auto& a : activities)
    if (a.id.empty() || !left.emplace(a.id, &a).second)
      return std::unexpected(bad("Each activity needs an id of its own; '" + a.id + "' is empty or used twice."));
  for (const auto& a : activities)
    for (const auto& d : a.depends_on)
      if (!left.contains(d))
        return std::unexpected(bad("The activity '" + a.id + "' depends on '" + d + "', which is not there."));
  // From the end: what nobody depends on any more goes into the last step, so that each runs as late as it can.
  std::vector<std::vector<std::string>> steps;
  while (!left.empty()) {
    std::set<std::string> needed;
    for (const auto& [id, a] : left)
      needed.insert(a->depends_on.begin(), a->depends_on.end());
    std::vector<std::string> step;
    for (const auto& [id, a] : left)
      if (!needed.contains(id))
        step.push_back(id);
    if (step.empty())
      return std::unexpected(
          bad("The activities depend on each other in a cycle, '" + left.begin()->first + "' among them."));
    for (const auto& id : step)
      left.erase(id);
    steps.push_back(std::move(step));
  }
  std::ranges::reverse(steps);
  return steps;
}

} // namespace fondaco::cfm
