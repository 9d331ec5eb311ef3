#pragma once

#include <cstdint>
#include <string>

#include "protocols/base/time.hpp"

/// What the doctor asks the network and the operating system; every wait has a deadline but that of the resolver, which
/// has its own.
namespace fondaco::tools::net {

/// What an attempt to listen found.
enum class bind_result : uint8_t {
  /// Nobody listens there, and this user may.
  free,
  /// Somebody does.
  taken,
  /// No interface has this address.
  no_such_address,
  /// This user may not: a port below 1024, a folder that is not its own.
  not_allowed,
  /// Neither ADDRESS:PORT nor unix:/path.
  malformed,
};

/// Tries to listen on `ADDRESS:PORT` or `unix:/path` as a node would, and lets go at once.
bind_result try_bind(const std::string& bind);

/// True if a connection to `ADDRESS:PORT` or `unix:/path` on this machine is taken.
bool somebody_listens(const std::string& bind);

/// A host's addresses.
struct resolved {
  /// Separated by commas; empty if it has none.
  std::string addresses;
  /// True if one of them is loopback, link-local or private.
  bool any_private = false;
};

/// A host name's or address's addresses.
resolved resolve(const std::string& host);

/// Empty if one of these NATS servers (`nats://host:port`, separated by commas) greets in time; else why not.
std::string nats_greets(const std::string& urls, milliseconds within);

/// A URL without user and password, to be shown.
std::string without_credentials(const std::string& urls);

} // namespace fondaco::tools::net
