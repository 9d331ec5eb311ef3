#pragma once

#include <map>
#include <string>

#include "protocols/base/time.hpp"
#include "protocols/json/json.hpp"
#include "tools/fondaco/operator_client.hpp"

namespace fondaco::tools {

/// The samples of a metrics page, by name with its labels as they stand there.
using metric_samples = std::map<std::string, double>;

/// Reads a page in Prometheus' text format.
metric_samples read_metrics(const std::string& page);

/// What happens on a node between two pages: `rates` a second, `append_ms` (the p50 and p99 of appends), `queues` that
/// have something waiting, `entities_live`, `letters_waiting`, and the `slowest` entities: those that wait longest.
json::object top_view(const metric_samples& before, const metric_samples& after, double seconds,
                      const json::array& entities, timepoint now);

/// Shows it every so many seconds, or once; gives a `ctl_exit`.
int run_top(operator_client& node, const ctl_options& options);

} // namespace fondaco::tools
