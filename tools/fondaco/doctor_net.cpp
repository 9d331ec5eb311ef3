#include "tools/fondaco/doctor_net.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace fondaco::tools::net {

namespace {

class descriptor {
public:
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  int number() const { return number_; }

private:
  int number_;
};

struct address_freed {
  void operator()(addrinfo* a) const { ::freeaddrinfo(a); }
};
using addresses = std::unique_ptr<addrinfo, address_freed>;

addresses look_up(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &found) != 0)
    return nullptr;
  return addresses(found);
}

// `host:port` with brackets around an IPv6 address.
std::pair<std::string, std::string> split(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return {text, ""};
  auto host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return {host, text.substr(colon + 1)};
}

bool unix_address(const std::string& bind, sockaddr_un& address) {
  const auto path = bind.substr(5);
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

bool connects(int fd, const sockaddr* to, socklen_t length, milliseconds within) {
  if (::connect(fd, to, length) == 0)
    return true;
  if (errno != EINPROGRESS)
    return false;
  pollfd waiting{fd, POLLOUT, 0};
  int why = 0;
  socklen_t size = sizeof why;
  return ::poll(&waiting, 1, static_cast<int>(within.count())) == 1 &&
         ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) == 0 && why == 0;
}

int non_blocking(int family) { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

bind_result try_bind_unix(const std::string& bind) {
  sockaddr_un address{};
  if (!unix_address(bind, address))
    return bind_result::malformed;
  if (somebody_listens(bind))
    return bind_result::taken;
  const auto folder = std::filesystem::path(bind.substr(5)).parent_path().string();
  return ::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0 ? bind_result::free
                                                                           : bind_result::not_allowed;
}

bool is_private(const addrinfo& a) {
  if (a.ai_family == AF_INET) {
    const auto ip = ntohl(reinterpret_cast<const sockaddr_in*>(a.ai_addr)->sin_addr.s_addr);
    const auto in = [ip](uint32_t net, int bits) { return (ip >> (32 - bits)) == (net >> (32 - bits)); };
    return in(0x00000000, 8) || in(0x0a000000, 8) || in(0x7f000000, 8) || in(0x64400000, 10) || in(0xa9fe0000, 16) ||
           in(0xac100000, 12) || in(0xc0a80000, 16);
  }
  const auto* six = reinterpret_cast<const sockaddr_in6*>(a.ai_addr)->sin6_addr.s6_addr;
  const bool loopback = std::memcmp(six, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16) == 0;
  return loopback || (six[0] & 0xfeu) == 0xfcu || (six[0] == 0xfeu && (six[1] & 0xc0u) == 0x80u);
}

bool greets(const addrinfo& a, milliseconds within) {
  const descriptor fd(non_blocking(a.ai_family));
  if (fd.number() < 0 || !connects(fd.number(), a.ai_addr, a.ai_addrlen, within))
    return false;
  pollfd waiting{fd.number(), POLLIN, 0};
  char word[5] = {};
  return ::poll(&waiting, 1, static_cast<int>(within.count())) == 1 && ::recv(fd.number(), word, sizeof word, 0) == 5 &&
         std::memcmp(word, "INFO ", 5) == 0;
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string one_without_credentials(std::string url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
  const auto at = url.rfind('@');
  return at == std::string::npos || at < begin ? url : url.erase(begin, at + 1 - begin);
}

} // namespace

bind_result try_bind(const std::string& bind) {
  if (bind.starts_with("unix:"))
    return try_bind_unix(bind);
  const auto [host, port] = split(bind);
  const auto found = host.empty() || port.empty() ? nullptr : look_up(host, port, AI_NUMERICHOST | AI_NUMERICSERV);
  if (!found)
    return bind_result::malformed;
  const descriptor fd(non_blocking(found->ai_family));
  const int on = 1;
  ::setsockopt(fd.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.number(), found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd.number(), 1) == 0)
    return bind_result::free;
  switch (errno) {
  case EADDRINUSE: return bind_result::taken;
  case EADDRNOTAVAIL: return bind_result::no_such_address;
  case EACCES:
  case EPERM: return bind_result::not_allowed;
  default: return bind_result::malformed;
  }
}

bool somebody_listens(const std::string& bind) {
  constexpr milliseconds within{1'000};
  if (bind.starts_with("unix:")) {
    sockaddr_un address{};
    const descriptor fd(non_blocking(AF_UNIX));
    return unix_address(bind, address) &&
           connects(fd.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address, within);
  }
  const auto [host, port] = split(bind);
  const auto found = look_up(host, port, AI_NUMERICHOST | AI_NUMERICSERV);
  if (!found)
    return false;
  const descriptor fd(non_blocking(found->ai_family));
  return connects(fd.number(), found->ai_addr, found->ai_addrlen, within);
}

resolved resolve(const std::string& host) {
  resolved out;
  std::set<std::string> seen;
  const auto found = look_up(host, "", 0);
  for (const auto* a = found.get(); a != nullptr; a = a->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0 ||
        !seen.insert(text).second)
      continue;
    out.addresses += (out.addresses.empty() ? "" : ", ") + std::string(text);
    out.any_private = out.any_private || is_private(*a);
  }
  return out;
}

std::string nats_greets(const std::string& urls, milliseconds within) {
  for (const auto& url : split_list(urls)) {
    auto rest = one_without_credentials(url);
    if (const auto scheme = rest.find("://"); scheme != std::string::npos)
      rest.erase(0, scheme + 3);
    while (rest.ends_with('/'))
      rest.pop_back();
    const auto [host, port] = split(rest);
    const auto found = look_up(host, port.empty() ? "4222" : port, 0);
    for (const auto* a = found.get(); a != nullptr; a = a->ai_next)
      if (greets(*a, within))
        return {};
  }
  return "No NATS server greets at " + without_credentials(urls) + ".";
}

std::string without_credentials(const std::string& urls) {
  std::string out;
  for (const auto& url : split_list(urls))
    out += (out.empty() ? "" : ",") + one_without_credentials(url);
  return out;
}

} // namespace fondaco::tools::net
