#include <algorithm>

#include "conformance/dsp/messages.hpp"
#include "conformance/dsp/negotiation_steps.hpp"

namespace fondaco::conformance::dsp {

using enum negotiation_state;

namespace {

constexpr std::string_view offer_prefix = "offer";

} // namespace

consumer_negotiation::consumer_negotiation(environment& env)
    : step_runner(env), dataset_id_(env.config.of_case(env.key_prefix + "_DATASETID", random_uuid())) {}

std::shared_ptr<negotiation> consumer_negotiation::named_in(const json::object& message) {
  auto pid = id_of(message, "providerPid");
  std::lock_guard lock(mutex_);
  auto found = std::ranges::find_if(all_, [&](const auto& n) { return n->own_pid() == pid; });
  if (found == all_.end()) {
    throw failure("contract negotiation not found for id: '" + pid + "'");
  }
  return *found;
}

negotiation& consumer_negotiation::ours() {
  std::lock_guard lock(mutex_);
  if (all_.empty()) {
    throw failure("the connector under test has not begun a negotiation");
  }
  return *all_.front();
}

std::string consumer_negotiation::url(const std::string& tail) {
  return ours().address + "/negotiations/" + ours().peer_pid() + tail;
}

json::object consumer_negotiation::handle_request(const json::object& message) {
  auto answer = [](const negotiation& n) {
    return process_message("ContractNegotiation", n.provider_pid(), n.consumer_pid(), name_of(n.state()));
  };
  if (message.contains("providerPid")) {
    auto n = named_in(message);
    n->transition(requested);
    return answer(*n);
  }
  auto consumer_pid = id_of(message, "consumerPid");
  std::lock_guard lock(mutex_);
  auto known = std::ranges::find_if(all_, [&](const auto& n) { return n->peer_pid() == consumer_pid; });
  if (known != all_.end()) {
    return answer(**known);
  }
  const auto* offer = message.if_contains("offer");
  auto offer_id = offer != nullptr && offer->is_object() ? id_of(offer->get_object(), "@id") : std::string();
  auto address = literal_of(message, "callbackAddress");
  if (consumer_pid.empty() || address.empty()) {
    throw failure("property 'consumerPid' or 'callbackAddress' was not found");
  }
  if (!offer_id.starts_with(offer_prefix)) {
    throw failure("the offer id '" + offer_id + "' does not start with '" + std::string(offer_prefix) + "'");
  }
  auto n = std::make_shared<negotiation>(part::provider, random_uuid());
  n->offer_id = offer_id;
  n->dataset_id = offer_id.substr(offer_prefix.size());
  n->counter_party_id = env_.config.agent_id;
  n->address = address.ends_with('/') ? address.substr(0, address.size() - 1) : address;
  n->requested_as(consumer_pid);
  all_.push_back(n);
  return answer(*n);
}

consumer_negotiation& consumer_negotiation::expect_initial_request() {
  on_callback("/negotiations/request", "ContractRequestMessage",
              [this](const json::object& m) { return handle_request(m); });
  return *this;
}

consumer_negotiation& consumer_negotiation::expect_counter_request() {
  on_callback("/negotiations/[^/]+/request", "ContractRequestMessage",
              [this](const json::object& m) { return handle_request(m); });
  return *this;
}

consumer_negotiation& consumer_negotiation::expect_accepted() {
  on_callback("/negotiations/[^/]+/events", "ContractNegotiationEventMessage",
              [this](const json::object& m) -> std::optional<json::object> {
                if (id_of(m, "eventType").empty()) {
                  throw failure("property 'eventType' was not found");
                }
                named_in(m)->transition(accepted);
                return std::nullopt;
              });
  return *this;
}

consumer_negotiation& consumer_negotiation::expect_verification() {
  on_callback("/negotiations/[^/]+/agreement/verification", "ContractAgreementVerificationMessage",
              [this](const json::object& m) -> std::optional<json::object> {
                named_in(m)->transition(verified);
                return std::nullopt;
              });
  return *this;
}

consumer_negotiation& consumer_negotiation::expect_termination() {
  on_callback("/negotiations/[^/]+/termination/", "ContractNegotiationTerminationMessage",
              [this](const json::object& m) {
                if (id_of(m, "consumerPid").empty()) {
                  throw failure("property 'consumerPid' was not found");
                }
                auto n = named_in(m);
                n->transition(terminated);
                return process_message("ContractNegotiation", n->provider_pid(), n->consumer_pid(), "TERMINATED");
              });
  return *this;
}

consumer_negotiation& consumer_negotiation::initiate() {
  post(env_, env_.config.negotiation_initiate_url, negotiation_webhook(dataset_id_, env_.config.callback_address));
  return *this;
}

consumer_negotiation& consumer_negotiation::send_offer(bool error_expected) {
  auto& n = ours();
  post(env_, url("/offers"), offer_message(n.own_pid(), n.peer_pid(), n.offer_id, n.dataset_id, n.counter_party_id),
       error_expected);
  if (!error_expected) {
    n.transition(offered);
  }
  return *this;
}

consumer_negotiation& consumer_negotiation::send_agreement(bool error_expected) {
  auto& n = ours();
  post(env_, url("/agreement"),
       agreement_message(n.own_pid(), n.peer_pid(), random_uuid(), n.dataset_id, env_.config.agent_id), error_expected);
  if (!error_expected) {
    n.transition(agreed);
  }
  return *this;
}

consumer_negotiation& consumer_negotiation::send_finalized(bool error_expected) {
  auto& n = ours();
  post(env_, url("/events"), event_message(n.own_pid(), n.peer_pid(), "FINALIZED"), error_expected);
  if (!error_expected) {
    n.transition(finalized);
  }
  return *this;
}

consumer_negotiation& consumer_negotiation::send_termination() {
  pause(short_pause);
  auto& n = ours();
  post(env_, url("/termination"),
       coded_message("ContractNegotiationTerminationMessage", n.provider_pid(), n.consumer_pid()));
  n.transition(terminated);
  return *this;
}

consumer_negotiation& consumer_negotiation::wait_for(negotiation_state own) {
  wait_until("our negotiation to be " + std::string(name_of(own)), [&] {
    std::lock_guard lock(mutex_);
    return !all_.empty() && all_.front()->state() == own;
  });
  return *this;
}

consumer_negotiation& consumer_negotiation::verify(negotiation_state theirs) {
  pause(short_pause);
  auto body = accept_process(env_, get(env_, url("")).raw.body, "ContractNegotiation");
  if (auto state = id_of(body, "state"); state != name_of(theirs)) {
    throw failure("expected the connector under test in " + std::string(name_of(theirs)) + ", it says " + state);
  }
  return *this;
}

} // namespace fondaco::conformance::dsp
