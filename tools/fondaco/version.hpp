#pragma once

#include <string>

namespace fondaco::tools {

/// What `fondaco version` prints: the program's version, the git revision that it was built from (`unknown` outside a
/// clone), the database schema and the format of journaled events that it works with, the APIs that it serves; a line
/// each, or one JSON object.
std::string version_text(bool json);

} // namespace fondaco::tools
