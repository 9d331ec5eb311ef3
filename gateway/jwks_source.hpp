#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "actors/ports/clock.hpp"
#include "actors/ports/http_exchange.hpp"
#include "actors/ports/task.hpp"
#include "gateway/metrics.hpp"
#include "protocols/jose/jwk.hpp"

namespace fondaco::gateway {

namespace limits {
/// The shortest time between two fetches of one issuer's keys, whatever the tokens say.
inline constexpr milliseconds jwks_refetch_min_ms{10'000};
/// How long keys stay usable while their issuer cannot be reached.
inline constexpr milliseconds jwks_stale_max_ms{3'600'000};
/// How long a fetch may take.
inline constexpr milliseconds jwks_timeout_ms{5'000};
/// The longest JWK set that is read, in bytes.
inline constexpr size_t jwks_bytes_max = 256u << 10;
/// The most requests that wait for one fetch.
inline constexpr size_t jwks_waiters_max = 1024;
} // namespace limits

/// Where an issuer's keys come from and how long they are good.
struct jwks_options {
  std::string url;
  /// From the fetch on; then the keys are fetched anew.
  milliseconds cache_validity_ms{300'000};
};

/// Why there are no keys; the caller may try again after a moment.
enum class jwks_errc : uint8_t {
  /// The issuer's keys could not be fetched, and none from before are usable.
  unavailable = 1,
  /// Too many requests wait for the fetch that is under way.
  overloaded,
};

/// An issuer's keys, fetched when they are asked for and cached. At most one fetch is under way (who comes meanwhile
/// waits for it) and one is begun in ten seconds, so that a flood of tokens with made-up key ids is no flood of
/// fetches.
class jwks_source {
public:
  using keys = std::shared_ptr<const jose::key_set>;

  /// What a source stands on; everything outlives its last answer.
  struct parts {
    actors::http_exchange& http;
    actors::clock& clock;
    /// Where tasks that waited go on.
    actors::executor& on;
    metrics& counts;
  };

  /// A source that has fetched nothing yet.
  jwks_source(jwks_options options, parts on);

  /// The keys, fetched anew if they are too old or do not hold this `kid`; without success they may still lack it.
  actors::task<std::expected<keys, jwks_errc>> keys_for(std::optional<std::string> kid);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace fondaco::gateway
