#pragma once

#include <memory>

#include "actors/ports/broker.hpp"

namespace fondaco::actors {

/// A broker in this process: a message goes straight to its subject's consumer, and `publish` ends when that is done
/// with it. What is under way at a crash is published again by the entity that owes it. `again` is delivered once more
/// after `again_after_ms`.
std::unique_ptr<broker> make_memory_broker(milliseconds again_after_ms = milliseconds(200));

} // namespace fondaco::actors
