#pragma once

#include <cstddef>
#include <string_view>

namespace fondaco {

/// The longest beginning of a UTF-8 text that has at most so many bytes and ends at a character's border: a text that
/// is cut elsewhere is no UTF-8, which neither JSON nor PostgreSQL takes.
std::string_view cut_utf8(std::string_view text, size_t bytes_max) noexcept;

} // namespace fondaco
