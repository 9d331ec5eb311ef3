#include "crash/commit_proxy.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "e2e/check.hpp"

namespace fondaco::crash {

namespace {

using conformance::http::descriptor;

constexpr int look_ms = 50;
constexpr size_t length_bytes = 4;
constexpr size_t shown_bytes = 60;

sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

uint32_t length_at(const std::string& bytes, size_t at) {
  uint32_t out = 0;
  for (size_t i = 0; i < length_bytes; ++i)
    out = out << 8 | static_cast<unsigned char>(bytes[at + i]);
  return out;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// A heartbeat comes by the clock alone: with it the count would tell how slow the machine is.
bool writes(const std::string& sql) {
  const auto text = lower(sql);
  if (text.find("insert into node(") != std::string::npos)
    return false;
  return std::ranges::any_of(std::initializer_list<const char*>{"insert into ", "update ", "delete from "},
                             [&](const char* word) { return text.find(word) != std::string::npos; });
}

// SSLRequest and GSSENCRequest come before the start-up message.
bool asks_for_encryption(const std::string& m) {
  constexpr uint32_t ssl = 80877103, gss = 80877104;
  return m.size() == 2 * length_bytes && (length_at(m, length_bytes) == ssl || length_at(m, length_bytes) == gss);
}

std::string first_string(const std::string& message, size_t from) { return {message.c_str() + from}; }

} // namespace

/// One connection of the node, and the one to the server that belongs to it.
struct commit_proxy::wire {
  commit_proxy& proxy;
  descriptor client;
  descriptor server;
  uint64_t generation;
  std::string from_client;
  std::string from_server;
  bool greeted = false;
  char status = 'I';
  std::map<std::string, std::string> prepared;
  std::string executing;
  // What commits when the server says that it is ready.
  std::string committing;

  bool alive() const { return !proxy.ending_ && !proxy.dead_ && proxy.generation_ == generation; }

  void run() {
    while (alive()) {
      std::array<pollfd, 2> fds{pollfd{client.get(), POLLIN, 0}, pollfd{server.get(), POLLIN, 0}};
      if (::poll(fds.data(), fds.size(), look_ms) <= 0)
        continue;
      if (fds[0].revents != 0 && !(read(client, from_client) && pass_to_server()))
        return;
      if (fds[1].revents != 0 && !(read(server, from_server) && pass_to_client()))
        return;
    }
  }

  static bool read(const descriptor& from, std::string& into) {
    std::array<char, 65536> buffer;
    const auto n = ::recv(from.get(), buffer.data(), buffer.size(), 0);
    if (n <= 0)
      return false;
    into.append(buffer.data(), static_cast<size_t>(n));
    return true;
  }

  // The next whole message, with its type byte; empty if it is not all there.
  static std::string take(std::string& bytes, bool typed) {
    const size_t head = typed ? 1 : 0;
    if (bytes.size() < head + length_bytes)
      return {};
    const auto whole = head + length_at(bytes, head);
    if (bytes.size() < whole)
      return {};
    auto message = bytes.substr(0, whole);
    bytes.erase(0, whole);
    return message;
  }

  bool pass_to_server() {
    for (;;) {
      const auto message = take(from_client, greeted);
      if (message.empty())
        return true;
      if (!greeted && asks_for_encryption(message)) {
        if (!send_all(client.get(), "N"))
          return false;
        continue;
      }
      if (!greeted) {
        greeted = true;
      } else if (const auto commits = look_at(message); !commits.empty()) {
        ++proxy.count_;
        committing = commits;
        if (proxy.strikes(side::before, commits))
          return false;
      }
      if (!send_all(server.get(), message))
        return false;
    }
  }

  // The statement that this message lets commit, or nothing.
  std::string look_at(const std::string& m) {
    constexpr size_t body = 1 + length_bytes;
    if (m[0] == 'P') {
      const auto name = first_string(m, body);
      prepared[name] = first_string(m, body + name.size() + 1);
    } else if (m[0] == 'B') {
      const auto portal = first_string(m, body);
      executing = prepared[first_string(m, body + portal.size() + 1)];
    } else if (m[0] == 'Q') {
      const auto sql = first_string(m, body);
      if (lower(sql).starts_with("commit") || (status == 'I' && writes(sql)))
        return sql;
    } else if (m[0] == 'S' && status == 'I' && writes(executing)) {
      return executing;
    }
    return {};
  }

  bool pass_to_client() {
    for (;;) {
      const auto message = take(from_server, true);
      if (message.empty())
        return true;
      if (message[0] == 'Z') {
        status = message.back();
        if (!committing.empty() && proxy.strikes(side::after, std::exchange(committing, {})))
          return false;
      }
      if (!send_all(client.get(), message))
        return false;
    }
  }
};

commit_proxy::commit_proxy(int server_port)
    : server_port_(server_port), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  auto at = loopback(0);
  socklen_t size = sizeof at;
  e2e::check(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                 ::listen(listener_.get(), 64) == 0 &&
                 ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size) == 0,
             "no loopback port for the wire to PostgreSQL");
  port_ = ntohs(at.sin_port);
  accepting_ = std::thread([this] { accept(); });
}

commit_proxy::~commit_proxy() {
  ending_ = true;
  accepting_.join();
  for (auto& w : wires_)
    w.join();
}

void commit_proxy::arm(uint64_t at, side when, std::function<void()> strike) {
  const std::scoped_lock lock(mutex_);
  ++generation_;
  at_ = at;
  when_ = when;
  strike_ = std::move(strike);
  struck_at_.clear();
  count_ = 0;
  dead_ = false;
}

std::string commit_proxy::struck_at() const {
  const std::scoped_lock lock(mutex_);
  return struck_at_;
}

bool commit_proxy::strikes(side now, const std::string& statement) {
  std::function<void()> strike;
  {
    const std::scoped_lock lock(mutex_);
    if (dead_ || at_ == 0 || count_ != at_ || when_ != now)
      return false;
    dead_ = true;
    // The words of its first lines.
    for (const char c : statement)
      if (struck_at_.size() < shown_bytes && (c > ' ' || (!struck_at_.empty() && struck_at_.back() != ' ')))
        struck_at_ += c > ' ' ? c : ' ';
    strike = strike_;
  }
  strike();
  return true;
}

void commit_proxy::accept() {
  while (!ending_) {
    pollfd one{listener_.get(), POLLIN, 0};
    if (::poll(&one, 1, look_ms) <= 0)
      continue;
    descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    descriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto to = loopback(server_port_);
    if (client.get() < 0 || ::connect(server.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      continue;
    const int on = 1;
    for (const auto* d : {&client, &server})
      ::setsockopt(d->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto made = std::make_shared<wire>(
        wire{*this, std::move(client), std::move(server), generation_, {}, {}, false, 'I', {}, {}, {}});
    wires_.emplace_back([made] { made->run(); });
  }
}

} // namespace fondaco::crash
