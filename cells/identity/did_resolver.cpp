#include "cells/identity/did_resolver.hpp"

#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "protocols/base/time.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::identity {

namespace {

using resolved = std::expected<did::document, fault>;

/// What one who asked is told.
struct told {
  resolved result;
  /// True if the host had been asked before, for somebody else.
  bool joined = false;
};
using answer_fn = std::function<void(told)>;

fault for_now(std::string detail) {
  return {std::string(name_of(resolve_errc::unavailable)), std::move(detail), cure::retry};
}

fault refused(resolve_errc code, std::string detail) {
  return {std::string(name_of(code)), std::move(detail), cure::fix_input};
}

std::string too_long() {
  return "the document has more than " + std::to_string(did::limits::document_bytes_max) + " bytes";
}

fault no_exchange(actors::exchange_errc why, milliseconds timeout) {
  using enum actors::exchange_errc;
  switch (why) {
  case not_connected: return for_now("its host cannot be reached");
  case no_answer: return for_now("no answer within " + std::to_string(timeout.count()) + " ms");
  case bad_answer: return refused(resolve_errc::bad_document, too_long() + ", or its host does not speak HTTP");
  case address_refused: return refused(resolve_errc::address_refused, "the address is not allowed");
  case overloaded: return for_now("too many exchanges are under way at this node");
  }
  return for_now("its host cannot be reached");
}

fault bad_status(int status) {
  const auto said = "its host answered " + std::to_string(status);
  if (status >= 300 && status < 400)
    return refused(resolve_errc::refused, said + ", and redirects are not followed");
  if (status >= 500 || status == 429 || status == 421 || status == 408)
    return for_now(said);
  return refused(resolve_errc::refused, said);
}

resolved read_answer(const actors::http_result& got, const std::string& did, milliseconds timeout) {
  if (!got)
    return std::unexpected(no_exchange(got.error(), timeout));
  if (got->status < 200 || got->status >= 300)
    return std::unexpected(bad_status(got->status));
  if (got->body.size() > did::limits::document_bytes_max)
    return std::unexpected(refused(resolve_errc::bad_document, too_long()));
  const auto body = json::parse(got->body);
  if (!body)
    return std::unexpected(refused(resolve_errc::bad_document, "the document is not JSON: " + body.error().detail));
  return did::read_document(*body, did);
}

} // namespace

std::string_view name_of(resolve_errc e) noexcept {
  switch (e) {
  case resolve_errc::unavailable: return "unavailable";
  case resolve_errc::refused: return "refused";
  case resolve_errc::address_refused: return "address_refused";
  case resolve_errc::bad_document: return "bad_document";
  }
  return "unavailable";
}

/// A DID's entry is there for a document, for a failure that is remembered, or for both. What is being fetched is kept
/// apart, so that making room never loses those who wait.
struct did_resolver::impl : std::enable_shared_from_this<did_resolver::impl> {
  struct entry {
    std::optional<did::document> document;
    timepoint fetched_at;
    std::optional<fault> failure;
    timepoint failed_at;
    /// When somebody last had the host asked although a document was known.
    std::optional<timepoint> freshened_at;
    size_t bytes = 0;
    std::list<std::string>::iterator place;
  };

  impl(actors::http_exchange& h, actors::executor& e, actors::clock& c, resolver_options o)
      : http(h), edge(e), clock(c), options(o) {}

  /// What is known without asking.
  std::optional<resolved> known(const std::string& did, bool fresh) {
    const auto now = clock.now();
    std::scoped_lock lock(mutex);
    return known_now(did, fresh, now);
  }

