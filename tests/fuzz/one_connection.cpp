#include "tests/fuzz/one_connection.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "gateway/detail/connection.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace fondaco::fuzz {

namespace detail = gateway::detail;

std::string exchange(std::string_view bytes, gateway::listener_options options, gateway::router routes) {
  static const auto home = std::make_shared<detail::house>();
  const auto at = std::make_shared<detail::listener>(std::move(options), std::move(routes), nullptr, home);
  std::array<int, 2> ends{};
  demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "there is a socket");
  boost::asio::io_context io(1);
  auto over = std::make_shared<detail::wire>(detail::wire::socket(io, {AF_UNIX, 0}, ends[0]));
  auto guest = std::make_shared<detail::connection>(at, std::move(over), "unix");
  boost::asio::co_spawn(io, detail::connection::serve(std::move(guest)), boost::asio::detached);
  std::string answers;
  std::array<char, 4096> piece{};
  const auto take = [&] {
    for (ssize_t n = 1; n > 0 && (n = ::recv(ends[1], piece.data(), piece.size(), MSG_DONTWAIT)) > 0;)
      answers.append(piece.data(), static_cast<size_t>(n));
  };
  for (bool more = true; more;) {
    const auto part = bytes.substr(0, bytes.find(pause));
    more = part.size() < bytes.size();
    bytes.remove_prefix(part.size() + (more ? 1 : 0));
    // A connection that has been closed for its guest takes no more.
    const auto written = ::send(ends[1], part.data(), part.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    demand(written == static_cast<ssize_t>(part.size()) || (written < 0 && errno == EPIPE), "the bytes fit");
    if (!more)
      ::shutdown(ends[1], SHUT_WR);
    while (io.poll_one() > 0)
      take();
  }
  while (io.run_one() > 0)
    take();
  take();
  ::close(ends[1]);
  demand(at->in_handlers == 0 && at->timeouts == 0, "no handler and no deadline is left over");
  return answers;
}

} // namespace fondaco::fuzz
