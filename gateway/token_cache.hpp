#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "gateway/claims.hpp"

namespace fondaco::gateway {

/// Verified tokens by their SHA-256: bounded, the one not used for longest gives way. Any thread may call.
class token_cache {
public:
  /// What is remembered of a token.
  struct entry {
    token_claims claims;
    /// Which trusted issuer it came from.
    size_t issuer = 0;
    /// From this moment the token has to be verified again.
    timepoint until;
  };

  /// A cache of so many tokens.
  explicit token_cache(size_t entries_max) : entries_max_(entries_max) {}

  /// What is known of the token with this digest; nothing if it is unknown or its time is over.
  std::optional<entry> find(const std::string& digest, timepoint now);
  /// Remembers a token.
  void put(std::string digest, entry e);
  /// How many tokens are remembered.
  size_t size();

private:
  using rows = std::list<std::pair<std::string, entry>>;
  const size_t entries_max_;
  std::mutex mutex_;
  rows by_use_;
  std::unordered_map<std::string, rows::iterator> by_digest_;
};

} // namespace fondaco::gateway
