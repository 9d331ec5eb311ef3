#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cells/codec/dps_names.hpp"
#include "cells/codec/dsp_names.hpp"
#include "planes/codec/fields.hpp"
#include "protocols/base/time.hpp"
#include "protocols/dps/flow_state.hpp"
#include "protocols/dsp/messages.hpp"

namespace fondaco::data_plane {

/// How a flow deals with time.
struct flow_settings {
  /// How long a callback to the control plane is tried.
  milliseconds send_window_ms{4 * 3'600'000};
  /// How often a flow in which nothing happens is looked at.
  milliseconds review_ms{7 * 86'400'000};

  bool operator==(const flow_settings&) const = default;
  static void each(auto& s, auto&& f) {
    f("send_window_ms", s.send_window_ms);
    f("review_ms", s.review_ms);
  }
};

/// What the message that made a flow said.
struct flow_terms {
  /// The flow's id: the control plane's transfer id.
  std::string id;
  dsp::role side = dsp::role::provider;
  std::string participant_id;
  std::string counter_party_id;
  std::string dataspace_context;
  std::string agreement_id;
  std::string dataset_id;
  std::string profile;
  json::object claims;
  json::object metadata;
  /// The base of callbacks, without a trailing slash.
  std::string callback_address;
  flow_settings settings;
  /// The trace of the message that made it (W3C traceparent); empty for none.
  std::string traceparent;

  bool operator==(const flow_terms&) const = default;
  static void each(auto& s, auto&& f) {
    f("id", s.id);
    f("side", s.side);
    f("participant_id", s.participant_id);
    f("counter_party_id", s.counter_party_id);
    f("dataspace_context", s.dataspace_context);
    f("agreement_id", s.agreement_id);
    f("dataset_id", s.dataset_id);
    f("profile", s.profile);
    f("claims", s.claims);
    f("metadata", s.metadata);
    f("callback_address", s.callback_address);
    f("settings", s.settings);
    f("traceparent", s.traceparent);
  }
};

/// A signal that was acted on: its repeat gets the same answer.
struct flow_message {
  dps::flow_signal signal = dps::flow_signal::start;
  std::string message_id;

  bool operator==(const flow_message&) const = default;
  static void each(auto& s, auto&& f) {
    f("signal", s.signal);
    f("message_id", s.message_id);
  }
};

/// A callback that the control plane is owed.
struct flow_notice {
  std::string id;
  dps::flow_signal signal = dps::flow_signal::completed;
  std::string text;
  timepoint not_before;
  timepoint window_until;
  /// The last cause of failure that was journaled.
  std::string failure;

  bool operator==(const flow_notice&) const = default;
  static void each(auto& s, auto&& f) {
    f("id", s.id);
    f("signal", s.signal);
    f("text", s.text);
    f("not_before", s.not_before);
    f("window_until", s.window_until);
    f("failure", s.failure);
  }
};

/// The events of a data flow. Each says in `at` when it was decided and in `cause` what made it.
namespace data_flow_events {

/// A prepare or start made the flow.
struct opened {
  static constexpr std::string_view what = "opened";
  timepoint at;
  std::string cause;
  dps::flow_signal signal = dps::flow_signal::start;
  flow_terms terms;
  std::string token_digest;
  std::string sealed_address;
  std::string sealed_source;

  bool operator==(const opened&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("signal", s.signal);
    f("terms", s.terms);
    f("token_digest", s.token_digest);
    f("sealed_address", s.sealed_address);
    f("sealed_source", s.sealed_source);
  }
};

/// A signal moved the flow.
struct signalled {
  static constexpr std::string_view what = "signalled";
  timepoint at;
  std::string cause;
  dps::flow_signal signal = dps::flow_signal::suspend;
  dps::flow_state to = dps::flow_state::suspended;
  std::string token_digest;
  std::string sealed_address;
  std::string reason;

  bool operator==(const signalled&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("signal", s.signal);
    f("to", s.to);
    f("token_digest", s.token_digest);
    f("sealed_address", s.sealed_address);
    f("reason", s.reason);
  }
};

/// The wire transfer completed or failed; the control plane will be told.
struct reported {
  static constexpr std::string_view what = "reported";
  timepoint at;
  std::string cause;
  flow_notice notice;

  bool operator==(const reported&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("notice", s.notice);
  }
};

/// A callback failed for the first time or for another reason than before.
struct notice_failed {
  static constexpr std::string_view what = "notice_failed";
  timepoint at;
  std::string cause;
  std::string text;

  bool operator==(const notice_failed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("text", s.text);
  }
};

/// A callback was taken, or (`text` set) given up.
struct notice_done {
  static constexpr std::string_view what = "notice_done";
  timepoint at;
  std::string cause;
  std::string text;

  bool operator==(const notice_done&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("text", s.text);
  }
};

/// A flow in which nothing has happened for long was looked at and goes on.
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

} // namespace data_flow_events

/// One event of a data flow.
using data_flow_event =
    std::variant<data_flow_events::opened, data_flow_events::signalled, data_flow_events::reported,
                 data_flow_events::notice_failed, data_flow_events::notice_done, data_flow_events::reviewed>;

} // namespace fondaco::data_plane
