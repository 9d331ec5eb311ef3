#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "cfm/messages.hpp"
#include "sim/broker.hpp"

namespace fondaco::sim {

/// A group's activity agents, played, and whoever hears how orchestrations ended. An agent works, answers at once or
/// asks to be run again, falls silent, or fails for good, as the weather wills.
class crew {
public:
  crew(std::string name, timeline& time, record& notes, post_office& office, const weather& w, chance luck);

  void trouble(bool on) { trouble_ = on; }
  /// True if an agent has completed the activity of an orchestration.
  bool completed(const std::string& orchestration, const std::string& activity) const {
    return completed_.contains({orchestration, activity});
  }
  /// What was heard of an orchestration's end: true for a success.
  std::optional<bool> heard(const std::string& orchestration) const;

  /// The types of activities that it runs.
  static constexpr const char* types[] = {"sim-ground", "sim-walls", "sim-roof"};

private:
  void take(const actors::broker_message& m, std::function<void(actors::delivery)> done);
  cfm::activity_result work(const cfm::activity_message& m);
  void hear(const actors::broker_message& m, const std::function<void(actors::delivery)>& done);

  std::string name_;
  timeline& time_;
  record& notes_;
  post_office& office_;
  const weather& weather_;
  chance luck_;
  bool trouble_ = false;
  std::set<std::pair<std::string, std::string>> completed_;
  std::map<std::string, bool> heard_;
};

} // namespace fondaco::sim
