#pragma once

#include <memory>
#include <string>

#include "e2e/check.hpp"
#include "e2e/world.hpp"

namespace fondaco::e2e {

/// What every case may use: the shared world, made when it is first asked for, and folders for nodes of its own.
class bed {
public:
  bed(store_kind kind, std::string folder) : kind_(kind), folder_(std::move(folder)) {}
  store_kind kind() const { return kind_; }
  world& shared() {
    if (!world_)
      world_ = std::make_unique<world>(folder_ + "/shared", kind_);
    return *world_;
  }
  /// A folder that nobody used before.
  std::string fresh_folder() { return folder_ + "/case-" + std::to_string(++folders_); }
  /// Drops the shared world, for a case that broke it.
  void forget_shared() { world_.reset(); }

private:
  store_kind kind_;
  std::string folder_;
  size_t folders_ = 0;
  std::unique_ptr<world> world_;
};

/// The topics, a file each.
cases demo_cases();
cases flow_cases();
cases refusal_cases();
cases message_cases();
cases tenant_cases();
cases body_cases();
cases token_cases();
cases peer_cases();
cases idempotency_cases();
cases canary_cases();
cases restart_cases();
cases operator_cases();
cases ctl_cases();
cases store_verb_cases();
cases role_cases();
cases tenant_matrix_cases();
cases credential_matrix_cases();
cases route_cases();
cases fault_cases();
cases onboarding_cases();
cases trace_cases();
cases guide_cases();
/// Those of the failures that a store of this kind has.
cases store_fault_cases(store_kind kind);
cases flood_cases();

/// The test as the consumer of a negotiation over DSP, one message at a time.
class peer_negotiation {
public:
  /// `of` is the provider; the offer is taken from its catalog.
  peer_negotiation(dsp_client to, const peer& callbacks) : to_(std::move(to)), callbacks_(callbacks) {}
  /// The first offer for an asset in the catalog that the test gets; fails if there is none.
  json::object offer(const std::string& asset) const;
  /// The first message, not yet sent.
  json::object request(const std::string& asset) const;
  /// Sends the first message and keeps the provider's process id.
  void begin(const std::string& asset);
  /// Waits for a message of the provider to this process.
  delivery await(const std::string& path_end, size_t count = 1) const;
  /// Sends a message that names both processes to `/negotiations/<provider pid><rest>`.
  answer send(std::string_view type, const std::string& rest, const json::object& more = {}) const;
  answer verify() const { return send("ContractAgreementVerificationMessage", "/agreement/verification"); }
  /// Negotiates to FINALIZED; gives the agreement.
  json::object finish(const std::string& asset);
  /// The state that the provider tells.
  std::string state() const;
  void await_state(const std::string& expected) const;

  const std::string& consumer_pid() const { return consumer_pid_; }
  const std::string& provider_pid() const { return provider_pid_; }
  const dsp_client& to() const { return to_; }

private:
  dsp_client to_;
  const peer& callbacks_;
  std::string consumer_pid_ = "urn:uuid:consumer-" + std::to_string(serial());
  std::string provider_pid_;
  static size_t serial();
};

} // namespace fondaco::e2e
