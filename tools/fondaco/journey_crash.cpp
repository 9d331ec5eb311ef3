// What `--crash` adds: two sudden ends, and the proof that every effect happened once.

#include <algorithm>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/fondaco/ctl.hpp"
#include "tools/fondaco/journey_stages.hpp"
#include "tools/fondaco/operator_client.hpp"

namespace fondaco::tools {

namespace {

constexpr size_t part_bytes = 4096;

// Reads the head and a few bytes of a pull, and leaves the rest where it is.
class broken_pull {
public:
  broken_pull(const std::string& url, const std::string& token) {
    const auto rest = url.substr(std::string("http://").size());
    const auto slash = rest.find('/');
    const auto host = rest.substr(0, slash);
    const auto colon = host.find(':');
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int small = part_bytes;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(host.substr(colon + 1))));
    ::inet_pton(AF_INET, host.substr(0, colon).c_str(), &to.sin_addr);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
      throw broken_journey{"the data plane cannot be reached"};
    const auto request = "GET " + rest.substr(slash) + " HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: " + token +
                         "\r\nConnection: close\r\n\r\n";
    if (::write(fd_, request.data(), request.size()) != static_cast<ssize_t>(request.size()))
      throw broken_journey{"the pull cannot be asked for"};
    while (got_.size() < part_bytes) {
      char buffer[1024];
      const auto n = ::read(fd_, buffer, sizeof buffer);
      if (n <= 0)
        break;
      got_.append(buffer, static_cast<size_t>(n));
    }
    if (got_.find(" 200 ") > 16)
      throw broken_journey{"the pull was answered " + got_.substr(0, 64)};
  }
  broken_pull(const broken_pull&) = delete;
  ~broken_pull() { ::close(fd_); }
  size_t bytes() const {
    const auto head = got_.find("\r\n\r\n");
    return head == std::string::npos ? 0 : got_.size() - head - 4;
  }

private:
  int fd_ = -1;
  std::string got_;
};

} // namespace

void journey_stages::restart(demo_node& n) {
  n.crash();
  auto started = n.start(options_.program);
  if (!started)
    throw broken_journey{started.error()};
  console_.forget(n);
}

void journey_stages::crash_in_negotiation() {
  console_.await("the provider's REQUESTED", [&] {
    const auto s = negotiation_state(globex_, negotiation_);
    if (s == "FINALIZED" || s == "TERMINATED")
      throw broken_journey{"the negotiation was over before the crash: " + s};
    return std::pair(s == "REQUESTED", s);
  });
  restart(world_.control());
  console_.say("(the control plane was killed after REQUESTED, and started again)");
}

void journey_stages::check_effects_once(demo_node& n, const std::string& id, const std::vector<std::string>& events) {
  ctl_options o;
  o.at = n.socket();
  auto node = make_operator_client(o);
  auto answer = node ? (*node)->get("/operator/entities/" + id + "/history") : std::unexpected(node.error());
  if (!answer || answer->status != 200)
    throw broken_journey{"the history of " + id + " cannot be read"};
  for (const auto& e : events) {
    size_t count = 0;
    for (size_t at = answer->body.find("\"" + e + "\""); at != std::string::npos;
         at = answer->body.find("\"" + e + "\"", at + 1))
      ++count;
    if (count != 1)
      throw broken_journey{"the event " + e + " of " + id + " happened " + std::to_string(count) + " times"};
  }
}

void journey_stages::crash_in_pull(const std::string& endpoint, const std::string& token) {
  console_.step("crash", "operator", "kills the data plane while the bytes flow, and starts it again", [&] {
    size_t bytes = 0;
    {
      broken_pull part(endpoint, token);
      bytes = part.bytes();
      restart(world_.data());
    }
    check_effects_once(
        world_.control(), negotiation_,
        {"negotiation.requesting", "negotiation.agreed", "negotiation.verifying", "negotiation.finalized"});
    return "after " + std::to_string(bytes) + " bytes";
  });
}

} // namespace fondaco::tools
