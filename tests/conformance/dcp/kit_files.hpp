#pragma once

#include <expected>
#include <string>

#include "conformance/dcp/settings.hpp"

namespace fondaco::conformance::dcp {

/// Writes what the published kit is configured with, a file for each role that it tests: `holder.properties`,
/// `issuer.properties` and `verifier.properties` in this folder. In each file only that role is the node's; the kit
/// plays the other ones (dcp-tck.md, section 3.4). Secrets are in them: only the owner can read them.
std::expected<void, std::string> write_kit_files(const settings& prepared, const std::string& folder);

} // namespace fondaco::conformance::dcp
