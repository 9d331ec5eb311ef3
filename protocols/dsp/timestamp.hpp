#pragma once

#include <string_view>

namespace fondaco::dsp {

/// True for an XSD dateTime as the agreement's schema has it: `-?YYYY-MM-DDThh:mm:ss(.f+)?(Z|+hh:mm|-hh:mm)?`, the
/// fields in range (DSP 2025-1, section 7, Agreement).
bool is_xsd_date_time(std::string_view text) noexcept;

} // namespace fondaco::dsp
