#pragma once

#include <string>

namespace fondaco::tools {

/// How `fondaco demo` runs the whole journey.
struct journey_options {
  /// The program to start as the nodes: this one.
  std::string program;
  /// A file's path or an http(s) URL.
  std::string data;
  /// An empty folder for configurations, keys, databases and logs.
  std::string folder;
  /// `postgresql://` URLs of empty databases, one a process and separated by commas; SQLite files in the folder if
  /// empty.
  std::string stores;
  /// `nats://` of a JetStream server for the CFM; in-process messages if empty.
  std::string nats_url;
  /// CFM, control group, credential group and data plane as four processes with a database each.
  bool split = false;
  /// Kill the process with SIGKILL twice on the way, and go on.
  bool crash = false;
  bool keep = false;
  bool json = false;
};

/// Takes two organisations through the six stages (application, verification, provisioning, credential, configuration,
/// participation), refuses a third that has no credential, and disposes of all. Gives 0 if every step went as it
/// should.
int run_journey(const journey_options& options);

} // namespace fondaco::tools
