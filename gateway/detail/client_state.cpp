#include "gateway/detail/client_state.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "actors/ports/log.hpp"

namespace fondaco::gateway::detail {

namespace {

void abort_on_strand(const std::shared_ptr<wire>& w) {
  asio::post(w->executor(), [w] { w->abort(); });
}

} // namespace

client_state::client_state(asio::io_context& on, client_options o)
    : io(on), options(std::move(o)), tls(asio::ssl::context::tls_client) {
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls.native_handle(), SSL_OP_NO_RENEGOTIATION);
  error_code ec;
  tls.set_default_verify_paths(ec);
  if (!options.ca_file.empty() && tls.load_verify_file(options.ca_file, ec))
    write_log({severity::error,
               "gateway",
               log_category::application,
               "The HTTP client cannot read its file of authorities; peers that need them will not be reached.",
               {{"ca_file", options.ca_file}, {"error", ec.message()}}});
}

bool client_state::lease::hold(std::shared_ptr<wire> w) {
  const std::lock_guard lock(state_->mutex_);
  if (wire_)
    state_->active_.erase(wire_);
  wire_ = std::move(w);
  if (!state_->closed_)
    state_->active_.insert(wire_);
  return !state_->closed_;
}

void client_state::lease::release() {
  if (!state_)
    return;
  {
    const std::lock_guard lock(state_->mutex_);
    if (wire_)
      state_->active_.erase(wire_);
    --state_->under_way_;
    --state_->hosts_[key_].under_way;
    state_->drop_if_unused(key_);
  }
  wire_.reset();
  state_.reset();
}

std::optional<client_state::lease> client_state::admit(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (under_way_ >= options.exchanges_max)
    return std::nullopt;
  auto& h = hosts_[key];
  if (h.under_way >= options.exchanges_per_host_max) {
    drop_if_unused(key);
    return std::nullopt;
  }
  ++under_way_;
  ++h.under_way;
  return lease(shared_from_this(), key);
}

std::shared_ptr<wire> client_state::take_idle(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto at = hosts_.find(key);
  if (at == hosts_.end() || at->second.idle.empty())
    return nullptr;
  auto w = std::move(at->second.idle.back());
  at->second.idle.pop_back();
  --idle_;
  return w;
}

void client_state::keep(const std::string& key, std::shared_ptr<wire> w) {
  {
    const std::lock_guard lock(mutex_);
    const bool full = idle_ >= options.exchanges_max || hosts_[key].idle.size() >= options.exchanges_per_host_max;
    if (closed_ || full) {
      drop_if_unused(key);
      abort_on_strand(w);
      return;
    }
    hosts_[key].idle.push_back(w);
    ++idle_;
  }
  const auto executor = w->executor();
  asio::co_spawn(executor, watch(shared_from_this(), key, std::move(w)), asio::detached);
}

asio::awaitable<void> client_state::watch(std::shared_ptr<client_state> self, std::string key,
                                          std::shared_ptr<wire> w) {
  error_code ec;
  w->deadline(steady_time::now() + self->options.idle_timeout_ms);
  // Readiness that the answer itself left behind may wake the wait: only what can be read, or the end, counts.
  do {
    co_await w->wait_readable(ec);
  } while (!ec && !w->is_stale() && self->is_idle(key, w));
  if ((ec || w->is_stale()) && self->forget_idle(key, w))
    w->close();
}

bool client_state::is_idle(const std::string& key, const std::shared_ptr<wire>& w) {
  const std::lock_guard lock(mutex_);
  const auto at = hosts_.find(key);
  return at != hosts_.end() && std::ranges::find(at->second.idle, w) != at->second.idle.end();
}

bool client_state::forget_idle(const std::string& key, const std::shared_ptr<wire>& w) {
  const std::lock_guard lock(mutex_);
  const auto at = hosts_.find(key);
  const bool was_idle = at != hosts_.end() && std::erase(at->second.idle, w) > 0;
  if (was_idle) {
    --idle_;
    drop_if_unused(key);
  }
  return was_idle;
}

void client_state::drop_if_unused(const std::string& key) {
  const auto at = hosts_.find(key);
  if (at != hosts_.end() && at->second.under_way == 0 && at->second.idle.empty())
    hosts_.erase(at);
}

void client_state::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& w : active_)
    abort_on_strand(w);
  for (auto& [key, h] : hosts_) {
    for (const auto& w : h.idle)
      abort_on_strand(w);
    h.idle.clear();
  }
  idle_ = 0;
}

} // namespace fondaco::gateway::detail
