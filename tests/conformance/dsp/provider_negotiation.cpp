#include "conformance/dsp/messages.hpp"
#include "conformance/dsp/negotiation_steps.hpp"

namespace fondaco::conformance::dsp {

using enum negotiation_state;

provider_negotiation::provider_negotiation(environment& env)
    : step_runner(env), ours_(std::make_unique<negotiation>(part::consumer, random_uuid())) {
  ours_->dataset_id = env.config.of_case(env.key_prefix + "_DATASETID", random_uuid());
  ours_->offer_id = env.config.of_case(env.key_prefix + "_OFFERID", "offer" + random_uuid());
  ours_->address = env.config.base_url;
}

negotiation& provider_negotiation::named_in(const json::object& message) const {
  if (id_of(message, "providerPid").empty()) {
    throw failure("property 'providerPid' was not found");
  }
  auto pid = id_of(message, "consumerPid");
  if (pid != ours_->own_pid()) {
    throw failure("contract negotiation not found for id: '" + pid + "'");
  }
  return *ours_;
}

std::string provider_negotiation::url(const std::string& tail) const {
  return ours_->address + "/negotiations/" + ours_->peer_pid() + tail;
}

provider_negotiation& provider_negotiation::expect_offer() {
  on_callback("/negotiations/[^/]+/offers/", "ContractOfferMessage", [this](const json::object& m) {
    auto& n = named_in(m);
    n.transition(offered);
    return process_message("ContractNegotiation", n.provider_pid(), n.consumer_pid(), "OFFERED");
  });
  return *this;
}

provider_negotiation& provider_negotiation::expect_agreement() {
  on_callback("/negotiations/[^/]+/agreement", "ContractAgreementMessage",
              [this](const json::object& m) -> std::optional<json::object> {
                named_in(m).transition(agreed);
                return std::nullopt;
              });
  return *this;
}

provider_negotiation& provider_negotiation::expect_finalized() {
  on_callback("/negotiations/[^/]+/events", "ContractNegotiationEventMessage",
              [this](const json::object& m) -> std::optional<json::object> {
                named_in(m).transition(finalized);
                return std::nullopt;
              });
  return *this;
}

provider_negotiation& provider_negotiation::expect_termination() {
  on_callback("/negotiations/[^/]+/termination/", "ContractNegotiationTerminationMessage",
              [this](const json::object&) -> std::optional<json::object> {
                ours_->transition(terminated);
                return std::nullopt;
              });
  return *this;
}

provider_negotiation& provider_negotiation::expect_termination_message() {
  on_callback("/negotiations/[^/]+/termination/", "ContractNegotiationTerminationMessage",
              [this](const json::object& m) {
                auto& n = named_in(m);
                n.transition(terminated);
                return process_message("ContractNegotiation", n.provider_pid(), n.consumer_pid(), "TERMINATED");
              });
  return *this;
}

provider_negotiation& provider_negotiation::send_request() {
  auto body = initial_request(ours_->own_pid(), ours_->offer_id, ours_->dataset_id, env_.config.callback_address);
  auto answer = post(env_, ours_->address + "/negotiations/request", body);
  if (answer.status != 201) {
    env_.log.note("a create was answered with " + std::to_string(answer.status) + ", not 201");
  }
  auto message = accept_body(env_, answer.raw.body, "ContractNegotiation");
  auto pid = id_of(message, "providerPid");
  if (pid.empty()) {
    throw failure("property 'providerPid' was not found");
  }
  ours_->requested_as(pid);
  return *this;
}

provider_negotiation& provider_negotiation::send_counter_request(bool error_expected) {
  return send_counter_request_for(ours_->offer_id, ours_->dataset_id, error_expected);
}

provider_negotiation& provider_negotiation::send_counter_request_for(const std::string& offer_id,
                                                                     const std::string& dataset_id,
                                                                     bool error_expected) {
  auto body = counter_request(ours_->peer_pid(), ours_->own_pid(), offer_id, dataset_id);
  if (!error_expected) {
    ours_->transition(requested);
  }
  post(env_, url("/request"), body, error_expected);
  return *this;
}

provider_negotiation& provider_negotiation::send_accepted() {
  ours_->transition(accepted);
  post(env_, url("/events"), event_message(ours_->peer_pid(), ours_->own_pid(), "ACCEPTED"));
  return *this;
}

provider_negotiation& provider_negotiation::send_verification(bool error_expected) {
  pause(short_pause);
  if (!error_expected) {
    ours_->transition(verified);
  }
  post(env_, url("/agreement/verification"),
       pid_message("ContractAgreementVerificationMessage", ours_->peer_pid(), ours_->own_pid()), error_expected);
  return *this;
}

provider_negotiation& provider_negotiation::send_termination(bool error_expected) {
  pause(short_pause);
  post(env_, url("/termination"),
       coded_message("ContractNegotiationTerminationMessage", ours_->provider_pid(), ours_->consumer_pid()),
       error_expected);
  if (!error_expected) {
    ours_->transition(terminated);
  }
  return *this;
}

provider_negotiation& provider_negotiation::wait_for(negotiation_state own) {
  wait_until("our negotiation to be " + std::string(name_of(own)), [&] { return ours_->state() == own; });
  return *this;
}

provider_negotiation& provider_negotiation::verify(negotiation_state theirs) {
  pause(short_pause);
  auto body = accept_process(env_, get(env_, url("")).raw.body, "ContractNegotiation");
  if (auto state = id_of(body, "state"); state != name_of(theirs)) {
    throw failure("expected the connector under test in " + std::string(name_of(theirs)) + ", it says " + state);
  }
  return *this;
}

} // namespace fondaco::conformance::dsp
