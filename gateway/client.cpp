#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "actors/ports/log.hpp"
#include "gateway/detail/exchange.hpp"
#include "gateway/http.hpp"

namespace fondaco::gateway {

namespace asio = boost::asio;
using actors::exchange_errc;
using actors::http_answer;
using actors::http_call;
using actors::http_result;
using detail::client_state;
using detail::exchange;
using detail::steady_time;

namespace {

constexpr size_t whole_read_bytes = 16u << 10;
/// The one buffer of a streamed answer.
constexpr size_t stream_buffer_bytes = 128u << 10;

using opened = std::expected<streamed_answer, exchange_errc>;
using piece = std::expected<std::string_view, fault>;

std::expected<std::shared_ptr<exchange>, exchange_errc> admit(const std::shared_ptr<client_state>& state,
                                                              http_call call) {
  auto to = detail::parse_url(call.url);
  if (!to || (!to->tls && !state->options.allow_http))
    return std::unexpected(exchange_errc::address_refused);
  const auto key = to->key();
  auto place = state->admit(key);
  if (!place)
    return std::unexpected(exchange_errc::overloaded);
  return std::make_shared<exchange>(std::move(*place), state, state->take_idle(key), std::move(*to), std::move(call));
}

asio::awaitable<http_result> read_whole(std::shared_ptr<exchange> x) {
  const auto begun = co_await x->begin(x->call().answer_bytes_max);
  if (!begun)
    co_return std::unexpected(begun.error());
  http_answer answer;
  answer.status = x->status();
  answer.headers = x->headers();
  std::vector<char> room(whole_read_bytes);
  for (;;) {
    const auto n = co_await x->read_body(room);
    if (!n)
      co_return std::unexpected(n.error());
    if (*n == 0)
      break;
    answer.body.append(room.data(), *n);
  }
  co_return answer;
}

void log_unexpected(const std::exception& e) {
  write_log({severity::error,
             "gateway",
             log_category::application,
             "An exchange ended by an unexpected error.",
             {{"error", e.what()}}});
}

asio::awaitable<void> send_one(std::shared_ptr<exchange> x, std::function<void(http_result)> done) {
  http_result result = std::unexpected(exchange_errc::no_answer);
  try {
    result = co_await read_whole(x);
  } catch (const std::exception& e) {
    log_unexpected(e);
  }
  // The place is free before the caller hears of the end, so that it can send the next at once.
  x->finish();
  done(std::move(result));
}

/// A streamed answer's body. The exchange and its buffer are shared with a read under way, which may outlive us.
class answer_body final : public body_source {
public:
  answer_body(server& on, std::shared_ptr<exchange> x)
      : on_(on), x_(std::move(x)), room_(std::make_shared<std::vector<char>>(stream_buffer_bytes)) {}
  ~answer_body() override {
    if (!ended_)
      asio::post(x_->executor(), [x = x_] { x->finish(); });
  }

  task<piece> next() override {
    if (ended_)
      co_return piece(std::string_view{});
    std::function<void(std::function<void(piece)>)> begin = [x = x_, room = room_](std::function<void(piece)> done) {
      asio::co_spawn(x->executor(), read_one(x, room, std::move(done)), asio::detached);
    };
    actors::callback_awaiter<piece> reading(on_, std::move(begin));
    auto got = co_await reading;
    ended_ = !got || got->empty();
    co_return got;
  }

private:
  static asio::awaitable<void> read_one(std::shared_ptr<exchange> x, std::shared_ptr<std::vector<char>> room,
                                        std::function<void(piece)> done) {
    std::expected<size_t, exchange_errc> n = std::unexpected(exchange_errc::no_answer);
    try {
      x->deadline(steady_time::now() + x->call().timeout_ms);
      n = co_await x->read_body(*room);
    } catch (const std::exception& e) {
      log_unexpected(e);
    }
    if (!n || *n == 0)
      x->finish();
    if (n)
      done(std::string_view(room->data(), *n));
    else
      done(
          std::unexpected(fault{std::string(name_of(n.error())), "The answer broke off before its end.", cure::retry}));
  }

  server& on_;
  std::shared_ptr<exchange> x_;
  std::shared_ptr<std::vector<char>> room_;
  bool ended_ = false;
};

asio::awaitable<void> open_one(server& on, std::shared_ptr<exchange> x, std::function<void(opened)> done) {
  opened result = std::unexpected(exchange_errc::no_answer);
  try {
    const auto begun = co_await x->begin(std::nullopt);
    if (begun) {
      streamed_answer answer{x->status(), x->headers(), x->content_length(), std::make_shared<answer_body>(on, x)};
      result = std::move(answer);
    } else {
      result = std::unexpected(begun.error());
    }
  } catch (const std::exception& e) {
    log_unexpected(e);
  }
  if (!result)
    x->finish();
  done(std::move(result));
}

} // namespace

struct client::impl {
  server& on;
  std::shared_ptr<client_state> state;
};

client::client(server& on, client_options options)
    : impl_(std::make_shared<impl>(
          impl{on, std::make_shared<client_state>(*static_cast<asio::io_context*>(on.native_context()),
                                                  std::move(options))})) {}

client::~client() { impl_->state->close(); }

void client::send(http_call call, std::function<void(http_result)> done) {
  auto x = admit(impl_->state, std::move(call));
  if (!x) {
    asio::post(impl_->state->io, [done = std::move(done), e = x.error()] { done(std::unexpected(e)); });
    return;
  }
  asio::co_spawn((*x)->executor(), send_one(*x, std::move(done)), asio::detached);
}

task<std::expected<streamed_answer, exchange_errc>> client::open(http_call call) {
  auto held = impl_;
  auto x = admit(held->state, std::move(call));
  if (!x)
    co_return std::unexpected(x.error());
  std::function<void(std::function<void(opened)>)> begin = [held, x = *x](std::function<void(opened)> done) {
    asio::co_spawn(x->executor(), open_one(held->on, x, std::move(done)), asio::detached);
  };
  actors::callback_awaiter<opened> opening(held->on, std::move(begin));
  auto result = co_await opening;
  co_return result;
}

} // namespace fondaco::gateway
