#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/crew.hpp"
#include "sim/data_plane.hpp"
#include "sim/process.hpp"

namespace fondaco::sim {

/// A group of one or two nodes over one database, with a data plane: what is reached at one address.
class group {
public:
  group(std::string name, timeline& time, record& notes, ledger& book, network& wires, persistence::vault& vault,
        const weather& w, chance luck);

  /// The process that answers a request that comes now; null if none does.
  process* receiver();
  /// Brings a node's process up, which tries to take the shards until it can.
  void bring_up(const std::string& node);
  /// Lets time pass: processes look at the clock, frozen ones thaw, those that lost their shards end.
  void look();
  /// With probability by the weather: kills, freezes or drains a process.
  void strike();
  /// From now on nothing goes wrong, and every node is up.
  void calm();
  void trouble(bool on);

  /// Pieces of work of the processes that do not stand still, and doing one.
  size_t ready() const;
  void step(size_t which);

  const std::string& name() const { return house_.group; }
  const std::string& url() const { return house_.url; }
  std::string plane_url() const { return "https://plane." + name() + ".example"; }
  group_store& store() { return store_; }
  data_plane& plane() { return plane_; }
  post_office& office() { return office_; }
  const crew& agents() const { return crew_; }

private:
  void end(process& p, bool in_order, milliseconds back_after);
  bool stands(const process& p) const { return p.frozen_until > time_.now(); }

  timeline& time_;
  record& notes_;
  const weather& weather_;
  chance luck_;
  group_store store_;
  post_office office_;
  crew crew_;
  house house_;
  data_plane plane_;
  std::vector<std::unique_ptr<process>> processes_;
  unsigned born_ = 0;
  bool trouble_ = false;
};

} // namespace fondaco::sim
