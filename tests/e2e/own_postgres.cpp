#include "e2e/own_postgres.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/node.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* server_user = "fondaco";
constexpr milliseconds starts_within{30'000};

// The newest version that is installed.
std::string program(const std::string& name) {
  std::string found;
  const std::filesystem::path versions = "/usr/lib/postgresql";
  if (std::filesystem::exists(versions))
    for (const auto& v : std::filesystem::directory_iterator(versions))
      if (std::filesystem::exists(v.path() / "bin" / name))
        found = std::max(found, (v.path() / "bin" / name).string());
  check(!found.empty(), "PostgreSQL's " + name + " is not installed (package postgresql-15)");
  return found;
}

// PostgreSQL refuses to run as root: then its own user runs it, in a folder that it can reach.
std::string make_folder() {
  std::string path = "/tmp/fondaco-postgres-XXXXXX";
  check(::mkdtemp(path.data()) != nullptr, "no folder for PostgreSQL can be made");
  if (::geteuid() == 0) {
    const auto* owner = ::getpwnam("postgres");
    check(owner != nullptr && ::chown(path.c_str(), owner->pw_uid, owner->pw_gid) == 0,
          "the folder cannot be given to the user postgres");
  }
  return path;
}

// The parent and the state of a process; nothing once it is gone.
std::optional<std::pair<pid_t, char>> look_at(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line) || line.rfind(')') == std::string::npos)
    return std::nullopt;
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  char state = 0;
  pid_t parent = 0;
  rest >> state >> parent;
  return std::pair(parent, state);
}

// Reads messages up to ReadyForQuery; gives the one value of the last row.
std::string read_until_ready(int fd) {
  const auto exactly = [fd](size_t count) {
    std::string bytes(count, '\0');
    for (size_t got = 0; got < count;) {
      pollfd waiting{fd, POLLIN, 0};
      check(::poll(&waiting, 1, static_cast<int>(wait_within.count())) == 1, "PostgreSQL does not answer a session");
      const auto n = ::recv(fd, bytes.data() + got, count - got, 0);
      check(n > 0, "PostgreSQL ended a session");
      got += static_cast<size_t>(n);
    }
    return bytes;
  };
  std::string value;
  for (;;) {
    const auto head = exactly(5);
    uint32_t length = 0;
    std::memcpy(&length, head.data() + 1, sizeof length);
    const auto body = exactly(ntohl(length) - 4);
    if (head[0] == 'D' && body.size() >= 6) // the count of columns, and the length of the value
      value = body.substr(6);
    if (head[0] == 'Z')
      return value;
  }
}

bool has_ended(pid_t pid) {
  auto now = look_at(pid);
  return !now || now->second == 'Z' || now->second == 'X';
}

} // namespace

own_postgres::own_postgres() : folder_(make_folder()), port_(free_port()) {
  auto made = run_program(as_owner({program("initdb"), "-D", data(), "-U", server_user, "-A", "trust", "--no-sync"}));
  check(made.code == 0, "initdb: " + made.err);
}

own_postgres::~own_postgres() {
  try {
    if (running())
      kill();
  } catch (const failed&) {
    // it was ended by SIGKILL then
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> own_postgres::as_owner(std::vector<std::string> words) const {
  if (::geteuid() != 0)
    return words;
  std::vector<std::string> all{"setpriv", "--reuid=postgres",  "--regid=postgres", "--clear-groups",
                               "env",     "--chdir=" + folder_};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

std::string own_postgres::url(const std::string& database) const {
  return std::string("postgresql://") + server_user + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string own_postgres::fresh_database() {
  auto name = "fault_" + std::to_string(++databases_);
  sql("create database " + name + " encoding 'UTF8' template template0");
  return name;
}

std::string own_postgres::sql(const std::string& text, const std::string& database) const {
  auto done = run_program({"psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-c", text});
  check(done.code == 0, "psql: " + done.err);
  return done.out;
}

std::vector<std::string> own_postgres::files(const std::string& database) const {
  std::istringstream lines(sql("select pg_relation_filepath(oid) from pg_class where relkind in ('r', 'i', 't', 'S') "
                               "and oid >= 16384",
                               database));
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);)
    all.push_back(data() + "/" + line);
  return all;
}

void own_postgres::start(const std::vector<std::string>& settings) {
  std::vector<std::string> words{program("postgres"), "-D", data(), "-p", std::to_string(port_)};
  std::vector<std::string> all{"listen_addresses=127.0.0.1", "unix_socket_directories="};
  all.insert(all.end(), settings.begin(), settings.end());
  for (const auto& one : all) {
    words.emplace_back("-c");
    words.push_back(one);
  }
  server_.start(as_owner(std::move(words)), folder_ + "/server.log");
  wait_for(
      "PostgreSQL to take connections",
      [&](std::string& saw) -> std::optional<bool> {
        auto tried = run_program({"psql", "-X", "-q", "-At", "-d", url(), "-c", "select 1"});
        saw = tried.err;
        return tried.code == 0 ? std::optional(true) : std::nullopt;
      },
      starts_within);
}

void own_postgres::stop() { server_.end(SIGINT); }

std::vector<pid_t> own_postgres::processes() const {
  std::vector<pid_t> all{pid()};
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos)
      continue;
    auto found = look_at(std::atoi(name.c_str()));
    if (found && found->first == pid() && found->second != 'Z')
      all.push_back(std::atoi(name.c_str()));
  }
  return all;
}

