#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/ports/clock.hpp"
#include "tools/fondaco/config.hpp"

namespace fondaco::tools {

/// How a check ended.
enum class finding_state : uint8_t { ok, warn, fail };

/// What one check found.
struct finding {
  /// What was looked at, as `store` or `listener protocol`.
  std::string check;
  finding_state state = finding_state::ok;
  /// A sentence about it; never holds a secret.
  std::string detail;
  /// For a warning or a failure: what to do.
  std::string cure;
};

namespace limits {
/// How far the clocks of node and database may be apart before it is worth a word, and before tokens and leases suffer.
inline constexpr milliseconds clock_skew_warn{1'000};
inline constexpr milliseconds clock_skew_max{10'000};
/// How long before its end a certificate is worth a word.
inline constexpr std::chrono::days certificate_warn{21};
/// How long a NATS server may take to greet.
inline constexpr milliseconds greeting_timeout{3'000};
} // namespace limits

/// The checks of the machine around a configuration; each may be asked alone. Nothing is changed, but that a database
/// whose schema is there and that no node has used yet learns its key-encryption key, as at a node's first start.
std::vector<finding> check_secrets(const config& c);
/// The database: reachable, schema, vault, clock.
std::vector<finding> check_store(const config& c, const actors::clock& clock);
/// The ports and sockets of the listeners that the roles need: free, or this node's own.
std::vector<finding> check_listeners(const config& c);
/// The hosts of the node's public URLs have addresses.
std::vector<finding> check_hosts(const config& c);
/// The TLS files can be read, belong together and are in their time.
std::vector<finding> check_tls(const config& c, const actors::clock& clock);
/// The broker greets, and the trusted issuers' DIDs are well formed.
std::vector<finding> check_partners(const config& c);

/// Two clocks' difference as a finding.
finding clock_finding(milliseconds apart);

/// The findings, a line each with a line for the cure; or one JSON object.
std::string findings_text(const std::vector<finding>& findings, bool json);

/// `fondaco doctor`: every check of a configuration file; 0 if none failed, 1 otherwise.
int run_doctor(const std::string& config_file, bool json);

} // namespace fondaco::tools
