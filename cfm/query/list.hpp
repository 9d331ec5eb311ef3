#pragma once

#include <string>

#include "cfm/query/predicate.hpp"
#include "cfm/services.hpp"
#include "planes/api/records.hpp"

namespace fondaco::cfm {

namespace limits {
/// The most things that one query looks at; with more of them it is refused (503) rather than answered in part.
inline constexpr size_t query_scanned_max = 100'000;
/// The largest page.
inline constexpr int64_t query_limit_max = 10'000;
} // namespace limits

/// What an answer shows of a stored thing.
using show_stored = json::object (*)(const json::object& stored);

/// Answers `POST .../query` over entities of a kind: the body's predicate, offset and limit; the paging headers of the
/// CFM (reference, section 4.3). `path` is the list's path in Link headers, as `/tenants/query`.
actors::task<gateway::response> query_rows(cfm_services& s, planes::api::request_ptr r, std::string kind,
                                           std::string path, show_stored show);

/// The same over documents (records) of a kind.
actors::task<gateway::response> query_records(cfm_services& s, planes::api::request_ptr r, std::string kind,
                                              std::string path, show_stored show);

/// Answers a GET of a list of documents with the query parameters `offset` and `limit`.
actors::task<gateway::response> list_records(cfm_services& s, planes::api::request_ptr r, std::string kind,
                                             std::string path, show_stored show);

} // namespace fondaco::cfm
