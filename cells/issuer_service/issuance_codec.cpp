#include "cells/issuer_service/issuance.hpp"
#include "cells/issuer_service/routes.hpp"
#include "protocols/vc/credential.hpp"

namespace fondaco::planes {
template <> struct enumerators<issuer_service::issuance_state> {
  using enum issuer_service::issuance_state;
  static constexpr enumerator<issuer_service::issuance_state> all[] = {
      {approved, "approved"}, {delivered, "delivered"}, {errored, "errored"}, {rejected, "rejected"}};
};
} // namespace fondaco::planes

namespace fondaco::issuer_service {

namespace ev = issuance_events;

void issuance::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("at", s.at);
  f("id", s.id);
  f("participant_context", s.participant_context);
  f("holder_pid", s.holder_pid);
  f("holder_id", s.holder_id);
  f("holder_did", s.holder_did);
  f("sealed_token", s.sealed_token);
  f("claims", s.claims);
  f("plan", s.plan);
  f("definitions", s.definitions);
  f("credentials", s.credentials);
  f("window_until", s.window_until);
  f("deliver_at", s.deliver_at);
  f("refusals", s.refusals);
  f("telling", s.telling);
  f("failure", s.failure);
  f("causes", s.causes);
  f("error_detail", s.error_detail);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
  f("traceparent", s.traceparent);
}

namespace {

/// The version of the events' payloads that this node writes, and the newest that it reads.
constexpr uint16_t payload_version = 1;

std::string_view type_of(const ev::approved&) { return "issuance.approved"; }
std::string_view type_of(const ev::rejected&) { return "issuance.rejected"; }
std::string_view type_of(const ev::made&) { return "issuance.credentials_made"; }
std::string_view type_of(const ev::attempt_failed&) { return "issuance.attempt_failed"; }
std::string_view type_of(const ev::refused&) { return "issuance.delivery_refused"; }
std::string_view type_of(const ev::delivered&) { return "issuance.delivered"; }
std::string_view type_of(const ev::ended&) { return "issuance.errored"; }
std::string_view type_of(const ev::told&) { return "issuance.holder_told"; }
std::string_view type_of(const ev::marked& e) {
  switch (e.status) {
  case credential_state::issued: return "issuance.credential_resumed";
  case credential_state::suspended: return "issuance.credential_suspended";
  case credential_state::revoked: break;
  }
  return "issuance.credential_revoked";
}

/// The states of a credential as the reference numbers them (identity API reference, section 8.6).
int64_t number_of(const issuance::state& s, const made_credential& c) {
  switch (c.status) {
  case credential_state::suspended: return 700;
  case credential_state::revoked: return 600;
  case credential_state::issued: break;
  }
  switch (s.at) {
  case issuance_state::approved: return 400;
  case issuance_state::delivered: return 500;
  default: return -100;
  }
}

void add_wanted(json::object& o, const issuance::state& s) {
  json::array definitions, credentials;
  json::object formats;
  for (const auto& id : s.definitions)
    definitions.emplace_back(id);
  for (const auto& p : s.plan) {
    definitions.emplace_back(p.definition_id);
    if (const auto form = vc::parse_profile(p.format))
      formats[p.definition_id] = vc::edc_name_of(*form);
  }
  for (const auto& c : s.credentials)
    credentials.emplace_back(c.credential_id);
  o["credentialDefinitions"] = std::move(definitions);
  o["credentialFormats"] = std::move(formats);
  o["credentials"] = std::move(credentials);
}

} // namespace

persistence::event_record issuance::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return type_of(one); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<issuance::event> issuance::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string issuance::freeze(const state& s) { return planes::write_state(s); }

std::optional<issuance::state> issuance::thaw(std::string_view text) { return planes::read_state<state>(text); }

std::string issuance::view(const state& s) {
  json::object o{{"id", s.id}, {"holderId", s.holder_id}, {"holderDid", s.holder_did}, {"holderPid", s.holder_pid}};
  o["claims"] = s.claims;
  add_wanted(o, s);
  if (!s.error_detail.empty())
    o["errorDetail"] = s.error_detail;
  o["createdAt"] = to_epoch_ms(s.created_at);
  o["stateTimestamp"] = to_epoch_ms(s.updated_at);
  o["causes"] = causes_json(s.causes);
  if (const auto waits = waiting_on(s); !waits.empty())
    o["waitingOn"] = waits;
  return json::write(o);
}

std::string issued_credential_body(const issuance::state& s, const made_credential& c) {
  const auto form = vc::parse_profile(c.format).value_or(vc::profile::vc11_jwt);
  const auto* issuer = json::object_at(c.model, "issuer");
  json::object o{{"id", c.credential_id},
                 {"participantContextId", s.participant_context},
                 {"issuerId", issuer ? json::string_at(*issuer, "id").value_or("") : ""},
                 {"holderId", s.holder_did},
                 {"state", number_of(s, c)},
                 {"timeOfLastStatusUpdate", to_epoch_ms(s.updated_at)},
                 {"usage", "IssuanceTracking"}};
  o["metadata"] = json::object{{"credentialObjectId", c.definition_id}, {"issuanceProcessId", s.id}};
  o["verifiableCredential"] = json::object{{"format", vc::edc_name_of(form)}, {"credential", c.model}};
  json::array places;
  for (const auto& p : c.places)
    places.push_back(planes::to_json(p));
  o["statusPlaces"] = std::move(places);
  return json::write(o);
}

} // namespace fondaco::issuer_service
