#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "gateway/detail/head.hpp"
#include "gateway/detail/listener.hpp"
#include "gateway/detail/wire.hpp"

namespace fondaco::gateway::detail {

/// One accepted connection: reads a request, runs its handler, sends the answer, and again. One request is in a
/// handler at a time, so pipelined ones are answered in order and nothing is read ahead. Lives on its wire's strand.
class connection : public std::enable_shared_from_this<connection> {
public:
  connection(std::shared_ptr<listener> at, std::shared_ptr<wire> over, std::string remote);
  ~connection();

  /// Serves until the connection ends; counts it in its house.
  static asio::awaitable<void> serve(std::shared_ptr<connection> self);

  /// Closes the connection if it waits for a request; any thread.
  void close_if_idle();
  /// Breaks the connection off; any thread.
  void abort();

private:
  using parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  struct refusal {
    int status;
    std::string_view detail;
  };
  enum class next_step : uint8_t { go_on, close, gone };
  template <class T> struct outcome;

  asio::awaitable<void> serve_requests();
  asio::awaitable<next_step> serve_one(bool first);
  asio::awaitable<bool> wait_for_request(bool first);
  asio::awaitable<std::optional<refusal>> read_header();
  asio::awaitable<std::optional<refusal>> read_body();
  asio::awaitable<bool> read_more(size_t most);
  std::optional<refusal> after_header(request& r);
  std::optional<refusal> read_error(const error_code& ec) const;
  refusal timed_out(std::string_view detail);

  asio::awaitable<response> answer(std::shared_ptr<request> r);
  template <class T>
  asio::awaitable<void> await_task(task<T> work, std::shared_ptr<outcome<T>> result, std::function<void()> ended);
  response failed(const request& r, std::exception_ptr error);

  asio::awaitable<next_step> send(response r, bool head_only, bool keep_alive, unsigned minor_version);
  asio::awaitable<bool> send_stream(std::shared_ptr<body_source> from, response_shape shape);
  asio::awaitable<void> refuse(refusal why);
  asio::awaitable<bool> write(std::string_view a, std::string_view b = {}, std::string_view c = {});
  bool draining() const;

  std::shared_ptr<listener> at_;
  std::shared_ptr<wire> wire_;
  std::string remote_;
  steady_time::time_point since_;
  boost::beast::flat_buffer buffer_;
  std::optional<parser> parser_;
  asio::steady_timer wake_;
  bool idle_ = false;
  bool gone_ = false;
  bool aborted_ = false;
};

} // namespace fondaco::gateway::detail
