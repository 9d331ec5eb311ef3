#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "cells/control_plane/offers.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane {

/// The query that a CatalogRequestMessage's filter asks for: null for none, else an array of one QuerySpec (DSP
/// reference, section 6.1); or why it cannot be answered. Sorted by `createdAt` only.
std::expected<catalog_query, std::string> read_catalog_filter(const json::value& filter);

/// The token that stands for a page's query, fit for a URL, and back; nothing if it is none of ours.
std::string write_continuation(const catalog_query& query);
/// The query that a token stands for.
std::optional<catalog_query> read_continuation(std::string_view token);

/// The `Link` header's value for the pages before and after this one (DSP reference, section 6.7); empty for none.
/// `url` is that of the catalog request.
std::string page_links(const std::string& url, const catalog_query& query, bool more);

} // namespace fondaco::control_plane
