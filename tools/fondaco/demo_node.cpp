#include "tools/fondaco/demo_node.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/ports/clock.hpp"
#include "gateway/api_client.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::tools {

namespace {

constexpr auto start_within = std::chrono::seconds(30);
constexpr const char* tcp_listeners[] = {"protocol", "management", "signaling", "public", "internal", "observability"};

// Below what the kernel gives to outgoing connections: a port from there may be taken before its node listens, and
// while a killed node is down.
constexpr int port_min = 10'000;
constexpr int port_max = 32'000;

bool can_listen(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return bound;
}

// A port that was free a moment ago: good enough for a demo, and the node says so if it was taken meanwhile.
int free_port() {
  static std::mt19937 random{std::random_device{}()};
  static std::set<int> given;
  constexpr int tries_max = 1'000;
  for (int tries = 0; tries < tries_max; ++tries) {
    const int port = std::uniform_int_distribution(port_min, port_max)(random);
    if (can_listen(port) && given.insert(port).second)
      return port;
  }
  invariant(false, "loopback has a free port");
  return 0;
}

void write_private(const std::string& path, const std::string& text) {
  int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0)
    ::close(fd);
  invariant(written, "the demo's folder can be written");
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text)
    out += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

std::string quoted_list(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& one : list)
    out += (out.empty() ? "" : ", ") + quoted(one);
  return "[" + out + "]";
}

} // namespace

demo_node::demo_node(std::string name, std::string folder, std::string store, std::vector<std::string> file_roots)
    : demo_node(
          demo_node_options{std::move(name), std::move(folder), std::move(store), std::move(file_roots), {}, {}, {}}) {}

demo_node::demo_node(demo_node_options o) : name_(o.name), folder_(o.folder) {
  std::filesystem::create_directories(folder_);
  actors::system_random random;
  secret_ = gateway::fresh_secret(random);
  write_private(folder_ + "/admin.secret", secret_ + "\n");
  write_private(folder_ + "/fondaco.key", gateway::random_hex(random, 4) + "\n");
  for (const auto* listener : tcp_listeners)
    ports_[listener] = free_port();
  write_config(o);
}

demo_node::~demo_node() { stop(); }

void demo_node::end(int signal) {
  if (pid_ > 0) {
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_ = -1;
  if (out_ >= 0)
    ::close(out_);
  out_ = -1;
}

void demo_node::crash() { end(SIGKILL); }

void demo_node::stop() { end(SIGTERM); }

void demo_node::configure(const std::string& toml) const {
  std::ifstream in(config_file());
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  write_private(config_file(), text + toml);
}

std::string demo_node::url(const std::string& listener) const {
  return "http://127.0.0.1:" + std::to_string(ports_.at(listener));
}

void demo_node::write_config(const demo_node_options& o) const {
  std::string text =
      "# A node of the demo: loopback only, plain http.\n[node]\nname = " + quoted(name_) +
      "\nroles = " + quoted_list(o.roles.empty() ? std::vector<std::string>{"control-plane", "data-plane"} : o.roles) +
      "\n[store]\nurl = " + quoted(o.store.empty() ? folder_ + "/fondaco.db" : o.store) +
      "\n[vault]\nkey_file = " + quoted(folder_ + "/fondaco.key") + "\n";
  for (const auto* listener : tcp_listeners)
    text +=
        std::string("[listener.") + listener + "]\nbind = \"127.0.0.1:" + std::to_string(ports_.at(listener)) + "\"\n";
  text += "[listener.operator]\nbind = " + quoted(socket()) + "\n";
  text += "[public]\nprotocol_url = " + quoted(url("protocol")) + "\nsignaling_url = " + quoted(url("signaling")) +
          "\ndata_url = " + quoted(url("public")) + "\n";
  text += "[outbound]\nallow_private_addresses = true\nallow_http = true\n";
  text += "[auth]\nissuer = " + quoted(url("management")) + "\n";
  text += "[data_plane]\nfile_roots = " + quoted_list(o.file_roots) + "\n";
  const auto scopes = o.admin_scopes.empty() ? std::vector<std::string>{"management-api:admin", "management-api:read",
                                                                        "management-api:write"}
                                             : o.admin_scopes;
  text += "[[api_client]]\nid = \"admin\"\nrole = \"admin\"\nsecret_file = " + quoted(folder_ + "/admin.secret") +
          "\nscopes = " + quoted_list(scopes) + "\n";
  text += o.profile.empty() ? "[[dataspace_profile]]\nname = \"closed\"\nidentity = \"token\"\n" : o.profile;
  write_private(config_file(), text);
}

std::expected<void, std::string> demo_node::start(const std::string& program) {
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0)
    return std::unexpected(std::string("no pipe: ") + std::strerror(errno));
  auto config = config_file();
  auto log = log_file();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0); // a Ctrl-C in the terminal ends the demo, which then ends its nodes
    int errors = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    ::execl(program.c_str(), program.c_str(), "serve", "--config", config.c_str(), nullptr);
    ::_Exit(127);
  }
  ::close(pipe_ends[1]);
  out_ = pipe_ends[0];
  std::string said;
  auto end = std::chrono::steady_clock::now() + start_within;
  while (std::chrono::steady_clock::now() < end) {
    pollfd waiting{out_, POLLIN, 0};
    if (::poll(&waiting, 1, 200) <= 0)
      continue;
    char buffer[1024];
    auto n = ::read(out_, buffer, sizeof buffer);
    if (n <= 0)
      return std::unexpected("node '" + name_ + "' ended while it started; its log is " + log);
    said.append(buffer, static_cast<size_t>(n));
    if (said.find("ready") != std::string::npos)
      return {};
  }
  return std::unexpected("node '" + name_ + "' was not ready within 30 s; it said: " + said);
}

} // namespace fondaco::tools