void own_postgres::signal_all(int signal) const {
  for (auto process : processes())
    ::kill(process, signal);
}

// The postmaster first, so that it makes no other process meanwhile.
void own_postgres::kill() {
  ::kill(pid(), SIGSTOP);
  const auto all = processes();
  for (auto process : all)
    if (process != pid())
      ::kill(process, SIGKILL);
  server_.end(SIGKILL);
  frozen_ = false;
  wait_for("PostgreSQL's processes to be gone", [&](std::string& saw) -> std::optional<bool> {
    auto left = std::count_if(all.begin(), all.end(), [](pid_t p) { return !has_ended(p); });
    saw = std::to_string(left) + " are left";
    return left == 0 ? std::optional(true) : std::nullopt;
  });
}

void own_postgres::freeze() {
  ::kill(pid(), SIGSTOP);
  wait_for("PostgreSQL to be stopped", [&](std::string&) -> std::optional<bool> {
    auto now = look_at(pid());
    return now && now->second == 'T' ? std::optional(true) : std::nullopt;
  });
  signal_all(SIGSTOP);
  frozen_ = true;
}

void own_postgres::thaw() {
  if (frozen_)
    signal_all(SIGCONT);
  frozen_ = false;
}

// A start-up packet of protocol 3.0; the server's first byte says whether it takes the client in.
size_t hogged_connections::take_all() {
  const char body[] = "\0\3\0\0user\0fondaco\0database\0postgres\0application_name\0hog\0";
  std::string packet(body, sizeof body);
  const uint32_t length = htonl(static_cast<uint32_t>(packet.size() + 4));
  packet.insert(0, reinterpret_cast<const char*>(&length), 4);
  constexpr size_t never_more_than = 1000;
  while (held_.size() < never_more_than) {
    conformance::http::descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(server_.port()));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0, "PostgreSQL's port is closed");
    check(::send(fd.get(), packet.data(), packet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(packet.size()),
          "a start-up packet cannot be sent");
    pollfd waiting{fd.get(), POLLIN, 0};
    check(::poll(&waiting, 1, static_cast<int>(wait_within.count())) == 1, "PostgreSQL does not answer a start-up");
    char kind = 0;
    if (::recv(fd.get(), &kind, 1, MSG_PEEK) != 1 || kind != 'R')
      return held_.size();
    held_.push_back(std::move(fd));
  }
  throw failed("PostgreSQL takes more than a thousand connections");
}

void hogged_connections::evict_others() {
  check(take_all() > 0, "PostgreSQL takes nobody in");
  const int fd = held_.front().get();
  read_until_ready(fd);
  const std::string text = "select count(pg_terminate_backend(pid)) from pg_stat_activity where "
                           "application_name <> 'hog' and backend_type = 'client backend'";
  const uint32_t length = htonl(static_cast<uint32_t>(text.size() + 5));
  const auto packet = "Q" + std::string(reinterpret_cast<const char*>(&length), 4) + text + std::string(1, '\0');
  wait_for("everybody else to be out of PostgreSQL", [&](std::string& saw) -> std::optional<bool> {
    check(::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(packet.size()),
          "a query cannot be sent");
    saw = read_until_ready(fd);
    if (saw == "0")
      return true;
    take_all();
    return std::nullopt;
  });
}

} // namespace fondaco::e2e
