#include "e2e/http_load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "e2e/raw.hpp"

namespace fondaco::e2e {

namespace {

// How long the requests under way may take once a load is to end.
constexpr milliseconds farewell{15'000};
constexpr int look_ms = 2;

// The length of a body, of which the tests' servers tell every one.
size_t content_length(const std::string& head) {
  for (const char* name : {"Content-Length: ", "content-length: "})
    if (auto at = head.find(name); at != std::string::npos)
      return std::strtoull(head.c_str() + at + std::string_view(name).size(), nullptr, 10);
  return 0;
}

} // namespace

size_t load_tally::answered() const {
  size_t all = 0;
  for (const auto& [status, count] : by_status)
    all += count;
  return all;
}

size_t load_tally::of(int status) const {
  auto found = by_status.find(status);
  return found == by_status.end() ? 0 : found->second;
}

double load_tally::took_ms_at(double quantile) const {
  if (took_ms.empty())
    return 0;
  auto sorted = took_ms;
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

struct http_load::line {
  conformance::http::descriptor fd;
  bool busy = false;
  steady::time_point begun;
  std::string unsent;
  std::string got;
};

http_load::http_load(load_plan plan) : plan_(std::move(plan)), thread_([this] { run(); }) {}

http_load::~http_load() {
  ending_.store(true);
  if (thread_.joinable())
    thread_.join();
}

load_tally http_load::so_far() const {
  const std::lock_guard lock(mutex_);
  return tally_;
}

load_tally http_load::finish() {
  ending_.store(true);
  thread_.join();
  return tally_;
}

bool http_load::open(line& l) const {
  l = line();
  conformance::http::descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(plan_.port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    return false;
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  l.fd = std::move(fd);
  return true;
}

void http_load::begin(line& l) {
  if (l.fd.get() < 0 && !open(l)) {
    const std::lock_guard lock(mutex_);
    ++tally_.broken;
    return;
  }
  l.busy = true;
  l.begun = steady::now();
  const auto text = plan_.next();
  const auto n = ::send(l.fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  l.unsent = text.substr(n > 0 ? static_cast<size_t>(n) : 0);
}

void http_load::note(const std::string& head, double took_ms) {
  const int status = status_of(head);
  const std::lock_guard lock(mutex_);
  ++tally_.by_status[status];
  tally_.took_ms.push_back(took_ms);
  if ((status == 429 || status == 503) && head.find("Retry-After: ") == std::string::npos)
    ++tally_.without_retry;
}

void http_load::read(line& l) {
  std::array<char, 65536> buffer;
  const auto n = ::recv(l.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    if (l.busy) {
      const std::lock_guard lock(mutex_);
      ++tally_.broken;
    }
    l = line();
    return;
  }
  l.got.append(buffer.data(), static_cast<size_t>(n));
  const auto end = l.got.find("\r\n\r\n");
  if (end == std::string::npos)
    return;
  const auto head = l.got.substr(0, end + 2);
  if (l.got.size() < end + 4 + content_length(head))
    return;
  note(head, std::chrono::duration<double, std::milli>(steady::now() - l.begun).count());
  const bool closes = head.find("Connection: close") != std::string::npos;
  l.got.clear();
  l.busy = false;
  if (closes)
    l = line();
}

void http_load::run() {
  std::vector<line> lines(plan_.connections);
  const auto start = steady::now();
  auto end = steady::time_point::max();
  size_t begun = 0;
  std::vector<pollfd> fds(lines.size());
  for (;;) {
    const auto now = steady::now();
    if (ending_.load() && end == steady::time_point::max())
      end = now + farewell;
    const bool any_busy = std::any_of(lines.begin(), lines.end(), [](const line& l) { return l.busy; });
    if (ending_.load() && (!any_busy || now > end))
      return;
    auto due = lines.size();
    if (plan_.per_second > 0) {
      const auto wanted = static_cast<size_t>(std::chrono::duration<double>(now - start).count() * plan_.per_second);
      due = wanted > begun ? wanted - begun : 0;
    }
    for (auto& l : lines)
      if (!ending_.load() && !l.busy && due > 0) {
        begin(l);
        ++begun;
        --due;
      }
    if (plan_.per_second > 0)
      begun += due; // nobody was free: what could not be asked on time is not asked later
    for (size_t i = 0; i < lines.size(); ++i)
      fds[i] = {lines[i].fd.get(), static_cast<short>(lines[i].unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    ::poll(fds.data(), fds.size(), look_ms);
    for (size_t i = 0; i < lines.size(); ++i) {
      auto& l = lines[i];
      if ((fds[i].revents & POLLOUT) != 0) {
        const auto n = ::send(l.fd.get(), l.unsent.data(), l.unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        l.unsent.erase(0, n > 0 ? static_cast<size_t>(n) : 0);
      }
      if ((fds[i].revents & ~POLLOUT) != 0)
        read(l);
    }
  }
}

std::string request_text(const std::string& method, const std::string& path, const std::string& bearer,
                         const std::string& body) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!bearer.empty())
    text += "Authorization: Bearer " + bearer + "\r\n";
  if (!body.empty() || method != "GET")
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

} // namespace fondaco::e2e
