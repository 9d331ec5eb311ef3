#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tools/fondaco/config.hpp"

namespace fondaco::tools {

/// A value as TOML has it.
using config_value = std::variant<std::string, int64_t, bool, std::vector<std::string>>;

/// A key with what it does to a configuration: `index` counts the entry of a `[]` table. A returned text says why the
/// value is refused.
struct config_entry {
  config_key key;
  std::function<std::optional<std::string>(config&, size_t index, const config_value&)> apply;
};

/// The table that parser, example and documentation share.
const std::vector<config_entry>& config_entries();

} // namespace fondaco::tools
