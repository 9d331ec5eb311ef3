#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "protocols/base/fault.hpp"

namespace fondaco::persistence {

namespace limits {
/// How many keys of the `entity` table a journal takes from PostgreSQL's sequence at once.
inline constexpr int64_t entity_keys_block = 1000;
} // namespace limits

namespace schema {

/// The SQL that a script is written in.
enum class dialect : uint8_t { sqlite, postgres };

/// One step of the schema; steps are never changed once released, only followed by others.
struct migration {
  int64_t version = 0;
  /// What it does, in one sentence.
  std::string_view title;
  std::string_view script;
};

/// All steps of a dialect, the oldest first; the last one's version is what this program works with.
std::span<const migration> migrations(dialect d) noexcept;

/// The steps that follow `version`; the fault `schema_newer` if the database is ahead of this program.
std::expected<std::span<const migration>, fault> pending(dialect d, int64_t version);

/// What those steps would do, a line a step, or one line that says that nothing is to be done.
std::string plan_text(std::span<const migration> steps, int64_t version);

} // namespace schema
} // namespace fondaco::persistence
