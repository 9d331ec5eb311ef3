#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "cells/services.hpp"
#include "gateway/http.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::data_plane {

/// What of a pull may reach the source, if the source's address allows it.
struct pull_request {
  /// GET or HEAD.
  std::string method = "GET";
  /// The path behind the flow's own, without a leading slash.
  std::string rest;
  std::string query;
};

/// The response to a pull, its body streamed from the source that the address names: `HttpData` (`baseUrl`, `path`,
/// `queryParams`, `contentType`, `authKey`, `authCode`, `header:<name>`, `proxyPath`, `proxyQueryParams`) or `File`
/// (`path` below one of the node's file roots). Memory is bounded by one buffer. `ended` breaks the body off.
actors::task<gateway::response> open_source(cells::cell_services& s, tenant owner, json::object address,
                                            pull_request pull, std::shared_ptr<std::atomic<bool>> ended);

/// An error body as EDC's data plane has it: `{"errors":[...]}`.
gateway::response pull_error(int status, std::string_view why);

} // namespace fondaco::data_plane
