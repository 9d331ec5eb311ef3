#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cells/codec/dps_names.hpp"
#include "cells/control_plane/process.hpp"
#include "protocols/dps/flow_state.hpp"

namespace fondaco::control_plane {

/// One thing that a transfer owes: a message to the peer or a signal to its own data plane. They are owed one by one,
/// in their order.
struct transfer_step {
  /// The message id, of either protocol.
  std::string id;
  /// Exactly one of the two is set.
  std::optional<dsp::transfer_message> message;
  std::optional<dps::flow_signal> signal;
  std::string code;
  std::vector<std::string> reasons;
  timepoint not_before;
  /// When we stop trying; counted from the moment that the step is the first.
  timepoint window_until;
  /// True: the transfer's address goes with it.
  bool with_address = false;
  /// True: a start that answers the peer's; left out if our data plane gave no new address.
  bool only_with_address = false;
  /// True: given up at the first failure.
  bool best_effort = false;
  /// The last cause of failure that was journaled.
  std::string failure;
  int64_t refusals = 0;
  /// True while the peer's state has to be asked for before it is sent again.
  bool probing = false;

  bool operator==(const transfer_step&) const = default;
  static void each(auto& s, auto&& f) {
    f("id", s.id);
    f("message", s.message);
    f("signal", s.signal);
    f("code", s.code);
    f("reasons", s.reasons);
    f("not_before", s.not_before);
    f("window_until", s.window_until);
    f("with_address", s.with_address);
    f("only_with_address", s.only_with_address);
    f("best_effort", s.best_effort);
    f("failure", s.failure);
    f("refusals", s.refusals);
    f("probing", s.probing);
  }
};

/// What a transfer owes, in order, and how many ids it has given out.
struct transfer_queue {
  std::vector<transfer_step> steps;
  int64_t ids = 0;

  bool operator==(const transfer_queue&) const = default;
  static void each(auto& s, auto&& f) {
    f("steps", s.steps);
    f("ids", s.ids);
  }
};

/// A data plane as it was chosen for a transfer.
struct chosen_plane {
  std::string id;
  /// The base URL of its signaling API, without `/dataflows` and a trailing slash.
  std::string endpoint;

  bool operator==(const chosen_plane&) const = default;
  static void each(auto& s, auto&& f) {
    f("id", s.id);
    f("endpoint", s.endpoint);
  }
};

/// What both parties and the planes know of a transfer from its beginning.
struct transfer_terms {
  dsp::role self = dsp::role::consumer;
  std::string id;
  std::string counterparty_id;
  /// The base that messages to the counterparty go to.
  std::string counterparty_address;
  /// Our own base.
  std::string callback_address;
  /// Our own participant id.
  std::string participant_id;
  std::string profile;
  /// The agreement's id on the wire.
  std::string agreement_id;
  std::string asset_id;
  /// The transfer profile, as `HttpData-PULL`.
  std::string format;
  std::optional<chosen_plane> plane;
  /// Where the data plane reaches us.
  std::string signaling_address;
  json::object claims;
  json::object metadata;
  std::vector<std::string> labels;
  json::value callback_addresses;
  json::object private_properties;
  std::string request_id;
  std::string request_digest;
  process_settings settings;
  /// The trace that the transfer began in (W3C traceparent); empty for none.
  std::string traceparent;

  bool operator==(const transfer_terms&) const = default;
  static void each(auto& s, auto&& f) {
    f("self", s.self);
    f("id", s.id);
    f("counterparty_id", s.counterparty_id);
    f("counterparty_address", s.counterparty_address);
    f("callback_address", s.callback_address);
    f("participant_id", s.participant_id);
    f("profile", s.profile);
    f("agreement_id", s.agreement_id);
    f("asset_id", s.asset_id);
    f("format", s.format);
    f("plane", s.plane);
    f("signaling_address", s.signaling_address);
    f("claims", s.claims);
    f("metadata", s.metadata);
    f("labels", s.labels);
    f("callback_addresses", s.callback_addresses);
    f("private_properties", s.private_properties);
    f("request_id", s.request_id);
    f("request_digest", s.request_digest);
    f("settings", s.settings);
    f("traceparent", s.traceparent);
  }
};

/// The events of a transfer. Each says in `at` when it was decided, in `cause` what made it, and those that change what
/// is owed hold the whole queue after them.
namespace transfer_events {

/// The transfer began: by our request, or (`peer_pid` set) by the peer's.
struct opened {
  static constexpr std::string_view what = "opened";
  timepoint at;
  std::string cause;
  transfer_terms terms;
  std::string peer_pid;
  std::string sealed_address;
  transfer_queue queue;

