#pragma once

#include <string>

namespace fondaco::tools {

/// What `fondaco demo` shares, where, and how it talks.
struct demo_options {
  /// The program to start as the nodes: this one.
  std::string program;
  /// A file's path or an http(s) URL.
  std::string data;
  /// An empty folder for configurations, keys, databases and logs.
  std::string folder;
  /// `postgresql://` URLs of empty databases; SQLite files in the folder if empty.
  std::string provider_store;
  std::string consumer_store;
  bool keep = false;
  bool json = false;
};

/// Runs the main job on two nodes as two processes: publish, find, negotiate, transfer, pull, compare; then a second
/// consumer who is refused, and why. Gives 0 if every step went as it should, else 1.
int run_demo(const demo_options& options);

} // namespace fondaco::tools
