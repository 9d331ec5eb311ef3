#include "e2e/onboarding_chaos.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/answer.hpp"
#include "e2e/node.hpp"

namespace fondaco::e2e {

namespace {

/// How long a kill waits at most after the step that it was planned for, and how long the victim then lies.
constexpr milliseconds moment_max{500};
constexpr milliseconds down_max{1'000};

bool takes_connections(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool taken = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return taken;
}

} // namespace

nats_process::nats_process(const std::string& folder)
    : folder_(folder), port_(free_port()), monitor_port_(free_port()) {
  std::filesystem::create_directories(folder_);
}

void nats_process::start() {
  process_.start({"nats-server", "-a", "127.0.0.1", "-p", std::to_string(port_), "-m", std::to_string(monitor_port_),
                  "-js", "-sd", folder_ + "/js"},
                 folder_ + "/nats.log");
  wait_for("nats-server to take connections",
           [&](std::string&) { return takes_connections(port_) ? std::optional(true) : std::nullopt; });
}

void nats_process::kill() { process_.end(SIGKILL); }

std::string nats_process::open() const {
  const auto got = send("GET", "http://127.0.0.1:" + std::to_string(monitor_port_) + "/jsz?consumers=true", {});
  check_equal("the status of nats-server's report", got.status, 200);
  const auto number = [](const json::object& o, const char* name) {
    const auto* v = o.if_contains(name);
    return v ? v->to_number<int64_t>() : 0;
  };
  std::string out;
  const auto note = [&out](const std::string& what, int64_t count, const char* which) {
    if (count > 0)
      out += what + ": " + std::to_string(count) + " " + which + "; ";
  };
  for (const auto& account : array_at(got.object(), "account_details"))
    for (const auto& stream : array_at(account.as_object(), "stream_detail")) {
      const auto name = text_at(stream.as_object(), "name");
      if (name.ends_with("-dead"))
        note(name, number(object_at(stream.as_object(), "state"), "messages"), "dead letters");
      for (const auto& v : array_at(stream.as_object(), "consumer_detail")) {
        const auto& consumer = v.as_object();
        note(text_at(consumer, "name"), number(consumer, "num_pending"), "messages that nobody took");
      }
    }
  return out;
}

chaos::chaos(std::vector<victim> victims, uint64_t seed) : victims_(std::move(victims)), random_(seed) {}

chaos::~chaos() { halt(); }

void chaos::begin(size_t rounds, size_t steps) {
  check(!thread_.joinable(), "the last kills are not finished");
  std::vector<const victim*> order;
  for (size_t r = 0; r < rounds; ++r) {
    std::vector<const victim*> round;
    for (const auto& v : victims_)
      round.push_back(&v);
    std::ranges::shuffle(round, random_);
    order.insert(order.end(), round.begin(), round.end());
  }
  std::vector<size_t> moments;
  for (size_t i = 0; i < order.size(); ++i)
    moments.push_back(random_() % steps);
  std::ranges::sort(moments);
  std::vector<std::pair<size_t, const victim*>> plan;
  for (size_t i = 0; i < order.size(); ++i)
    plan.emplace_back(moments[i], order[i]);
  steps_ = 0;
  next_kill_ = moments.empty() ? SIZE_MAX : moments.front();
  thread_ = std::thread([this, plan] { run(plan); });
}

void chaos::run(std::vector<std::pair<size_t, const victim*>> plan) {
  std::unique_lock lock(mutex_);
  for (const auto& [moment, who] : plan) {
    next_kill_ = moment;
    changed_.wait(lock, [&, at = moment] { return halted_ || steps_ >= at; });
    if (pause(lock, moment_max))
      return;
    const milliseconds down(random_() % static_cast<uint64_t>(down_max.count()));
    try {
      lock.unlock();
      who->kill();
      lock.lock();
      ++kills_[who->name];
      changed_.wait_for(lock, down, [&] { return halted_; });
      lock.unlock();
      who->start();
      lock.lock();
      last_rise_ = steady::now();
    } catch (const std::exception&) {
      if (!lock.owns_lock())
        lock.lock();
      failure_ = std::current_exception();
      return;
    }
  }
  next_kill_ = SIZE_MAX;
}

bool chaos::pause(std::unique_lock<std::mutex>& lock, milliseconds longest) {
  const milliseconds wait(random_() % static_cast<uint64_t>(longest.count()));
  changed_.wait_for(lock, wait, [&] { return halted_; });
  return halted_;
}

void chaos::rethrow() {
  std::lock_guard lock(mutex_);
  if (failure_)
    std::rethrow_exception(failure_);
}

size_t chaos::next_kill() {
  std::lock_guard lock(mutex_);
  return next_kill_;
}

void chaos::step() {
  {
    std::lock_guard lock(mutex_);
    ++steps_;
  }
  changed_.notify_all();
  rethrow();
}

void chaos::finish() {
  if (thread_.joinable())
    thread_.join();
  rethrow();
}

void chaos::halt() noexcept {
  {
    std::lock_guard lock(mutex_);
    halted_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

} // namespace fondaco::e2e
