#include <algorithm>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "actors/ports/log.hpp"
#include "gateway/detail/binding.hpp"
#include "gateway/detail/connection.hpp"
#include "gateway/http.hpp"

namespace fondaco::gateway {

namespace asio = boost::asio;
using detail::error_code;
using detail::steady_time;

namespace {

/// How long the accept loop rests when the process is out of descriptors or memory.
constexpr milliseconds accept_rest_ms{50};
/// How long the destructor and the end of a drain wait for what they broke off to notice.
constexpr milliseconds farewell_ms{2'000};

struct place {
  std::shared_ptr<detail::listener> at;
  detail::binding bound;
};

/// Leaves the house when the accept loop ends, however it ends.
class guest {
public:
  explicit guest(std::shared_ptr<detail::house> home) : home_(std::move(home)) {
    const std::lock_guard lock(home_->mutex);
    ++home_->guests;
  }
  ~guest() {
    const std::lock_guard lock(home_->mutex);
    --home_->guests;
    home_->changed.notify_all();
  }
  guest(const guest&) = delete;

private:
  std::shared_ptr<detail::house> home_;
};

void welcome(const std::shared_ptr<detail::listener>& at, detail::wire::socket peer, std::string remote) {
  ++at->connections;
  if (at->connections_open.load() >= at->options.connections_max) {
    ++at->connections_refused;
    return; // the socket closes as it goes
  }
  auto over = std::make_shared<detail::wire>(std::move(peer));
  auto guest_connection = std::make_shared<detail::connection>(at, over, std::move(remote));
  asio::co_spawn(over->executor(), detail::connection::serve(std::move(guest_connection)), asio::detached);
}

asio::awaitable<void> accept_all(std::shared_ptr<place> here, asio::io_context& io) {
  const guest counted(here->at->home);
  asio::steady_timer rest(co_await asio::this_coro::executor);
  while (here->bound.door().is_open()) {
    error_code ec;
    detail::wire::socket peer(asio::make_strand(io));
    asio::generic::stream_protocol::endpoint from;
    co_await here->bound.door().async_accept(peer, from, asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) {
      welcome(here->at, std::move(peer), detail::remote_of(from));
    } else if (here->bound.door().is_open() && ec != asio::error::connection_aborted) {
      write_log({severity::error,
                 "gateway",
                 log_category::application,
                 "A listener cannot accept a connection.",
                 {{"listener", here->at->options.name}, {"error", ec.message()}}});
      rest.expires_after(accept_rest_ms);
      co_await rest.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
  }
  here.reset(); // a unix socket's file is gone before the drain hears of it
}

} // namespace

struct server::impl {
  std::shared_ptr<detail::house> home = std::make_shared<detail::house>();
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  mutable std::mutex mutex;
  std::vector<std::shared_ptr<place>> places;
  std::vector<std::shared_ptr<detail::listener>> listeners;
  std::vector<std::thread> threads;
  std::mutex threads_mutex;
  std::condition_variable thread_ended;
  size_t threads_running = 0;

  void run_thread() {
    for (bool ended = false; !ended;) {
      try {
        io.run();
        ended = true;
      } catch (const std::exception& e) {
        write_log({severity::error,
                   "gateway",
                   log_category::application,
                   "Work that was posted to the HTTP threads threw; the thread goes on.",
                   {{"error", e.what()}}});
      }
    }
    const std::lock_guard lock(threads_mutex);
    --threads_running;
    thread_ended.notify_all();
  }

  void close_doors() {
    const std::lock_guard lock(mutex);
    for (const auto& p : places)
      asio::post(p->bound.door().get_executor(), [p] {
        error_code ignored;
        p->bound.door().close(ignored);
      });
    places.clear();
  }

  bool wait_for_guests(milliseconds most) {
    std::unique_lock lock(home->mutex);
    return home->changed.wait_for(lock, most, [&] { return home->guests == 0; });
  }

  template <class F> void each_connection(F f) {
    const std::lock_guard lock(home->mutex);
    for (auto* c : home->connections)
      f(*c);
  }
};

server::server(size_t threads) : impl_(std::make_unique<impl>()) {
  impl_->threads_running = std::max<size_t>(threads, 1);
  for (size_t i = 0; i < impl_->threads_running; ++i)
    impl_->threads.emplace_back([p = impl_.get()] { p->run_thread(); });
}

server::~server() {
  drain(milliseconds{0});
  impl_->work.reset();
  {
    std::unique_lock lock(impl_->threads_mutex);
    impl_->thread_ended.wait_for(lock, farewell_ms, [&] { return impl_->threads_running == 0; });
  }
  impl_->io.stop();
  for (auto& t : impl_->threads)
    t.join();
}

std::expected<uint16_t, fault> server::listen(listener_options options, router routes) {
  auto bound = detail::binding::open(asio::make_strand(impl_->io), options.bind);
  if (!bound)
    return std::unexpected(bound.error());
  std::shared_ptr<asio::ssl::context> tls;
  if (!options.tls.certificate_file.empty() || !options.tls.key_file.empty()) {
    auto context = detail::server_context(options.tls);
    if (!context)
      return std::unexpected(context.error());
    tls = std::make_shared<asio::ssl::context>(std::move(*context));
  }
  const auto port = bound->port();
  auto at = std::make_shared<detail::listener>(std::move(options), std::move(routes), std::move(tls), impl_->home);
  auto here = std::make_shared<place>(place{at, std::move(*bound)});
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->places.push_back(here);
    impl_->listeners.push_back(at);
  }
  asio::co_spawn(here->bound.door().get_executor(), accept_all(here, impl_->io), asio::detached);
  return port;
}

std::expected<void, fault> server::reload_tls(const std::map<std::string, tls_options>& by_listener) {
  std::vector<std::pair<std::shared_ptr<detail::listener>, std::shared_ptr<asio::ssl::context>>> fresh;
  {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& l : impl_->listeners)
      if (by_listener.contains(l->options.name))
        fresh.emplace_back(l, nullptr);
  }
  for (auto& [at, tls] : fresh) {
    const auto& wanted = by_listener.at(at->options.name);
    if ((at->tls() == nullptr) != (wanted.certificate_file.empty() && wanted.key_file.empty()))
      return std::unexpected(fault{"tls_refused",
                                   "The listener " + at->options.name +
                                       " cannot turn TLS on or off while it is open; restart the node for that.",
                                   cure::fix_input});
    if (at->tls() == nullptr)
      continue;
    auto context = detail::server_context(wanted);
    if (!context)
      return std::unexpected(context.error());
    tls = std::make_shared<asio::ssl::context>(std::move(*context));
  }
  for (auto& [at, tls] : fresh)
    if (tls)
      at->swap_tls(std::move(tls));
  return {};
}

void server::drain(milliseconds within) {
  impl_->home->draining.store(true, std::memory_order_release);
  impl_->close_doors();
  impl_->each_connection([](auto& c) { c.close_if_idle(); });
  if (impl_->wait_for_guests(within))
    return;
  impl_->each_connection([](auto& c) { c.abort(); });
  impl_->wait_for_guests(farewell_ms);
}

void server::post(std::function<void()> work) { asio::post(impl_->io, std::move(work)); }

std::vector<listener_counters> server::counters() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<listener_counters> out;
  for (const auto& l : impl_->listeners)
    out.push_back({l->options.name, l->connections, l->connections_open, l->connections_refused, l->requests,
                   l->requests_refused, l->in_handlers, l->requests_full, l->timeouts, l->answers_broken,
                   l->bytes_out});
  return out;
}

void* server::native_context() { return &impl_->io; }

} // namespace fondaco::gateway
