#pragma once

#include "conformance/dsp/counterparty.hpp"

namespace fondaco::conformance::dsp {

/// The steps of the CN cases: the connector under test is the provider, we are the consumer (dsp-tck.md, section 9.2).
class provider_negotiation : public step_runner {
public:
  explicit provider_negotiation(environment& env);

  provider_negotiation& expect_offer();
  provider_negotiation& expect_agreement();
  provider_negotiation& expect_finalized();
  /// Answered without a body; the message's pids are not looked at.
  provider_negotiation& expect_termination();
  /// Answered with a ContractNegotiation.
  provider_negotiation& expect_termination_message();
  provider_negotiation& send_request();
  provider_negotiation& send_counter_request(bool error_expected = false);
  /// The same with an offer that the kit has written into the case.
  provider_negotiation& send_counter_request_for(const std::string& offer_id, const std::string& dataset_id,
                                                 bool error_expected = false);
  provider_negotiation& send_accepted();
  provider_negotiation& send_verification(bool error_expected = false);
  provider_negotiation& send_termination(bool error_expected = false);
  provider_negotiation& wait_for(negotiation_state own);
  /// One GET after a short pause.
  provider_negotiation& verify(negotiation_state theirs);

private:
  negotiation& named_in(const json::object& message) const;
  [[nodiscard]] std::string url(const std::string& tail) const;

  std::unique_ptr<negotiation> ours_;
};

/// The steps of the CN_C cases: the connector under test is the consumer, we are the provider (section 9.3).
class consumer_negotiation : public step_runner {
public:
  explicit consumer_negotiation(environment& env);

  consumer_negotiation& expect_initial_request();
  consumer_negotiation& expect_counter_request();
  consumer_negotiation& expect_accepted();
  consumer_negotiation& expect_verification();
  consumer_negotiation& expect_termination();
  /// Pokes the webhook.
  consumer_negotiation& initiate();
  consumer_negotiation& send_offer(bool error_expected = false);
  consumer_negotiation& send_agreement(bool error_expected = false);
  consumer_negotiation& send_finalized(bool error_expected = false);
  consumer_negotiation& send_termination();
  consumer_negotiation& wait_for(negotiation_state own);
  /// One GET after a short pause.
  consumer_negotiation& verify(negotiation_state theirs);

private:
  json::object handle_request(const json::object& message);
  std::shared_ptr<negotiation> named_in(const json::object& message);
  /// The negotiation that the connector under test began.
  negotiation& ours();
  [[nodiscard]] std::string url(const std::string& tail);

  std::mutex mutex_;
  std::vector<std::shared_ptr<negotiation>> all_;
  std::string dataset_id_;
};

} // namespace fondaco::conformance::dsp
