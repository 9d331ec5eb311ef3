#pragma once

#include <expected>

#include "persistence/store.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::tools {

/// Puts each message of a negotiation or transfer that a restored store is about to send into question: it may have
/// been taken after the backup, so the counterparty is asked for its state before anything is sent again. Left alone
/// are first messages, which there is no state to ask for (their repeat is recognised by its id), and terminations,
/// after which nothing can go wrong. Gives how many it was.
std::expected<int64_t, fault> question_messages(const persistence::store_options& options, uint32_t shards,
                                                timepoint now);

} // namespace fondaco::tools
