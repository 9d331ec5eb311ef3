#include "conformance/dsp/transfer_steps.hpp"

#include <algorithm>

#include "conformance/dsp/messages.hpp"

namespace fondaco::conformance::dsp {

using enum transfer_state;

transfer_runner::transfer_runner(environment& env)
    : step_runner(env), agreement_id_(env.config.of_case(env.key_prefix + "_AGREEMENTID", random_uuid())),
      format_(env.config.of_case(env.key_prefix + "_FORMAT", "HTTP-PULL")) {}

transfer& transfer_runner::ours() {
  std::lock_guard lock(mutex_);
  if (all_.empty()) {
    throw failure("the connector under test has not begun a transfer");
  }
  return *all_.front();
}

std::shared_ptr<transfer> transfer_runner::named_in(const json::object& message) {
  auto provider_pid = id_of(message, "providerPid");
  auto consumer_pid = id_of(message, "consumerPid");
  if (provider_pid.empty() || consumer_pid.empty()) {
    throw failure("property 'providerPid' or 'consumerPid' was not found");
  }
  std::lock_guard lock(mutex_);
  auto found = std::ranges::find_if(all_, [&](const auto& t) {
    return t->own_pid() == (t->plays() == part::provider ? provider_pid : consumer_pid);
  });
  if (found == all_.end()) {
    throw std::out_of_range("transfer process not found for " + provider_pid + ", " + consumer_pid);
  }
  return *found;
}

std::function<std::pair<int, json::object>(const json::object&)> transfer_runner::moving_to(transfer_state to) {
  return [this, to](const json::object& m) -> std::pair<int, json::object> {
    auto t = named_in(m);
    try {
      t->transition(to);
      return {200, process_message("TransferProcess", t->provider_pid(), t->consumer_pid(), name_of(to))};
    } catch (const illegal_state& e) {
      env_.log.line(std::string("  ! ") + e.what());
      return {409, coded_message("TransferError", t->provider_pid(), t->consumer_pid(), "409")};
    }
  };
}

transfer_runner& transfer_runner::expect_start() {
  on_fallible_callback("/transfers/[^/]+/start", "TransferStartMessage", moving_to(started));
  return *this;
}

transfer_runner& transfer_runner::expect_suspension() {
  on_fallible_callback("/transfers/[^/]+/suspension", "TransferSuspensionMessage", moving_to(suspended));
  return *this;
}

transfer_runner& transfer_runner::expect_completion() {
  on_fallible_callback("/transfers/[^/]+/completion", "TransferCompletionMessage", moving_to(completed));
  return *this;
}

transfer_runner& transfer_runner::expect_termination() {
  on_callback("/transfers/[^/]+/termination", "TransferTerminationMessage", [this](const json::object& m) {
    auto t = named_in(m);
    t->transition(terminated);
    return process_message("TransferProcess", t->provider_pid(), t->consumer_pid(), "TERMINATED");
  });
  return *this;
}

transfer_runner& transfer_runner::send(const std::string& tail, const json::object& body, transfer_state to,
                                       bool error_expected) {
  auto& t = ours();
  post(env_, t.address + "/transfers/" + t.peer_pid() + tail, body, error_expected);
  if (!error_expected) {
    t.transition(to);
  }
  return *this;
}

transfer_runner& transfer_runner::send_start(address data, bool error_expected) {
  auto& t = ours();
  return send("/start", transfer_start(t.provider_pid(), t.consumer_pid(), data == address::present), started,
              error_expected);
}

transfer_runner& transfer_runner::send_suspension(bool error_expected) {
  auto& t = ours();
  return send("/suspension", coded_message("TransferSuspensionMessage", t.provider_pid(), t.consumer_pid()), suspended,
              error_expected);
}

transfer_runner& transfer_runner::send_completion(bool error_expected) {
  auto& t = ours();
  return send("/completion", pid_message("TransferCompletionMessage", t.provider_pid(), t.consumer_pid()), completed,
              error_expected);
}

transfer_runner& transfer_runner::send_termination() {
  auto& t = ours();
  return send("/termination", coded_message("TransferTerminationMessage", t.provider_pid(), t.consumer_pid()),
              terminated, false);
}

transfer_runner& transfer_runner::wait_for(transfer_state own) {
  wait_until("our transfer to be " + std::string(name_of(own)), [&] {
    std::lock_guard lock(mutex_);
    return !all_.empty() && all_.front()->state() == own;
  });
  return *this;
}

transfer_runner& transfer_runner::verify(transfer_state theirs) {
  std::string last;
  try {
    wait_until("the transfer of the connector under test to be " + std::string(name_of(theirs)), [&] {
      auto& t = ours();
      auto text = get(env_, t.address + "/transfers/" + t.peer_pid()).raw.body;
      last = id_of(accept_process(env_, text, "TransferProcess"), "state");
      return last == name_of(theirs);
    });
  } catch (const failure& e) {
    throw failure(std::string(e.what()) + (last.empty() ? "" : "; it says " + last));
  }
  return *this;
}

transfer_runner& transfer_runner::send_request() {
  auto t = std::make_shared<transfer>(part::consumer, random_uuid());
  t->address = env_.config.base_url;
  {
    std::lock_guard lock(mutex_);
    all_.push_back(t);
  }
  auto body = transfer_request(t->own_pid(), agreement_id_, format_, env_.config.callback_address);
  auto answer = post(env_, t->address + "/transfers/request", body);
  if (answer.status != 201) {
    env_.log.note("a create was answered with " + std::to_string(answer.status) + ", not 201");
  }
  auto pid = id_of(accept_body(env_, answer.raw.body, "TransferProcess"), "providerPid");
  if (pid.empty()) {
    throw failure("property 'providerPid' was not found");
  }
  t->requested_as(pid);
  return *this;
}

transfer_runner& transfer_runner::expect_request() {
  on_callback("/transfers/request", "TransferRequestMessage", [this](const json::object& m) {
    auto consumer_pid = id_of(m, "consumerPid");
    auto callback = literal_of(m, "callbackAddress");
    if (consumer_pid.empty() || callback.empty()) {
      throw failure("property 'consumerPid' or 'callbackAddress' was not found");
    }
    std::lock_guard lock(mutex_);
    auto known = std::ranges::find_if(all_, [&](const auto& t) { return t->peer_pid() == consumer_pid; });
    auto t = known != all_.end() ? *known : std::make_shared<transfer>(part::provider, random_uuid());
    if (known == all_.end()) {
      t->address = callback;
      t->requested_as(consumer_pid);
      all_.push_back(t);
    }
    return process_message("TransferProcess", t->provider_pid(), t->consumer_pid(), name_of(t->state()));
  });
  return *this;
}

transfer_runner& transfer_runner::initiate() {
  post(env_, env_.config.transfer_initiate_url, transfer_webhook(agreement_id_, format_, env_.config.callback_address));
  return *this;
}

} // namespace fondaco::conformance::dsp
