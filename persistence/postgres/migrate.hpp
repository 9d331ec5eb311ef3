#pragma once

#include <expected>
#include <string>

#include "persistence/postgres/connection.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::persistence {

namespace limits {
/// How long a migration may take, and how long it waits for another one to end.
inline constexpr milliseconds postgres_migration_timeout{60'000};
} // namespace limits

namespace postgres {

/// A failure of a connection as a fault that an operator can act on.
fault fault_of(const failure& f);

/// Brings the schema up to date in one transaction under an advisory lock: of two at once, the second waits and finds
/// nothing to do. Faults: `schema_newer`, `store_unavailable`.
std::expected<void, fault> migrate(connection& c);

/// What `migrate` would do; changes nothing.
std::expected<std::string, fault> plan(connection& c);

} // namespace postgres
} // namespace fondaco::persistence
