#include <exception>
#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/issuer_service/holder_client.hpp"
#include "cells/issuer_service/routes.hpp"
#include "cells/issuer_service/status_list.hpp"
#include "planes/codec/path.hpp"
#include "planes/record.hpp"

namespace fondaco::cells {

namespace {

using issuer_service::issuance;

/// The outcome of an effect that ended by an exception: tried again, since it says nothing about the holder.
issuance::command broken_off(const issuance::effect& e) {
  constexpr const char* cause = "This node failed while it served the holder.";
  if (e.what == issuance::effect::act::make)
    return issuance::making_failed{cause, true};
  return issuance::delivery_failed{cause, issuance::trouble::transient, false};
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
             "issuer_service",
             log_category::application,
             "an effect ended by an exception: " + what,
             {{"entity_id", run.key.id}, {"kind", run.key.kind}, {"participant_context", run.key.owner.id()}}});
}

actors::entity_kind issuance_kind(services_ref s) {
  actors::entity_kind k;
  k.name = kinds::issuance;
  k.make = [](const persistence::entity_key& key) { return std::make_unique<actors::typed_state<issuance>>(key); };
  k.run_effect = [s](actors::effect_run run, std::function<void(std::any)> done) {
    auto effect = std::any_cast<issuance::effect>(run.body);
    auto failed = [run, effect, done](std::exception_ptr error) {
      note_exception(run, error);
      done(std::any(broken_off(effect)));
    };
    auto taken = [done](issuance::command outcome) { done(std::any(std::move(outcome))); };
    actors::start<issuance::command>(issuer_service::run_effect(s(), run, std::move(effect)), std::move(taken),
                                     std::move(failed));
  };
  k.cause_of = actors::cause_reader<issuance>();
  k.is_transient = [](const std::any& outcome) {
    return issuer_service::is_transient(std::any_cast<const issuance::command&>(outcome));
  };
  return k;
}

actors::entity_kind status_list_kind() {
  actors::entity_kind k;
  k.name = kinds::status_list;
  k.make = [](const persistence::entity_key& key) {
    return std::make_unique<actors::typed_state<issuer_service::status_list>>(key);
  };
  k.run_effect = [](actors::effect_run, std::function<void(std::any)>) {
    invariant(false, "status lists owe nothing");
  };
  return k;
}

} // namespace

std::vector<actors::entity_kind> issuer_service_kinds(services_ref s) {
  std::vector<actors::entity_kind> out;
  for (const char* name : {kinds::attestation_definition, kinds::credential_definition, kinds::holder})
    out.push_back(planes::record_kind(name));
  out.push_back(issuance_kind(std::move(s)));
  out.push_back(status_list_kind());
  return out;
}

std::vector<std::string> issuer_service_kind_names() {
  return {kinds::attestation_definition, kinds::credential_definition, kinds::holder,
          kinds::issued_credential,      kinds::status_list,           kinds::issuance};
}

std::string issuer_service_base(const cell_settings& settings, const tenant& owner) {
  return settings.protocol_url + "/api/issuance/v1beta/participants/" + planes::path_segment(owner.id());
}

} // namespace fondaco::cells
