#include "e2e/node.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/fixed_tokens.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* tcp_listeners[] = {"protocol", "management", "signaling", "public", "internal", "observability"};
constexpr size_t report_log_lines = 12;

std::vector<node*>& living() {
  static std::vector<node*> nodes;
  return nodes;
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

std::vector<api_client> with_usual(std::vector<api_client> clients, const std::vector<std::string>& admin_scopes) {
  api_client admin{"admin", "admin", "", {"management-api:admin", "management-api:read", "management-api:write"}};
  admin.scopes.insert(admin.scopes.end(), admin_scopes.begin(), admin_scopes.end());
  clients.push_back(std::move(admin));
  clients.push_back({"operator", "operator", "", {"operator:read"}});
  clients.push_back({"archivist", "operator", "", {"operator:admin"}});
  clients.push_back({"keeper", "operator", "", {"operator:read", "operator:write"}});
  return clients;
}

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

} // namespace

const std::string& binary() {
  static const std::string path = [] {
    const char* named = std::getenv("FONDACO_BINARY");
    return std::filesystem::absolute(named ? named : "build/release/bin/fondaco").string();
  }();
  return path;
}

int free_port() {
  static std::mt19937 random{std::random_device{}()};
  static std::set<int> given;
  for (int tries = 0; tries < 1'000; ++tries) {
    const int port = std::uniform_int_distribution(port_min, port_max)(random);
    if (can_listen(port) && given.insert(port).second)
      return port;
  }
  throw failed("loopback has no free port");
}

const std::vector<node*>& node::all() { return living(); }

node::node(node_options o, const std::string& folder) : options_(std::move(o)), folder_(folder) {
  std::filesystem::create_directories(folder_);
  if (options_.key.empty())
    options_.key = random_hex(32);
  if (options_.admin_secret.empty())
    options_.admin_secret = random_hex(32);
  options_.clients = with_usual(std::move(options_.clients), options_.admin_scopes);
  for (const auto& c : options_.clients) {
    secrets_[c.id] = c.id == "admin" ? options_.admin_secret : random_hex(32);
    write_private(secret_file(c.id), secrets_[c.id] + "\n");
  }
  write_private(folder_ + "/fondaco.key", options_.key + "\n");
  store_ = make_store(options_.kind, folder_);
  for (const auto* listener : tcp_listeners)
    ports_[listener] = free_port();
  write_private(config_file(), config_text());
  living().push_back(this);
}

node::~node() {
  std::erase(living(), this);
  if (running()) {
    try {
      stop();
    } catch (const failed&) {
      // it was ended by SIGKILL then
    }
  }
}

std::string node::url(const std::string& listener) const {
  return "http://127.0.0.1:" + std::to_string(ports_.at(listener));
}

// Time is short: a test waits for the second try of a message, for the end of an exchange, for a lease.
std::string node::config_text() const {
  std::string text = "[node]\nname = " + quoted(name()) + "\nlog_level = " + quoted(options_.log_level) +
                     (options_.roles.empty() ? "" : "\nroles = " + options_.roles) +
                     "\n[store]\nurl = " + quoted(store_->url()) +
                     "\n[vault]\nkey_file = " + quoted(folder_ + "/fondaco.key") + "\n";
  for (const auto* listener : tcp_listeners)
    text +=
        std::string("[listener.") + listener + "]\nbind = \"127.0.0.1:" + std::to_string(ports_.at(listener)) + "\"\n";
  text += "[listener.operator]\nbind = " + quoted(socket()) + "\n";
  text += "[public]\nprotocol_url = " + quoted(url("protocol")) + "\nsignaling_url = " + quoted(url("signaling")) +
          "\ndata_url = " + quoted(url("public")) + "\n";
  text += "[outbound]\nallow_private_addresses = true\nallow_http = true\n";
  text += "[auth]\nissuer = " + quoted(url("management")) + "\n";
  if (!options_.jwks_url.empty())
    text += "external_issuer = " + quoted(std::string(fixed_tokens::issuer)) +
            "\nexternal_jwks_url = " + quoted(options_.jwks_url) + "\n";
  text += "[data_plane]\nfile_roots = " + quoted_list(options_.file_roots) + "\n";
  text += "[dsp]\nexchange_timeout_ms = 1500\n";
  text += "[limits]\nretry_first_ms = 100\nretry_cap_ms = 500\nlease_ms = 3000\n";
  for (const auto& c : options_.clients) {
    text += "[[api_client]]\nid = " + quoted(c.id) + "\nrole = " + quoted(c.role) +
            "\nsecret_file = " + quoted(secret_file(c.id)) + "\nscopes = " + quoted_list(c.scopes) + "\n";
    if (!c.participant.empty())
      text += "participant = " + quoted(c.participant) + "\n";
  }
  return text + (options_.profiles.empty() ? "[[dataspace_profile]]\nname = \"closed\"\nidentity = \"token\"\n"
                                           : options_.profiles);
}

void node::configure(const std::string& toml) const { write_private(config_file(), read_file(config_file()) + toml); }

void node::start(milliseconds within) {
  auto words = launcher_;
  words.insert(words.end(), {binary(), "serve", "--config", config_file()});
  process_.start(words, folder_ + "/node.log");
  try {
    process_.await_line("ready", within);
  } catch (const failed& f) {
    throw failed(name() + " did not start: " + f.what() + "\nlast lines of its log:\n" + tail(log(), report_log_lines));
  }
}

bool node::died() const {
  siginfo_t info{};
  return process_.running() &&
         ::waitid(P_PID, static_cast<id_t>(process_.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid != 0;
}

int node::stop() { return process_.end(SIGTERM); }

void node::kill() { process_.end(SIGKILL); }

std::string node::log() const {
  auto path = folder_ + "/node.log";
  return std::filesystem::exists(path) ? read_file(path) : std::string();
}

ended node::ctl(std::vector<std::string> words) const {
  words.insert(words.begin(), {binary(), "ctl", "--at", socket()});
  return run_program(words, milliseconds(20'000));
}

std::string node::report() const {
  auto text = "node " + name() + " (" + (running() ? "pid " + std::to_string(pid()) : "not running") + ", " + folder_ +
              "), last lines of its log:\n" + tail(log(), report_log_lines) + "\n";
  if (!running())
    return text;
  try {
    auto ps = ctl({"ps"});
    return text + "its entities:\n" + ps.out + ps.err;
  } catch (const failed& f) {
    return text + "its entities cannot be had: " + f.what() + "\n";
  }
}

} // namespace fondaco::e2e
