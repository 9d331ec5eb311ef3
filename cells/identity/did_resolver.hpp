#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "actors/ports/clock.hpp"
#include "actors/ports/http_exchange.hpp"
#include "actors/ports/task.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/did/document.hpp"

namespace fondaco::identity {

namespace limits {
/// How long a document that could not be had is not asked for again; not longer than a document is taken as it was.
inline constexpr milliseconds failure_cache_ms{1'000};
/// How often the host of one document is asked anew for a `fresh` one.
inline constexpr milliseconds fresh_every_ms{1'000};
/// The bytes of documents that are kept.
inline constexpr size_t resolver_cache_bytes_max = 64u << 20;
} // namespace limits

/// Why a document was not had; besides `did::did_errc`, the codes of the resolver's faults.
enum class resolve_errc : uint8_t {
  /// Its host does not answer, or not now (5xx, 429, 421, 408). Try again later.
  unavailable = 1,
  /// Its host answered something else than the document; redirects are not followed. Its owner must publish it.
  refused,
  /// Its host's address is not allowed. Its owner must use a public one, or the operator may allow private ones.
  address_refused,
  /// The document is too long or not JSON. Its owner must correct it.
  bad_document,
};

/// The enumerator's name in snake_case.
std::string_view name_of(resolve_errc e) noexcept;

/// How DIDs are resolved.
struct resolver_options {
  /// `did:web` over plain http: for closed groups and development.
  bool plain_http = false;
  /// How long a document is taken as it was.
  milliseconds cache_ms{300'000};
  /// The most documents in the cache; the one that was used longest ago goes first.
  size_t cache_documents_max = 10'000;
  milliseconds timeout_ms{5'000};
  /// The most requests that wait for one document.
  size_t waiters_max = 1024;
};

/// Resolves DIDs over the node's HTTP client, which refuses private addresses unless the operator allows them, follows
/// no redirect, and reads at most `did::limits::document_bytes_max`. One fetch a document at a time, whoever asks; a
/// failure is remembered for a second. Any thread may call.
class did_resolver {
public:
  did_resolver(actors::http_exchange& http, actors::executor& edge, actors::clock& clock, resolver_options options);
  ~did_resolver();
  did_resolver(const did_resolver&) = delete;

  /// The document of a DID. `fresh` asks its host even if a cached one is young (a key was not found in it, say), but
  /// not more than once in a second. The fault's detail says what the host answered.
  actors::task<std::expected<did::document, fault>> resolve(std::string did, bool fresh = false);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace fondaco::identity
