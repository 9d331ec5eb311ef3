#include "cells/control_plane/dsp_sender.hpp"

#include <optional>
#include <utility>

#include "cells/control_plane/message_log.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/control_plane/peer_tokens.hpp"
#include "cells/control_plane/signaling_client.hpp"
#include "cells/control_plane/transfer_request.hpp"
#include "cells/span.hpp"

namespace fondaco::control_plane {

namespace {

using actors::task;
using cells::cell_services;

constexpr std::string_view counterparty_word = "The counterparty";

/// Where a message goes and what the log says of it.
struct letter {
  tenant owner;
  std::string profile;
  std::string counterparty_id;
  std::string url;
  /// Our process's id.
  std::string process_id;
  /// The message's type, for the log and for sentences.
  std::string type;
  /// The trace that the process began in; empty for none.
  std::string traceparent;
  /// The name of the span.
  const char* span;
  /// The body of a POST; nothing asks by GET.
  std::optional<std::string> body;
};

/// What became of a letter.
struct delivery {
  /// An answer with a status of success.
  bool taken = false;
  bool transient = false;
  std::string cause;
  std::string body;
};

void note_sent(const letter& l, const std::string& correlation, std::string outcome) {
  message_note n;
  n.message = l.type;
  n.participant_context = l.owner.id();
  n.profile = l.profile;
  n.counterparty = l.counterparty_id;
  n.entity_id = l.process_id;
  n.correlation_id = correlation;
  n.outcome = std::move(outcome);
  note(std::move(n));
}

delivery not_sent(bool transient, std::string cause) {
  delivery d;
  d.transient = transient;
  d.cause = std::move(cause);
  return d;
}

task<delivery> send(cell_services& s, letter l) {
  auto origin = traceparent_of(l.traceparent, l.process_id, s.random.next());
  cells::work_span span(s, l.span, l.traceparent.empty() ? origin : l.traceparent);
  span.with("message_type", l.type).with("direction", "sent").with("participant_context", l.owner.id());
  span.with("profile", l.profile).with("counterparty", l.counterparty_id).with("entity_id", l.process_id);
  auto making = token_for_peer(s, l.owner, l.profile, l.counterparty_id);
  const auto token = co_await std::move(making);
  if (!token) {
    span.fail(token.error().detail);
    co_return not_sent(token.error().remedy == cure::retry, token.error().detail);
  }
  actors::http_call call;
  call.method = l.body ? "POST" : "GET";
  call.url = l.url;
  call.headers.emplace_back("Authorization", "Bearer " + *token);
  call.headers.emplace_back("Accept", "application/json");
  if (l.body) {
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = *l.body;
  }
  const auto correlation = cells::trace_id_of(origin);
  call.traceparent = std::move(origin);
  auto exchanging = exchange(s, std::move(call));
  const auto answer = co_await std::move(exchanging);
  note_sent(l, correlation, outcome_of(answer));
  delivery out;
  out.taken = answer && answer->status >= 200 && answer->status < 300;
  if (out.taken) {
    out.body = answer->body;
  } else {
    out.transient = may_pass(answer);
    out.cause = failure_text(counterparty_word, l.type, answer);
    span.fail(out.cause);
  }
  co_return out;
}

/// The process in an answer's body; nothing if it names none.
std::optional<dsp::process_view> process_in(const std::string& body) {
  const auto parsed = json::parse(body);
  if (!parsed)
    return std::nullopt;
  auto view = dsp::read_process(*parsed);
  if (!view)
    return std::nullopt;
  return std::move(*view);
}

constexpr const char* no_process = "The counterparty's answer to our first message names no process of its own.";

/// The outcome of a message; `Process` is the decider, `first` is true where the answer tells the counterparty's id.
template <class Process>
typename Process::command message_outcome(const delivery& d, const std::string& message_id, bool first,
                                          const std::string& own_id, dsp::role self) {
  if (!d.taken)
    return typename Process::not_delivered{message_id, d.cause, d.transient};
  if (!first)
    return typename Process::delivered{message_id, {}};
  const auto view = process_in(d.body);
  const bool consumes = self == dsp::role::consumer;
  if (!view || (consumes ? view->consumer_pid : view->provider_pid) != own_id)
    return typename Process::not_delivered{message_id, no_process, false};
  return typename Process::delivered{message_id, consumes ? view->provider_pid : view->consumer_pid};
}

template <class Process> typename Process::command probe_outcome(const delivery& d, const std::string& message_id) {
  typename Process::probe_result out;
  out.message_id = message_id;
  if (!d.taken) {
    out.cause = d.cause;
    out.transient = d.transient;
  } else if (auto view = process_in(d.body)) {
    out.peer_state = std::move(view->state);
  } else {
    out.cause = "The counterparty's answer does not tell the state.";
  }
  return out;
}

/// Opens a sealed address for sending; nothing if the pool's queue is full.
using opened_address = std::expected<std::optional<dsp::data_address>, persistence::vault_errc>;
task<std::optional<opened_address>> open_sealed(cell_services& s, tenant owner, std::string sealed) {
  auto opening =
      actors::in_pool(s.pool, s.edge, owner, [&s, owner, sealed] { return open_address(s.vault, owner, sealed); });
  co_return co_await std::move(opening);
}

task<transfer_process::command> send_message(cell_services& s, tenant owner, std::string own_id,
                                             transfer_process::effect e) {
  auto m = std::move(e.envelope);
  if (!e.sealed_address.empty()) {
    auto opening = open_sealed(s, owner, e.sealed_address);
    auto address = co_await std::move(opening);
    const bool unsure = !address || (!*address && address->error() == persistence::vault_errc::unavailable);
    if (!address || !*address)
      co_return transfer_process::not_delivered{e.message_id, "The sealed address of the data cannot be opened.",
                                                unsure};
    m.address = std::move(**address);
  }
  const bool first = m.type == dsp::transfer_message::request;
  const auto self = m.consumer_pid == own_id ? dsp::role::consumer : dsp::role::provider;
  letter l{owner,
           e.profile,
           e.counterparty_id,
           e.base_url + e.path,
           own_id,
           std::string(dsp::name_of(m.type)),
           e.traceparent,
           "transfer",
           json::write(dsp::write_transfer(m))};
  auto sending = send(s, std::move(l));
  const auto d = co_await std::move(sending);
  co_return message_outcome<transfer_process>(d, e.message_id, first, own_id, self);
}

} // namespace

task<negotiation::command> send_negotiation(cell_services& s, persistence::entity_key key, negotiation::effect e) {
  using dsp::negotiation_message;
  const auto& m = e.envelope;
  const bool first = e.probe_path.empty();
  const auto self = m.consumer_pid == key.id ? dsp::role::consumer : dsp::role::provider;
  letter l{key.owner,     e.profile,     e.counterparty_id, e.base_url, key.id, std::string(dsp::name_of(m.type)),
           e.traceparent, "negotiation", std::nullopt};
  if (e.probe) {
    l.url += e.probe_path;
    l.type = "the question for the state of a negotiation";
  } else {
    l.url += e.path;
    l.body = json::write(dsp::write_negotiation(m));
  }
  auto sending = send(s, std::move(l));
  const auto d = co_await std::move(sending);
  if (e.probe)
    co_return probe_outcome<negotiation>(d, e.message_id);
  co_return message_outcome<negotiation>(d, e.message_id, first, key.id, self);
}

task<transfer_process::command> send_transfer(cell_services& s, std::shared_ptr<plane_tokens> tokens,
                                              actors::effect_run run, transfer_process::effect e) {
  const auto owner = run.key.owner;
  const auto own_id = run.key.id;
  if (e.signal) {
    const bool repeated = run.maybe_sent || run.attempt > 1;
    auto signalling = signal_plane(s, std::move(tokens), owner, own_id, std::move(e), repeated);
    co_return co_await std::move(signalling);
  }
  if (!e.probe) {
    auto sending = send_message(s, owner, own_id, std::move(e));
    co_return co_await std::move(sending);
  }
  letter l{owner,
           e.profile,
           e.counterparty_id,
           e.base_url + e.probe_path,
           own_id,
           "the question for the state of a transfer",
           e.traceparent,
           "transfer",
           std::nullopt};
  auto sending = send(s, std::move(l));
  const auto d = co_await std::move(sending);
  co_return probe_outcome<transfer_process>(d, e.message_id);
}

} // namespace fondaco::control_plane
