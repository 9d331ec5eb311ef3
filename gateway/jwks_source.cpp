#include "gateway/jwks_source.hpp"

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "actors/ports/log.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::gateway {
namespace {

using keys_result = std::expected<jwks_source::keys, jwks_errc>;
using waiter = std::function<void(keys_result)>;

bool holds(const jose::key_set& set, const std::optional<std::string>& kid) {
  return !kid || std::ranges::any_of(set.keys, [&](const jose::public_key& k) { return k.kid() == kid; });
}

/// The keys of an answer, or a sentence that says why there are none.
std::expected<jwks_source::keys, std::string> read_answer(const actors::http_result& result) {
  if (!result)
    return std::unexpected(std::string(actors::name_of(result.error())));
  if (result->status != 200)
    return std::unexpected("the answer's status is " + std::to_string(result->status));
  const auto text = json::parse(result->body);
  if (!text)
    return std::unexpected(text.error().detail);
  auto set = jose::import_jwks(*text);
  if (!set)
    return std::unexpected(set.error().detail);
  if (set->keys.empty())
    return std::unexpected("the JWK set has no usable key");
  return std::make_shared<const jose::key_set>(std::move(*set));
}

} // namespace

struct jwks_source::state : std::enable_shared_from_this<state> {
  state(jwks_options o, parts p) : options(std::move(o)), on(p) {}

  bool fresh(timepoint now) const { return held && now < fetched_at + options.cache_validity_ms; }

  keys_result usable(timepoint now) const {
    if (held && now < fetched_at + options.cache_validity_ms + limits::jwks_stale_max_ms)
      return held;
    return std::unexpected(jwks_errc::unavailable);
  }

  /// The answer, if no fetch can or need change it.
  std::optional<keys_result> at_once(const std::optional<std::string>& kid) {
    const std::lock_guard lock(mutex);
    const auto now = on.clock.now();
    if (fresh(now) && holds(*held, kid))
      return held;
    if (fetching)
      return std::nullopt;
    if (attempted_at && now < *attempted_at + limits::jwks_refetch_min_ms)
      return usable(now);
    return std::nullopt;
  }

  /// Waits for the fetch under way, or begins one.
  void join(waiter w) {
    bool begin = false;
    bool full = false;
    {
      const std::lock_guard lock(mutex);
      full = waiting.size() >= limits::jwks_waiters_max;
      if (!full)
        waiting.push_back(std::move(w));
      begin = !full && !fetching;
      if (begin) {
        fetching = true;
        attempted_at = on.clock.now();
      }
    }
    if (full)
      w(std::unexpected(jwks_errc::overloaded));
    if (begin)
      fetch();
  }

  // The exchange may answer before it returns: never called with the lock held.
  void fetch() {
    actors::http_call call;
    call.url = options.url;
    call.headers.emplace_back("accept", "application/jwk-set+json, application/json");
    call.timeout_ms = limits::jwks_timeout_ms;
    call.answer_bytes_max = limits::jwks_bytes_max;
    on.http.send(std::move(call), [self = shared_from_this()](actors::http_result r) { self->finish(r); });
  }

  void finish(const actors::http_result& result) {
    auto read = read_answer(result);
    on.counts.add("fondaco_jwks_fetches_total", {read ? "done" : "failed"});
    if (!read)
      write_log({severity::warning,
                 "gateway",
                 log_category::audit,
                 "An issuer's keys could not be fetched.",
                 {{"url", options.url}, {"reason", read.error()}}});
    std::vector<waiter> told;
    keys_result answer = std::unexpected(jwks_errc::unavailable);
    {
      const std::lock_guard lock(mutex);
      const auto now = on.clock.now();
      if (read) {
        held = std::move(*read);
        fetched_at = now;
      }
      fetching = false;
      answer = usable(now);
      told.swap(waiting);
    }
    for (auto& w : told)
      w(answer);
  }

  const jwks_options options;
  const parts on;
  std::mutex mutex;
  keys held;
  timepoint fetched_at;
  std::optional<timepoint> attempted_at;
  bool fetching = false;
  std::vector<waiter> waiting;
};

jwks_source::jwks_source(jwks_options options, parts on) : state_(std::make_shared<state>(std::move(options), on)) {}

actors::task<keys_result> jwks_source::keys_for(std::optional<std::string> kid) {
  const auto s = state_;
  if (auto known = s->at_once(kid))
    co_return std::move(*known);
  actors::callback_awaiter<keys_result> fetched(s->on.on, [s](waiter done) { s->join(std::move(done)); });
  co_return co_await fetched;
}

} // namespace fondaco::gateway
