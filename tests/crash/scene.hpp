#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crash/flow.hpp"
#include "crash/victim.hpp"

namespace fondaco::crash {

/// Nodes, what is played on them again and again, and the one of them that dies while it is.
class scene {
public:
  virtual ~scene() = default;
  virtual victim& dying() = 0;
  /// Plays once, beside the kill, under a name that no other play has. Fails if the play does not come to its end, or
  /// if not each effect came once; gives what else has to be as in every other play.
  virtual traces play(const std::string& name) = 0;
};

/// A sort of scenes: what is played, and the names of the nodes that can die.
struct sort_of_scene {
  const char* name;
  std::vector<const char*> nodes;
  std::unique_ptr<scene> (*make)(const std::string& folder, e2e::store_kind kind, const std::string& dying);
};

/// DSP and DPS between two nodes: a negotiation, a transfer, the pull of a file, the end of the transfer.
std::unique_ptr<scene> make_transfer_scene(const std::string& folder, e2e::store_kind kind, const std::string& dying);
/// The CFM and DCP on four nodes: a tenant is deployed and gets its credential, and is disposed of; the rows of all
/// stores are counted after both.
std::unique_ptr<scene> make_tenancy_scene(const std::string& folder, e2e::store_kind kind, const std::string& dying);

/// All sorts.
inline const std::vector<sort_of_scene>& sorts_of_scenes() {
  static const std::vector<sort_of_scene> all{
      {"transfer", {"provider", "consumer"}, make_transfer_scene},
      {"tenancy", {"cfm", "control", "credentials", "data"}, make_tenancy_scene},
  };
  return all;
}

} // namespace fondaco::crash
