#pragma once

#include <string>

#include "protocols/base/time.hpp"
#include "tools/bench/report.hpp"

namespace fondaco::bench {

/// Events a second of `journal::append` with all tables of an event, as a ratio to a raw group commit of the journal's
/// rows alone, on SQLite files in this folder.
measured<figure> measure_append_sqlite(const std::string& folder, milliseconds length);

/// The same in two scratch databases on one PostgreSQL server.
measured<figure> measure_append_postgres(const std::string& server_url, milliseconds length);

} // namespace fondaco::bench
