#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "protocols/base/ids.hpp"

namespace fondaco::data_plane {

/// The pulls of this node that are under way, by flow: bounds them, and ends them when their flow ends. Two tenants may
/// have flows of one id.
class pull_gate {
public:
  using flag = std::shared_ptr<std::atomic<bool>>;

  /// A place for one more pull of the flow, as the flag that tells it to end; null if `most` are under way. The place
  /// is free again when the last holder of the flag lets it go.
  flag enter(const tenant& owner, const std::string& flow, size_t most) {
    std::scoped_lock lock(mutex_);
    auto& open = pulls_[{owner.id(), flow}];
    std::erase_if(open, [](const auto& pull) { return pull.expired(); });
    if (open.size() >= most)
      return nullptr;
    auto mine = std::make_shared<std::atomic<bool>>(false);
    open.push_back(mine);
    return mine;
  }

  /// Ends the pulls of a flow.
  void end(const tenant& owner, const std::string& flow) {
    std::scoped_lock lock(mutex_);
    auto found = pulls_.find({owner.id(), flow});
    if (found == pulls_.end())
      return;
    for (auto& pull : found->second)
      if (auto flag = pull.lock())
        flag->store(true);
    pulls_.erase(found);
  }

private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::vector<std::weak_ptr<std::atomic<bool>>>> pulls_;
};

/// The gate of this process.
pull_gate& process_pull_gate();

} // namespace fondaco::data_plane
