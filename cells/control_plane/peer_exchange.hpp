#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/ports/http_exchange.hpp"
#include "actors/ports/task.hpp"
#include "cells/services.hpp"

namespace fondaco::control_plane {

namespace limits {
/// The longest reason that is taken over from a peer's error, in bytes.
inline constexpr size_t peer_reason_bytes_max = 256;
/// The most reasons that are taken over from a peer's error.
inline constexpr size_t peer_reasons_max = 8;
/// The longest answer that is read of a peer or a data plane, in bytes.
inline constexpr size_t peer_answer_bytes_max = 256u << 10;
} // namespace limits

/// Sends a call and waits for its answer without a thread.
actors::task<actors::http_result> exchange(cells::cell_services& s, actors::http_call call);

/// True if the same call may succeed later: no answer, 408, 421 (while shards move to another node), 429 and 5xx. A
/// refused address and other answers stay.
bool may_pass(const actors::http_result& result);

/// `201`, or why there was no answer, as `not_connected`.
std::string outcome_of(const actors::http_result& result);

/// A sentence on what became of a call that was not taken: who, the status and the reasons of the error body.
std::string failure_text(std::string_view who, std::string_view what, const actors::http_result& result);

/// The texts of an error body's `reason` (or of an error array's `message`, `detail` or `error`), bounded.
std::vector<std::string> error_reasons(std::string_view body);

} // namespace fondaco::control_plane