  /// Answers with what is known, or when the fetch that is under way (or is begun here) has ended.
  void wait(const std::string& did, const std::string& url, bool fresh, answer_fn done) {
    const auto now = clock.now();
    std::optional<resolved> already;
    {
      std::scoped_lock lock(mutex);
      already = known_now(did, fresh, now);
      if (!already) {
        const auto [under_way, begun] = fetches.try_emplace(did);
        if (under_way->second.size() >= options.waiters_max) {
          already = std::unexpected(for_now("too many requests wait for it at this node"));
        } else {
          under_way->second.push_back(std::move(done));
          if (!begun)
            return;
          if (const auto known_too = entries.find(did); fresh && known_too != entries.end())
            known_too->second.freshened_at = now;
        }
      }
    }
    if (already)
      return done({std::move(*already), false});
    actors::http_call call;
    call.url = url;
    call.headers = {{"Accept", "application/did+json, application/json"}};
    call.timeout_ms = options.timeout_ms;
    call.answer_bytes_max = did::limits::document_bytes_max + 1;
    http.send(std::move(call), [self = shared_from_this(), did](actors::http_result got) {
      self->finish(did, read_answer(got, did, self->options.timeout_ms), got ? got->body.size() : 0);
    });
  }

private:
  std::optional<resolved> known_now(const std::string& did, bool fresh, timepoint now) {
    const auto found = entries.find(did);
    if (found == entries.end())
      return std::nullopt;
    auto& e = found->second;
    by_use.splice(by_use.end(), by_use, e.place);
    // The bound is on the asking, not on the document's age: a key may have changed right after it was fetched.
    const bool young = now - e.fetched_at < options.cache_ms;
    const bool asked = e.freshened_at && now - *e.freshened_at < limits::fresh_every_ms;
    const bool failed = e.failure && now - e.failed_at < std::min(limits::failure_cache_ms, options.cache_ms);
    if (e.document && young && (!fresh || (asked && !failed)))
      return *e.document;
    if (failed)
      return std::unexpected(*e.failure);
    return std::nullopt;
  }

  void finish(const std::string& did, resolved result, size_t bytes) {
    const auto now = clock.now();
    std::vector<answer_fn> waiting;
    {
      std::scoped_lock lock(mutex);
      keep(did, result, bytes, now);
      if (const auto under_way = fetches.find(did); under_way != fetches.end()) {
        waiting = std::move(under_way->second);
        fetches.erase(under_way);
      }
    }
    for (size_t i = 0; i < waiting.size(); ++i)
      waiting[i]({result, i > 0});
  }

  void keep(const std::string& did, const resolved& result, size_t bytes, timepoint now) {
    auto [at, made] = entries.try_emplace(did);
    auto& e = at->second;
    if (made)
      e.place = by_use.insert(by_use.end(), did);
    else
      by_use.splice(by_use.end(), by_use, e.place);
    if (result) {
      e.document = *result;
      e.fetched_at = now;
      e.failure.reset();
      bytes_kept = bytes_kept - e.bytes + bytes;
      e.bytes = bytes;
    } else {
      e.failure = result.error();
      e.failed_at = now;
    }
    while (entries.size() > 1 &&
           (entries.size() > options.cache_documents_max || bytes_kept > limits::resolver_cache_bytes_max))
      drop_oldest();
  }

  void drop_oldest() {
    const auto oldest = entries.find(by_use.front());
    bytes_kept -= oldest->second.bytes;
    by_use.pop_front();
    entries.erase(oldest);
  }

public:
  actors::http_exchange& http;
  actors::executor& edge;
  actors::clock& clock;
  const resolver_options options;

private:
  std::mutex mutex;
  std::map<std::string, entry> entries;
  std::list<std::string> by_use; // the one that was used longest ago first
  std::map<std::string, std::vector<answer_fn>> fetches;
  size_t bytes_kept = 0;
};

did_resolver::did_resolver(actors::http_exchange& http, actors::executor& edge, actors::clock& clock,
                           resolver_options options)
    : impl_(std::make_shared<impl>(http, edge, clock, options)) {}

did_resolver::~did_resolver() = default;

actors::task<resolved> did_resolver::resolve(std::string did, bool fresh) {
  auto self = impl_;
  auto url = did::web_url(did, self->options.plain_http);
  if (!url)
    co_return std::unexpected(std::move(url.error()));
  if (auto known = self->known(did, fresh))
    co_return std::move(*known);
  const auto ask = [self, did, address = *url, fresh](answer_fn done) {
    self->wait(did, address, fresh, std::move(done));
  };
  actors::callback_awaiter<told> waiting(self->edge, ask);
  auto answer = co_await waiting;
  // A failure that began before this was asked is not the answer to it: a document may have been published meanwhile.
  if (!answer.result && answer.joined) {
    actors::callback_awaiter<told> once_more(self->edge, ask);
    answer = co_await once_more;
  }
  co_return std::move(answer.result);
}

} // namespace fondaco::identity
