#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "e2e/process.hpp"
#include "e2e/store.hpp"

namespace fondaco::e2e {

/// An API client that a node's configuration names.
struct api_client {
  std::string id;
  std::string role;
  std::string participant;
  std::vector<std::string> scopes;
};

/// What a test wants of a node besides the usual.
struct node_options {
  std::string name;
  store_kind kind = store_kind::sqlite;
  std::vector<std::string> file_roots;
  /// Besides `admin`, whose role is admin, and `operator`, `keeper`
  /// and `archivist`, whose role is operator: they look, act, and see business data.
  std::vector<api_client> clients;
  std::string log_level = "info";
  /// Where the keys of the issuer of `fixed_tokens.hpp` are; empty: it is not trusted.
  std::string jwks_url;
  /// 64 hexadecimal digits each; random if empty.
  std::string key;
  std::string admin_secret;
  /// A TOML list; all of them if empty.
  std::string roles;
  /// What `admin` may besides the Management API.
  std::vector<std::string> admin_scopes;
  /// The dataspace profiles as TOML; the closed one if empty.
  std::string profiles;
};

/// The real binary as a process of its own: a folder with configuration, keys, database and log, on free loopback
/// ports.
class node {
public:
  node(node_options o, const std::string& folder);
  ~node();
  node(const node&) = delete;

  /// Adds TOML to the configuration; before `start`.
  void configure(const std::string& toml) const;
  /// Starts the process and waits until it says `ready`.
  void start(milliseconds within = milliseconds(30'000));
  /// From its next start on the process is started by these words, the node's own after them; empty: by itself.
  void launch_by(std::vector<std::string> words) { launcher_ = std::move(words); }
  /// True if the process ended by itself, or by a signal that was not ours to send.
  bool died() const;
  /// SIGTERM; gives the exit code.
  int stop();
  /// SIGKILL.
  void kill();
  bool running() const { return process_.running(); }
  pid_t pid() const { return process_.pid(); }

  const std::string& name() const { return options_.name; }
  const std::string& folder() const { return folder_; }
  /// `http://127.0.0.1:<port>` of a listener.
  std::string url(const std::string& listener) const;
  int port(const std::string& listener) const { return ports_.at(listener); }
  std::string config_file() const { return folder_ + "/fondaco.toml"; }
  std::string socket() const { return "unix:" + folder_ + "/fondaco.sock"; }
  const store& database() const { return *store_; }
  const std::string& key() const { return options_.key; }
  /// The secret of an API client, and the file that holds it.
  const std::string& secret(const std::string& client) const { return secrets_.at(client); }
  std::string secret_file(const std::string& client) const { return folder_ + "/" + client + ".secret"; }
  /// All that it logged so far.
  std::string log() const;
  /// Runs `fondaco ctl` on its operator socket.
  ended ctl(std::vector<std::string> words) const;
  /// For a failure's report: what it logged last, and what `ctl ps` says.
  std::string report() const;

  /// All nodes that exist now.
  static const std::vector<node*>& all();

private:
  std::string config_text() const;

  node_options options_;
  std::vector<std::string> launcher_;
  std::string folder_;
  std::unique_ptr<store> store_;
  std::map<std::string, int> ports_;
  std::map<std::string, std::string> secrets_;
  child process_;
};

/// The program under test: FONDACO_BINARY, or the release build's.
const std::string& binary();

/// A loopback port that was free a moment ago.
int free_port();

} // namespace fondaco::e2e
