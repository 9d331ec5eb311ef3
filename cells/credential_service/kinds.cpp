#include <exception>
#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/credential_service/issuer_client.hpp"
#include "cells/credential_service/routes.hpp"
#include "planes/codec/path.hpp"
#include "planes/record.hpp"

namespace fondaco::cells {

namespace {

using credential_service::credential_request;

/// The outcome of an effect that ended by an exception: tried again, since it says nothing about the issuer.
credential_request::command broken_off(const credential_request::effect& e) {
  constexpr const char* cause = "This node failed while it spoke to the issuer.";
  using act = credential_request::effect::act;
  if (e.what == act::poll)
    return credential_request::poll_result{e.poll_number, {}, cause};
  const auto which = e.what == act::prepare ? credential_request::step::prepare : credential_request::step::request;
  return credential_request::step_failed{which, cause, true, false};
}

void note_exception(const actors::effect_run& run, const std::exception_ptr& error) {
  std::string what = "an exception that is no std::exception";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) { // the sentence above says it
  }
  write_log({severity::error,
             "credential_service",
             log_category::application,
             "an effect ended by an exception: " + what,
             {{"entity_id", run.key.id}, {"kind", run.key.kind}, {"participant_context", run.key.owner.id()}}});
}

actors::entity_kind request_kind(services_ref s) {
  actors::entity_kind k;
  k.name = credential_request::kind;
  k.make = [](const persistence::entity_key& key) {
    return std::make_unique<actors::typed_state<credential_request>>(key);
  };
  k.run_effect = [s](actors::effect_run run, std::function<void(std::any)> done) {
    auto effect = std::any_cast<credential_request::effect>(run.body);
    auto failed = [run, effect, done](std::exception_ptr error) {
      note_exception(run, error);
      done(std::any(broken_off(effect)));
    };
    auto taken = [done](credential_request::command outcome) { done(std::any(std::move(outcome))); };
    actors::start<credential_request::command>(credential_service::run_effect(s(), run, std::move(effect)),
                                               std::move(taken), std::move(failed));
  };
  k.cause_of = actors::cause_reader<credential_request>();
  k.is_transient = [](const std::any& outcome) {
    return credential_service::is_transient(std::any_cast<const credential_request::command&>(outcome));
  };
  return k;
}

actors::entity_kind credential_kind() {
  actors::entity_kind k;
  k.name = kinds::verifiable_credential;
  k.make = [](const persistence::entity_key& key) {
    return std::make_unique<actors::typed_state<planes::record>>(key);
  };
  k.run_effect = [](actors::effect_run, std::function<void(std::any)>) { invariant(false, "records owe nothing"); };
  return k;
}

} // namespace

std::vector<actors::entity_kind> credential_service_kinds(services_ref s) {
  std::vector<actors::entity_kind> out;
  out.push_back(credential_kind());
  out.push_back(request_kind(std::move(s)));
  return out;
}

std::string credential_service_base(const cell_settings& settings, const tenant& owner) {
  return settings.protocol_url + "/api/credentials/v1/participants/" + planes::path_segment(owner.id());
}

} // namespace fondaco::cells
