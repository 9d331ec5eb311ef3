#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/json/json.hpp"
#include "protocols/vc/credential.hpp"

/// What the readers of this folder share.
namespace fondaco::vc {

/// A fault of this folder.
fault make_fault(vc_errc e, std::string detail);
/// The member's texts: an array's strings, or the one string; others are left out.
std::vector<std::string> texts_at(const json::object& o, std::string_view name);

} // namespace fondaco::vc