  bool operator==(const opened&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("terms", s.terms);
    f("peer_pid", s.peer_pid);
    f("sealed_address", s.sealed_address);
    f("queue", s.queue);
  }
};

/// A message of the peer was accepted.
struct received {
  static constexpr std::string_view what = "received";
  timepoint at;
  std::string cause;
  dsp::transfer_message type = dsp::transfer_message::start;
  std::string peer_pid;
  std::string sealed_address;
  std::string reason;
  transfer_queue queue;

  bool operator==(const received&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("type", s.type);
    f("peer_pid", s.peer_pid);
    f("sealed_address", s.sealed_address);
    f("reason", s.reason);
    f("queue", s.queue);
  }
};

/// An operator ordered a start, suspension or completion; or (`peer_pid` set) a peer that was not known before is told
/// of the end.
struct ordered {
  static constexpr std::string_view what = "ordered";
  timepoint at;
  std::string cause;
  dsp::transfer_message type = dsp::transfer_message::start;
  std::string reason;
  std::string peer_pid;
  transfer_queue queue;

  bool operator==(const ordered&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("type", s.type);
    f("reason", s.reason);
    f("peer_pid", s.peer_pid);
    f("queue", s.queue);
  }
};

/// The peer acknowledged our message, or showed by what it did that it had taken it.
struct acknowledged {
  static constexpr std::string_view what = "acknowledged";
  timepoint at;
  std::string cause;
  dsp::transfer_message type = dsp::transfer_message::start;
  std::string peer_pid;
  /// True: our start asked for the peer's new address.
  bool awaits_address = false;
  transfer_queue queue;

  bool operator==(const acknowledged&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("type", s.type);
    f("peer_pid", s.peer_pid);
    f("awaits_address", s.awaits_address);
    f("queue", s.queue);
  }
};

/// Our data plane answered a signal; `pending` says that it will call back.
struct signalled {
  static constexpr std::string_view what = "signalled";
  timepoint at;
  std::string cause;
  dps::flow_signal signal = dps::flow_signal::start;
  bool pending = false;
  std::string flow_id;
  std::string sealed_address;
  transfer_queue queue;

  bool operator==(const signalled&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("signal", s.signal);
    f("pending", s.pending);
    f("flow_id", s.flow_id);
    f("sealed_address", s.sealed_address);
    f("queue", s.queue);
  }
};

/// Our data plane called back.
struct reported {
  static constexpr std::string_view what = "reported";
  timepoint at;
  std::string cause;
  dps::flow_signal signal = dps::flow_signal::started;
  std::string sealed_address;
  std::string text;
  transfer_queue queue;

  bool operator==(const reported&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("signal", s.signal);
    f("sealed_address", s.sealed_address);
    f("text", s.text);
    f("queue", s.queue);
  }
};

/// The first step failed for the first time, for another reason than before, or (`refused`) by the peer's word.
struct step_failed {
  static constexpr std::string_view what = "step_failed";
  timepoint at;
  std::string cause;
  process_cause why;
  bool refused = false;

  bool operator==(const step_failed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("why", s.why);
    f("refused", s.refused);
  }
};

/// The peer's state shows that it has not taken our message: it is sent again.
struct resumed {
  static constexpr std::string_view what = "resumed";
  timepoint at;
  std::string cause;
  std::string peer_state;
  timepoint not_before;

  bool operator==(const resumed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("peer_state", s.peer_state);
    f("not_before", s.not_before);
  }
};

/// The first step was given up and the transfer goes on without it.
struct step_dropped {
  static constexpr std::string_view what = "step_dropped";
  timepoint at;
  std::string cause;
  process_cause why;
  transfer_queue queue;

  bool operator==(const step_dropped&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("why", s.why);
    f("queue", s.queue);
  }
};

/// We ended the transfer.
struct ended {
  static constexpr std::string_view what = "ended";
  timepoint at;
  std::string cause;
  std::vector<process_cause> causes;
  transfer_queue queue;

  bool operator==(const ended&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("causes", s.causes);
    f("queue", s.queue);
  }
};

/// A running transfer in which nothing has happened for long was looked at and goes on.
struct reviewed {
  static constexpr std::string_view what = "reviewed";
  timepoint at;
  std::string cause;

  bool operator==(const reviewed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
  }
};

} // namespace transfer_events

/// One event of a transfer.
using transfer_event = std::variant<transfer_events::opened, transfer_events::received, transfer_events::ordered,
                                    transfer_events::acknowledged, transfer_events::signalled,
                                    transfer_events::reported, transfer_events::step_failed, transfer_events::resumed,
                                    transfer_events::step_dropped, transfer_events::ended, transfer_events::reviewed>;

} // namespace fondaco::control_plane
