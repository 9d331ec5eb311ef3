#pragma once

#include <expected>
#include <string>

#include "protocols/base/fault.hpp"

namespace fondaco::tools {

/// The secret in a file, without white space around it; refused if the group or others can read the file, or if it
/// holds fewer than 32 bytes.
std::expected<std::string, fault> read_secret_file(const std::string& path);

} // namespace fondaco::tools
