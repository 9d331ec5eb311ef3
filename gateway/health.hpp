#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/http.hpp"
#include "gateway/metrics.hpp"

namespace fondaco::gateway {

/// Which question a probe answers.
enum class health_aspect : uint8_t {
  /// Is the process alive, or should it be restarted?
  liveness,
  /// May requests be sent to it now?
  readiness,
  /// Has it finished starting?
  startup,
};

/// What is wrong with a component, in a sentence without secrets; nothing while it is healthy. Must not block.
using health_probe = std::function<std::optional<std::string>()>;

/// What the node's parts say about themselves (management API reference, section 7.18); any thread may call.
class health {
public:
  /// Adds a component's answer to a question.
  void add(health_aspect aspect, std::string component, health_probe probe);
  /// 200 if every component is healthy, else 503; the body is EDC's shape. No component at all is not healthy.
  response answer(health_aspect aspect) const;

private:
  struct entry {
    std::string component;
    health_probe probe;
  };
  mutable std::mutex mutex_;
  std::map<health_aspect, std::vector<entry>> entries_;
};

/// One version of an API, as `GET /api/v1/version` lists it.
struct api_version {
  std::string version;
  std::string url_path;
  /// RFC 3339.
  std::string last_updated;
  /// `stable`, `beta` or `alpha`.
  std::string maturity;
};

/// Versions by the name of their context.
using version_map = std::map<std::string, std::vector<api_version>>;

/// The versions that this program serves.
version_map served_versions();

/// Adds `GET /api/check/{health,liveness,readiness,startup}` and `GET /api/v1/version`; no authentication, no business
/// data. `health` gives the same answer as `startup`.
void add_health_routes(router& to, std::shared_ptr<const health> state, version_map versions);

/// Adds `GET /metrics` in Prometheus' text format; `from` must outlive the router.
void add_metrics_route(router& to, metrics& from);

} // namespace fondaco::gateway
