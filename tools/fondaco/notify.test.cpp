#include "tools/fondaco/notify.hpp"

#include <cstddef>
#include <cstring>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace fondaco::tools;

namespace {

/// What a service manager listens on: a datagram socket under this name ('@' for an abstract one).
struct manager {
  explicit manager(const std::string& name) : fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@')
      address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  }
  ~manager() { ::close(fd); }
  std::string heard() const {
    char buffer[256];
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    return n < 0 ? "" : std::string(buffer, static_cast<size_t>(n));
  }
  int fd;
};

} // namespace

TEST_CASE("the service manager hears each state in one datagram, on a path or an abstract name") {
  std::string folder = "/tmp/fondaco-notify-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  for (const auto& name : {folder + "/socket", "@" + folder}) {
    const manager m(name);
    CHECK(notify_supervisor(name, ready_state(42)));
    CHECK(m.heard() == "READY=1\nMAINPID=42\n");
    CHECK(notify_supervisor(name, reloading_state()));
    const auto reloading = m.heard();
    CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(reloading.size() > std::string("RELOADING=1\nMONOTONIC_USEC=0\n").size());
    CHECK(notify_supervisor(name, stopping_state()));
    CHECK(m.heard() == "STOPPING=1\n");
  }
  ::unlink((folder + "/socket").c_str());
  ::rmdir(folder.c_str());
}

TEST_CASE("without a service manager nothing is told and nothing fails") {
  for (const std::string name : {"", "@", "relative", "/nonexistent/socket"})
    CHECK_FALSE(notify_supervisor(name, "READY=1"));
  CHECK_FALSE(notify_supervisor("/" + std::string(200, 'x'), "READY=1"));
}
