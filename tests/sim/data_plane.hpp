#pragma once

#include <map>
#include <set>
#include <string>

#include "protocols/dps/messages.hpp"
#include "sim/network.hpp"

namespace fondaco::sim {

/// A group's data plane, played: it keeps the state of each flow, answers starts at once or later by a callback, and
/// never fails by itself.
class data_plane {
public:
  data_plane(std::string url, std::string control_url, timeline& time, record& notes, network& wires, const weather& w,
             chance luck)
      : url_(std::move(url)), control_url_(std::move(control_url)), time_(time), notes_(notes), wires_(wires),
        weather_(w), luck_(luck) {}

  bool take(const actors::http_call& call, const reply_to_call& reply);
  /// True if the flow was started after a signal that ended it: nothing orders the two, so nobody knows of it.
  bool started_too_late(const std::string& flow) const { return ended_unknown_.contains(flow); }
  /// STARTED and so on; nothing if there is no such flow.
  std::optional<dps::flow_state> state_of(const std::string& flow) const;
  /// The end of the data: the plane tells its control plane that a flow has completed.
  void complete(const std::string& flow);
  void trouble(bool on) { trouble_ = on; }

private:
  actors::http_answer begin(const std::string& body);
  actors::http_answer move(const std::string& flow, const std::string& verb);
  actors::http_answer status(const std::string& flow, dps::flow_state as) const;
  void call_back(const std::string& flow, dps::flow_signal signal);

  std::string url_, control_url_;
  timeline& time_;
  record& notes_;
  network& wires_;
  const weather& weather_;
  chance luck_;
  bool trouble_ = false;
  std::map<std::string, dps::flow_state> flows_;
  std::set<std::string> ended_unknown_;
};

} // namespace fondaco::sim
