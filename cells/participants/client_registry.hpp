#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "cells/services.hpp"
#include "gateway/api_client.hpp"

namespace fondaco::cells {

/// How long and how many API clients are kept in memory.
struct client_cache_limits {
  /// A client that was removed, disabled or rotated is taken as it was for this long at most.
  milliseconds age_max_ms{3000};
  /// The most clients; the one that was read longest ago goes first.
  size_t clients_max = 1024;
};

/// Where the token endpoint finds API clients: first those that the configuration names, then the ones that
/// administrators made (documents `api_client` of `node_tenant`). Unknown ids are not remembered, so that a new client
/// is found at once. Lives once per node; any thread may call.
class client_registry final : public gateway::api_client_registry {
public:
  /// A registry over the services, which are asked for at the first look-up.
  client_registry(services_ref services, gateway::static_registry configured, client_cache_limits limits = {});
  actors::task<std::expected<std::optional<gateway::api_client>, fault>> find(std::string client_id) override;

private:
  struct entry {
    gateway::api_client client;
    timepoint read_at;
  };
  std::optional<gateway::api_client> cached(const std::string& client_id, timepoint now);
  void keep(const gateway::api_client& client, timepoint now);

  services_ref services_;
  gateway::static_registry configured_;
  client_cache_limits limits_;
  std::mutex mutex_;
  std::map<std::string, entry> entries_;
  std::deque<std::pair<std::string, timepoint>> order_; // as read; an id that was read again is there once more
};

} // namespace fondaco::cells
