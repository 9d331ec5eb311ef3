#include "crash/victim.hpp"

#include <csignal>
#include <filesystem>

#include "e2e/text.hpp"

namespace fondaco::crash {

namespace {

// A node's configuration with another port for its PostgreSQL server; makes the wire to that server.
std::unique_ptr<commit_proxy> put_between(e2e::node& n) {
  const auto url = n.database().url();
  const auto at = url.find('@'), colon = url.find(':', at), slash = url.find('/', colon);
  e2e::check(at != std::string::npos && colon != std::string::npos && slash != std::string::npos,
             "FONDACO_TEST_POSTGRES has to name a user, a host and a port");
  auto proxy = std::make_unique<commit_proxy>(std::atoi(url.substr(colon + 1, slash - colon - 1).c_str()));
  auto through = url;
  through.replace(colon + 1, slash - colon - 1, std::to_string(proxy->port()));
  e2e::write_private(n.config_file(), e2e::replaced(e2e::read_file(n.config_file()), url, through));
  return proxy;
}

} // namespace

victim::victim(e2e::node& n, e2e::store_kind kind, std::string count_file)
    : node_(n), count_file_(std::move(count_file)) {
  if (kind == e2e::store_kind::postgres)
    proxy_ = put_between(n);
}

void victim::stop() {
  if (node_.running())
    node_.stop();
  node_.launch_by({});
}

void victim::start_to_die(uint64_t n, side when) {
  stop();
  if (proxy_) {
    proxy_->arm(n, when, [this] { ::kill(node_.pid(), SIGKILL); });
  } else {
    node_.launch_by({std::filesystem::read_symlink("/proc/self/exe").string(), "trace", std::to_string(n),
                     when == side::before ? "before" : "after", count_file_});
  }
  try {
    node_.start();
  } catch (const e2e::failed&) {
    if (n == 0 || commits() + 1 < n)
      throw; // it was not killed
  }
}

uint64_t victim::commits() const {
  if (proxy_)
    return proxy_->count();
  return std::filesystem::exists(count_file_) ? std::strtoull(e2e::read_file(count_file_).c_str(), nullptr, 10) : 0;
}

std::optional<std::string> victim::revive() {
  if (node_.running() && !node_.died())
    return std::nullopt;
  if (node_.running())
    node_.kill();
  const auto what = proxy_ ? "at: " + proxy_->struck_at() : "at a sync of its files";
  if (proxy_)
    proxy_->arm(0, side::before, {});
  node_.launch_by({});
  node_.start();
  return what;
}

} // namespace fondaco::crash
