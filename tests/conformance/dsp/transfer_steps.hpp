#pragma once

#include "conformance/dsp/counterparty.hpp"

namespace fondaco::conformance::dsp {

/// Whether a start message carries a data address.
enum class address : uint8_t { absent, present };

/// What the TP and TP_C cases have in common: once a transfer exists, both sides send the same messages. States of the
/// connector under test are polled.
class transfer_runner : public step_runner {
public:
  explicit transfer_runner(environment& env);

  transfer_runner& expect_start();
  transfer_runner& expect_suspension();
  transfer_runner& expect_completion();
  transfer_runner& expect_termination();
  transfer_runner& send_start(address data, bool error_expected = false);
  transfer_runner& send_suspension(bool error_expected = false);
  transfer_runner& send_completion(bool error_expected = false);
  transfer_runner& send_termination();
  transfer_runner& wait_for(transfer_state own);
  transfer_runner& verify(transfer_state theirs);

  /// CUT as provider: sends the TransferRequestMessage.
  transfer_runner& send_request();
  /// CUT as consumer: expects its TransferRequestMessage.
  transfer_runner& expect_request();
  /// CUT as consumer: pokes the webhook.
  transfer_runner& initiate();

private:
  std::shared_ptr<transfer> named_in(const json::object& message);
  /// Gives the handler of a message that leads to `to`: 409 with a TransferError if the machine does not allow it.
  std::function<std::pair<int, json::object>(const json::object&)> moving_to(transfer_state to);
  transfer_runner& send(const std::string& tail, const json::object& body, transfer_state to, bool error_expected);
  transfer& ours();

  std::mutex mutex_;
  std::vector<std::shared_ptr<transfer>> all_;
  std::string agreement_id_, format_;
};

} // namespace fondaco::conformance::dsp
