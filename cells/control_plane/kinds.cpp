#include "cells/control_plane/kinds.hpp"

#include <exception>
#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/control_plane/dsp_sender.hpp"
#include "cells/control_plane/refused_requests.hpp"
#include "cells/control_plane/signaling_client.hpp"

namespace fondaco::cells {

namespace {

using control_plane::negotiation;
using control_plane::plane_tokens;
using control_plane::transfer_process;

/// The outcome of an effect that ended by an exception: tried again, since it says nothing about the receiver.
negotiation::command broken_off(const negotiation::effect& e) {
  constexpr const char* cause = "This node failed while it sent the message.";
  if (e.probe)
    return negotiation::probe_result{e.message_id, std::nullopt, cause, true};
  return negotiation::not_delivered{e.message_id, cause, true};
}
transfer_process::command broken_off(const transfer_process::effect& e) {
  constexpr const char* cause = "This node failed while it sent the message.";
  if (e.probe)
    return transfer_process::probe_result{e.message_id, std::nullopt, cause, true};
  if (e.signal)
    return transfer_process::signal_failed{e.message_id, cause, true};
  return transfer_process::not_delivered{e.message_id, cause, true};
}

void note_exception(const actors::effect_run& run, std::exception_ptr error) {
  std::string what = "an exception of unknown type";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "an exception that is no std::exception";
  }
  write_log({severity::error,
             "control_plane",
             log_category::application,
             "an effect ended by an exception: " + what,
             {{"entity_id", run.key.id}, {"kind", run.key.kind}, {"participant_context", run.key.owner.id()}}});
}

/// A kind of D whose effects are what `send` makes of them.
template <class D, class Send> actors::entity_kind kind_of(Send send) {
  actors::entity_kind k;
  k.name = D::kind;
  k.make = [](const persistence::entity_key& key) { return std::make_unique<actors::typed_state<D>>(key); };
  k.run_effect = [send](actors::effect_run run, std::function<void(std::any)> done) {
    auto effect = std::any_cast<typename D::effect>(run.body);
    auto failed = [run, effect, done](std::exception_ptr error) {
      note_exception(run, error);
      done(std::any(broken_off(effect)));
    };
    auto taken = [done](typename D::command outcome) { done(std::any(std::move(outcome))); };
    actors::start<typename D::command>(send(run, std::move(effect)), std::move(taken), std::move(failed));
  };
  k.cause_of = actors::cause_reader<D>();
  k.is_transient = [](const std::any& outcome) {
    return control_plane::is_transient(std::any_cast<const typename D::command&>(outcome));
  };
  return k;
}

} // namespace

std::vector<actors::entity_kind> control_plane_kinds(services_ref s) {
  auto tokens = std::make_shared<plane_tokens>();
  std::vector<actors::entity_kind> out;
  out.push_back(kind_of<negotiation>([s](const actors::effect_run& run, negotiation::effect e) {
    return control_plane::send_negotiation(s(), run.key, std::move(e));
  }));
  out.push_back(kind_of<transfer_process>([s, tokens](const actors::effect_run& run, transfer_process::effect e) {
    return control_plane::send_transfer(s(), tokens, run, std::move(e));
  }));
  out.push_back(control_plane::refused_request_kind());
  return out;
}

} // namespace fondaco::cells
