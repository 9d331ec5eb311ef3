#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

namespace fondaco::tools {

/// What a demo's node is beside its listeners.
struct demo_node_options {
  std::string name;
  std::string folder;
  /// Empty for SQLite in the folder.
  std::string store;
  std::vector<std::string> file_roots;
  /// Empty for the two of a closed dataspace.
  std::vector<std::string> roles;
  /// The scopes of the API client `admin`; empty for the Management API's.
  std::vector<std::string> admin_scopes;
  /// The dataspace profile as TOML; empty for a closed one.
  std::string profile;
};

/// A node of the demo: a folder with its configuration, and the process that runs it.
class demo_node {
public:
  /// Writes the folder: key, secret, configuration on free loopback ports. `store` is empty for SQLite.
  demo_node(std::string name, std::string folder, std::string store, std::vector<std::string> file_roots);
  /// The same with more to say; further configuration may follow by `configure`.
  explicit demo_node(demo_node_options o);
  /// Ends the process, unless it was let go.
  ~demo_node();
  demo_node(const demo_node&) = delete;

  /// Starts the process and waits until it says `ready`, 30 seconds at most; else what it said.
  std::expected<void, std::string> start(const std::string& program);
  /// Adds TOML to the configuration; before `start`.
  void configure(const std::string& toml) const;
  /// Ends the process as a power cut does (SIGKILL), and waits until it is gone.
  void crash();
  /// Ends the process in order, and waits until it is gone.
  void stop();
  /// Leaves the process running.
  void let_go() { pid_ = -1; }

  const std::string& name() const { return name_; }
  const std::string& folder() const { return folder_; }
  /// `http://127.0.0.1:<port>` of a listener.
  std::string url(const std::string& listener) const;
  std::string config_file() const { return folder_ + "/fondaco.toml"; }
  std::string socket() const { return "unix:" + folder_ + "/fondaco.sock"; }
  std::string log_file() const { return folder_ + "/node.log"; }
  /// The secret of the API client `admin`.
  const std::string& admin_secret() const { return secret_; }
  int pid() const { return pid_; }

private:
  void write_config(const demo_node_options& o) const;
  void end(int signal);

  std::string name_;
  std::string folder_;
  std::string secret_;
  std::map<std::string, int> ports_;
  int pid_ = -1;
  int out_ = -1;
};

} // namespace fondaco::tools
