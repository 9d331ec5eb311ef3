#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fondaco::crash {

/// On which side of the moment in which a commit becomes durable a node is killed.
enum class side : uint8_t { before, after };

/// Runs a program as its tracer and ends it with SIGKILL around its n-th call of fdatasync or fsync, counted over all
/// its threads from its start: after it, when the call returns; before it, when the first write to SQLite's log that
/// follows the call before begins, at the latest when the call itself does; at none if `at` is 0. The count so far is
/// always in `count_file`. SIGTERM is passed on; if the tracer dies, so does the program. Gives the program's exit
/// code, 128 and the signal's number if a signal ended it.
int run_and_kill(uint64_t at, side when, const std::string& count_file, const std::vector<std::string>& words);

} // namespace fondaco::crash
