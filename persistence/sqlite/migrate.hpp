#pragma once

#include <expected>
#include <string>

#include "persistence/sqlite/connection.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::persistence::sqlite {

/// A failure of a connection as a fault that an operator can act on.
fault fault_of(const failure& f);

/// Brings the schema up to date in one transaction that holds the write lock: of two at once, the second finds nothing
/// to do. Faults: `schema_newer`, `store_unavailable`.
std::expected<void, fault> migrate(connection& c);

/// What `migrate` would do to this file, which need not exist; changes nothing and makes no file.
std::expected<std::string, fault> plan(const std::string& url);

} // namespace fondaco::persistence::sqlite
