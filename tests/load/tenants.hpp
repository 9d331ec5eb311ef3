#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "e2e/world.hpp"

namespace fondaco::load {

/// How many participants provide in a load, and as many consume.
inline constexpr size_t pairs = 4;
/// The size of the file that a transfer pulls.
inline constexpr size_t data_bytes = 256 * 1024;
inline constexpr const char* offered_asset = "dataset-1";

/// Two real nodes: the providers are on one, the consumers on the other; each consumer and each provider know each
/// other, and each provider offers one file.
class tenants {
public:
  /// `before_start` may still change the nodes' configuration.
  tenants(const std::string& folder, e2e::store_kind kind, size_t pair_count = pairs,
          const std::function<void(e2e::node&)>& before_start = {});

  e2e::node& provider_node() { return provider_; }
  e2e::node& consumer_node() { return consumer_; }
  const std::vector<e2e::organisation>& providers() const { return providers_; }
  const std::vector<e2e::organisation>& consumers() const { return consumers_; }
  /// The SHA-256 of the file that the providers offer.
  const std::string& digest() const { return digest_; }

private:
  void settle();

  std::string files_;
  e2e::node provider_;
  e2e::node consumer_;
  std::vector<e2e::organisation> providers_;
  std::vector<e2e::organisation> consumers_;
  std::string digest_;
};

} // namespace fondaco::load
