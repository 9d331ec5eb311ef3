#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cells/control_plane/process.hpp"

namespace fondaco::control_plane {

/// A message of ours that the peer has not acknowledged.
struct negotiation_outgoing {
  dsp::negotiation_message type = dsp::negotiation_message::request;
  std::string message_id;
  /// The offer or the agreement.
  json::object policy;
  std::string code;
  std::vector<std::string> reasons;
  timepoint not_before;
  /// When we stop trying.
  timepoint window_until;
  /// True: given up at the first failure (the last word to a peer that may be gone).
  bool best_effort = false;
  /// The last cause of failure that was journaled.
  std::string failure;
  /// How many times the peer refused it.
  int64_t refusals = 0;
  /// True while the peer's state has to be asked for before it is sent again.
  bool probing = false;

  bool operator==(const negotiation_outgoing&) const = default;
  static void each(auto& s, auto&& f) {
    f("type", s.type);
    f("message_id", s.message_id);
    f("policy", s.policy);
    f("code", s.code);
    f("reasons", s.reasons);
    f("not_before", s.not_before);
    f("window_until", s.window_until);
    f("best_effort", s.best_effort);
    f("failure", s.failure);
    f("refusals", s.refusals);
    f("probing", s.probing);
  }
};

/// The events of a negotiation. Each says in `at` when it was decided and in `cause` what made it.
namespace negotiation_events {

/// The negotiation began: by our own first message (`first` set) or by the peer's.
struct opened {
  static constexpr std::string_view what = "opened";
  timepoint at;
  std::string cause;
  dsp::role self = dsp::role::consumer;
  std::string id;
  std::string peer_pid;
  std::string counterparty_id;
  std::string counterparty_address;
  std::string callback_address;
  std::string participant_id;
  std::string profile;
  std::string asset_id;
  json::object offer;
  json::object terms;
  json::object claims;
  json::value callback_addresses;
  std::string request_id;
  std::string request_digest;
  process_settings settings;
  std::optional<negotiation_outgoing> first;
  std::string traceparent;

  bool operator==(const opened&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("self", s.self);
    f("id", s.id);
    f("peer_pid", s.peer_pid);
    f("counterparty_id", s.counterparty_id);
    f("counterparty_address", s.counterparty_address);
    f("callback_address", s.callback_address);
    f("participant_id", s.participant_id);
    f("profile", s.profile);
    f("asset_id", s.asset_id);
    f("offer", s.offer);
    f("terms", s.terms);
    f("claims", s.claims);
    f("callback_addresses", s.callback_addresses);
    f("request_id", s.request_id);
    f("request_digest", s.request_digest);
    f("settings", s.settings);
    f("first", s.first);
    f("traceparent", s.traceparent);
  }
};

/// A message of the peer was accepted.
struct received {
  static constexpr std::string_view what = "received";
  timepoint at;
  /// The message's id; empty if it had none.
  std::string cause;
  dsp::negotiation_message type = dsp::negotiation_message::request;
  /// The peer's process id, if it was not known before.
  std::string peer_pid;
  std::string asset_id;
  /// The offer or the agreement.
  json::object policy;
  json::object terms;
  json::object claims;
  /// Why the peer terminated.
  std::string reason;

  bool operator==(const received&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("type", s.type);
    f("peer_pid", s.peer_pid);
    f("asset_id", s.asset_id);
    f("policy", s.policy);
    f("terms", s.terms);
    f("claims", s.claims);
    f("reason", s.reason);
  }
};

/// A message of ours was chosen, with its id, before it is sent for the first time.
struct sending {
  static constexpr std::string_view what = "sending";
  timepoint at;
  std::string cause;
  negotiation_outgoing out;
  /// The rules that an agreement will have, if an operator changed them.
  json::object terms;
  /// The peer's process id, if it was not known before.
  std::string peer_pid;

  bool operator==(const sending&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("out", s.out);
    f("terms", s.terms);
    f("peer_pid", s.peer_pid);
  }
};

/// The peer acknowledged our message, or showed by what it did that it had taken it.
struct acknowledged {
  static constexpr std::string_view what = "acknowledged";
  timepoint at;
  /// The message's id.
  std::string cause;
  dsp::negotiation_message type = dsp::negotiation_message::request;
  std::string peer_pid;

  bool operator==(const acknowledged&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("type", s.type);
    f("peer_pid", s.peer_pid);
  }
};

/// Our message failed for the first time, for another reason than before, or (`refused`) by the peer's word.
struct send_failed {
  static constexpr std::string_view what = "send_failed";
  timepoint at;
  std::string cause;
  std::string text;
  bool refused = false;

  bool operator==(const send_failed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("text", s.text);
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

/// We ended the negotiation; `notice` tells the peer.
struct ended {
  static constexpr std::string_view what = "ended";
  timepoint at;
  std::string cause;
  std::vector<process_cause> causes;
  std::optional<negotiation_outgoing> notice;

  bool operator==(const ended&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("causes", s.causes);
    f("notice", s.notice);
  }
};

/// The peer could not be told of the end; nothing is owed any more.
struct notice_dropped {
  static constexpr std::string_view what = "notice_dropped";
  timepoint at;
  std::string cause;
  std::string text;

  bool operator==(const notice_dropped&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("text", s.text);
  }
};

/// An operator removed the negotiation.
struct removed {
  static constexpr std::string_view what = "removed";
  timepoint at;
  std::string cause;

  bool operator==(const removed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
  }
};

} // namespace negotiation_events

/// One event of a negotiation.
using negotiation_event =
    std::variant<negotiation_events::opened, negotiation_events::received, negotiation_events::sending,
                 negotiation_events::acknowledged, negotiation_events::send_failed, negotiation_events::resumed,
                 negotiation_events::ended, negotiation_events::notice_dropped, negotiation_events::removed>;

} // namespace fondaco::control_plane
