#pragma once

#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fondaco::conformance::dsp {

/// A step did not hold: the case fails with this sentence.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The counterparty's own state machine does not allow a transition.
struct illegal_state : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class negotiation_state : uint8_t {
  initialized,
  requested,
  offered,
  accepted,
  agreed,
  verified,
  finalized,
  terminated
};
enum class transfer_state : uint8_t { initialized, requested, started, suspended, completed, terminated };

/// `REQUESTED` and so on.
std::string_view name_of(negotiation_state s);
std::string_view name_of(transfer_state s);

/// True if the kit's reference machine goes from one state to the other (dsp-tck.md, section 7.6).
bool may_follow(negotiation_state from, negotiation_state to);
bool may_follow(transfer_state from, transfer_state to);

/// Which part of a process the counterparty plays.
enum class part : uint8_t { consumer, provider };

/// A process of the counterparty: its ids, its peer's address and its state. `State` is one of the two above.
template <class State> class process {
public:
  process(part plays, std::string own_pid) : plays_(plays), own_pid_(std::move(own_pid)) {}

  std::string offer_id, dataset_id, agreement_id, format, counter_party_id;
  /// The base URL of the connector under test for this process.
  std::string address;

  [[nodiscard]] part plays() const { return plays_; }
  [[nodiscard]] const std::string& own_pid() const { return own_pid_; }
  [[nodiscard]] std::string peer_pid() const {
    std::lock_guard lock(mutex_);
    return peer_pid_;
  }
  [[nodiscard]] std::string consumer_pid() const { return plays_ == part::consumer ? own_pid_ : peer_pid(); }
  [[nodiscard]] std::string provider_pid() const { return plays_ == part::provider ? own_pid_ : peer_pid(); }
  [[nodiscard]] State state() const {
    std::lock_guard lock(mutex_);
    return state_;
  }

  /// Moves on, or throws `illegal_state`. REQUESTED and OFFERED need the peer's pid, and so does a start.
  void transition(State to) {
    std::lock_guard lock(mutex_);
    move(to);
  }

  /// Records the peer's pid and becomes REQUESTED.
  void requested_as(const std::string& peer_pid) {
    std::lock_guard lock(mutex_);
    peer_pid_ = peer_pid;
    move(State::requested);
  }

private:
  void move(State to) {
    if (!may_follow(state_, to)) {
      throw illegal_state("illegal state transition from " + std::string(name_of(state_)) + " to " +
                          std::string(name_of(to)));
    }
    if (state_ == State::initialized && to != State::terminated && peer_pid_.empty()) {
      throw illegal_state("the pid of the connector under test is not known yet");
    }
    state_ = to;
  }

  const part plays_;
  const std::string own_pid_;
  mutable std::mutex mutex_;
  std::string peer_pid_;
  State state_ = State::initialized;
};

using negotiation = process<negotiation_state>;
using transfer = process<transfer_state>;

} // namespace fondaco::conformance::dsp
