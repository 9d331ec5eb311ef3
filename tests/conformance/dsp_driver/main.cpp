#include <csignal>
#include <iostream>

#include <spawn.h>
#include <sys/wait.h>

#include "conformance/dsp_driver/agreements.hpp"
#include "conformance/dsp_driver/preparation.hpp"
#include "conformance/dsp_driver/webhooks.hpp"

extern char** environ;

namespace {

using namespace fondaco::conformance;
using namespace fondaco::conformance::driver;

/// Exit codes of the driver itself; `--run` passes the command's on.
enum exit_code : int { well = 0, not_prepared = 3, unusable = 2 };

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGTERM, SIGINT, SIGCHLD}) {
    sigaddset(&set, s);
  }
  return set;
}

/// Runs the command and gives its exit code; SIGTERM and SIGINT are passed on to it.
int run_command(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& a : command) {
    arguments.push_back(const_cast<char*>(a.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &none);
  pid_t child = 0;
  int rc = ::posix_spawnp(&child, arguments[0], nullptr, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (rc != 0) {
    std::cerr << "dsp_driver: cannot run " << command.front() << ": " << std::strerror(rc) << "\n";
    return unusable;
  }
  auto signals = watched_signals();
  for (;;) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (signal != SIGCHLD) {
      ::kill(child, signal);
    }
  }
}

int serve_until_stopped() {
  auto signals = watched_signals();
  for (int signal = SIGCHLD; signal == SIGCHLD;) {
    ::sigwait(&signals, &signal);
  }
  return well;
}

/// Everything that the driver serves, by path.
class services {
public:
  services(node& n, const options& o) : node_(n), options_(o), webhooks_(n, o) {}

  result<void> listen() {
    auto started = http::server::start(options_.listen_host, options_.listen_port,
                                       [this](const http::message& request) { return route(request); });
    if (!started) {
      return std::unexpected(started.error());
    }
    server_ = std::move(*started);
    url_ = "http://" + options_.listen_host + ":" + std::to_string(server_->port());
    std::lock_guard lock(mutex_);
    agreements_ = std::make_unique<agreement_maker>(node_, options_, url_ + "/dsp");
    return {};
  }

  /// Prepares the node and writes the properties.
  result<void> prepare(std::chrono::steady_clock::time_point until) {
    auto say = [](const std::string& what) { std::cerr << "dsp_driver: " << what << std::endl; };
    if (auto up = node_.await(until); !up) {
      return up;
    }
    say("preparing participant context " + options_.participant_context);
    if (auto made = prepare_participant(node_, options_, url_ + "/data"); !made) {
      return made;
    }
    kit_facts facts;
    auto offers = read_offers(node_, options_);
    if (!offers) {
      return std::unexpected(offers.error());
    }
    facts.offers = std::move(*offers);
    std::vector<std::string> provider, consumer;
    for (const auto& number : transfer_numbers()) {
      provider.push_back("ATP" + number);
      consumer.push_back("ATPC" + number);
    }
    say("negotiating agreements with the node as provider");
    auto bought = agreements_->as_consumer(provider, "ATP0101", facts.offers.at("ATP0101"), until);
    if (!bought) {
      return std::unexpected(bought.error());
    }
    facts.agreements = std::move(*bought);
    say("negotiating agreements with the node as consumer");
    auto sold = agreements_->as_provider(consumer, until);
    if (!sold) {
      return std::unexpected(sold.error());
    }
    webhooks_.know(std::move(*sold));
    facts.webhook_url = url_ + webhook_path();
    return write_properties(node_, options_, facts);
  }

private:
  [[nodiscard]] std::string webhook_path() const { return "/tck/" + options_.participant_context; }

  http::reply route(const http::message& request) {
    auto path = request.second.substr(0, request.second.find('?'));
    if (path.starts_with("/dsp/")) {
      auto* maker = agreements();
      return maker == nullptr ? http::reply{503, "starting", {}, false}
                              : maker->handle(request.first, path.substr(4), request.body);
    }
    if (path.starts_with(webhook_path() + "/")) {
      return webhooks_.handle(request, path.substr(webhook_path().size()));
    }
    if (request.first == "GET" && path.starts_with("/data/")) {
      return {200, "the data of " + path.substr(6) + "\n", {{"Content-Type", "text/plain"}}, false};
    }
    return {404, "nothing is served here", {}, false};
  }

  agreement_maker* agreements() {
    std::lock_guard lock(mutex_);
    return agreements_.get();
  }

  node& node_;
  const options& options_;
  webhooks webhooks_;
  std::string url_;
  std::mutex mutex_;
  std::unique_ptr<agreement_maker> agreements_;
  std::unique_ptr<http::server> server_;
};

int run(const options& o) {
  auto n = node::open(o);
  if (!n) {
    std::cerr << "dsp_driver: " << n.error() << "\n";
    return unusable;
  }
  auto signals = watched_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  services s(**n, o);
  if (auto listening = s.listen(); !listening) {
    std::cerr << "dsp_driver: " << listening.error() << "\n";
    return unusable;
  }
  // Only this thread may be ended by a signal while it prepares; the server's threads never see one.
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  auto prepared = s.prepare(std::chrono::steady_clock::now() + std::chrono::seconds(o.prepare_seconds));
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  if (!prepared) {
    std::cerr << "dsp_driver: " << prepared.error() << "\n";
    return not_prepared;
  }
  std::cout << "ready" << std::endl;
  return o.command.empty() ? serve_until_stopped() : run_command(o.command);
}

} // namespace

int main(int count, char** values) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    auto o = parse_options(std::span(values, static_cast<size_t>(count)));
    if (!o) {
      std::cerr << "dsp_driver: " << o.error() << "\n";
      return unusable;
    }
    return run(*o);
  } catch (const std::exception& e) {
    std::cerr << "dsp_driver: " << e.what() << "\n";
    return unusable;
  }
}
