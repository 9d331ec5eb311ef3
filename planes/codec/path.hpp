#pragma once

#include <string>
#include <string_view>

namespace fondaco::planes {

/// An id as one segment of a URL's path: all but unreserved characters and `:` percent-encoded (RFC 3986, section 3.3).
std::string path_segment(std::string_view id);

} // namespace fondaco::planes
