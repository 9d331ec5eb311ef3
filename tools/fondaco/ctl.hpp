#pragma once

#include <string>
#include <vector>

namespace fondaco::tools {

/// How `fondaco ctl` reaches a node and prints.
struct ctl_options {
  /// `unix:/path` of the operator socket, or the https (or loopback http) URL of the management listener.
  std::string at = "unix:fondaco.sock";
  /// For a URL: the OAuth2 client and the file with its secret; the client needs the scope `operator:read`,
  /// `operator:write` for what acts (`redrive`), `operator:admin` for what shows business data (`history --export`).
  std::string client_id;
  std::string secret_file;
  std::string ca_file;
  bool json = false;
  /// With `redrive`: every dead letter.
  bool all = false;
  /// With `history`: the file that gets the events with their payloads; empty for none.
  std::string export_file;
  /// With `top`: how often it looks, and whether it ends after one picture.
  double every_seconds = 2;
  bool once = false;
};

/// Exit codes of `fondaco ctl`.
enum ctl_exit : int {
  /// The answer is on standard output.
  ctl_ok = 0,
  /// The node answered that it has no such thing.
  ctl_not_found = 1,
  /// The command line is wrong.
  ctl_usage = 2,
  /// The node cannot be reached or did not answer in time.
  ctl_unreachable = 3,
  /// The node refused the caller.
  ctl_refused = 4,
};

/// Runs a verb (ps, tree, routes, dead-letters, redrive, show, history, why, watch, top) with its arguments; data goes
/// to standard output, talk to standard error.
int run_ctl(const ctl_options& options, const std::string& verb, const std::vector<std::string>& arguments);

} // namespace fondaco::tools
