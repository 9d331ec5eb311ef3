#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fondaco::tools {

/// Tells the service manager what state the process is in: one datagram to the unix socket, as sd_notify(3) has it. A
/// leading '@' names an abstract socket. False if nobody listens there or the name is empty: to a node that is no
/// fault.
bool notify_supervisor(const std::string& socket, std::string_view state);

/// The socket that the service manager named in $NOTIFY_SOCKET; empty if it named none.
std::string supervisor_socket();

/// `READY=1` with the main process's id.
std::string ready_state(int64_t process_id);

/// `RELOADING=1` with the moment on the monotonic clock in microseconds, which the protocol asks for.
std::string reloading_state();

/// `STOPPING=1`.
std::string stopping_state();

} // namespace fondaco::tools
