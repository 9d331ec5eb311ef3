#pragma once

#include <expected>
#include <string>

#include "actors/ports/clock.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::tools {

/// What `fondaco init` makes a node from.
struct init_options {
  /// Where configuration, keys and certificates go; made if it is missing.
  std::string folder;
  /// Where the SQLite file and the operator's socket go; the folder itself if it is empty.
  std::string data;
  /// The node's name in its group.
  std::string name = "node-1";
  /// The DNS name or address under which peers reach the node. On this machine only (`localhost`) it listens on
  /// loopback and may call private addresses; otherwise it listens on every interface.
  std::string host = "localhost";
  /// A store URL; a SQLite file in the data folder if it is empty.
  std::string store;
};

/// The configuration for these options, as TOML that the parser takes: every key with its meaning, those that need no
/// word of the operator commented out with their defaults. The paths in it are absolute.
std::string initial_config(const init_options& options);

/// Writes `fondaco.toml`, `fondaco.key`, `ca.pem`, `ca.key`, `server.crt`, `server.key` and `admin.secret`, all but the
/// certificates for their owner alone, and gives the admin client's secret. A folder that holds one of them is refused
/// and left as it is; what was written is taken away again if a later file cannot be.
std::expected<std::string, fault> init_node(const init_options& options, const actors::clock& clock,
                                            actors::random_source& random);

/// `fondaco init`: as `init_node`, and says what to do next; the exit code.
int run_init(init_options options);

} // namespace fondaco::tools
