#include "cells/control_plane/management/edge.hpp"

#include <algorithm>
#include <utility>

#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

constexpr std::string_view scope_prefix = "management-api:";

persistence::entity_key context_key(const tenant& owner) {
  return {owner, cells::kinds::participant_context, owner.id()};
}

} // namespace

task<result<tenant>> enter(cell_services& s, request_ptr r, const char* scope) {
  tenant owner(path_value(*r, "pc"));
  std::string required = std::string(scope_prefix) + scope;
  auto admission = gateway::admit(s.tokens, r, std::move(required), owner);
  auto admitted = co_await std::move(admission);
  if (!admitted)
    co_return std::unexpected(gateway::to_response(admitted.error()));
  auto reading = need_document(s, context_key(owner), "ParticipantContext");
  auto context = co_await std::move(reading);
  if (!context)
    co_return std::unexpected(std::move(context.error()));
  co_return owner;
}

task<result<cells::participant>> enter_with_config(cell_services& s, request_ptr r, const char* scope) {
  auto entering = enter(s, r, scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::unexpected(std::move(owner.error()));
  auto reading =
      actors::in_pool(s.pool, s.edge, *owner, [&s, who = *owner] { return cells::read_participant(s, who); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(busy());
  if (!*found)
    co_return std::unexpected(api::not_found("ParticipantContext", owner->id()));
  co_return std::move(**found);
}

task<result<gateway::principal>> enter_as_admin(cell_services& s, request_ptr r) {
  std::string required = std::string(scope_prefix) + "admin";
  std::optional<tenant> nobody;
  auto admission = gateway::admit(s.tokens, r, std::move(required), std::move(nobody));
  auto admitted = co_await std::move(admission);
  if (!admitted)
    co_return std::unexpected(gateway::to_response(admitted.error()));
  co_return std::move(*admitted);
}

result<std::string> read_profile(const cell_services& s, const cells::participant& p, const json::object& body) {
  const bool has_profile = body.contains("profile");
  if (has_profile == body.contains("protocol"))
    return std::unexpected(api::invalid_field("exactly one of profile and protocol is required", "profile"));
  const char* field = has_profile ? "profile" : "protocol";
  const auto name = json::string_at(body, field);
  if (!name)
    return std::unexpected(api::invalid_field(std::string(field) + " must be a string", field, body.at(field)));
  const auto known = std::ranges::any_of(s.settings.profiles, [&](const auto& one) { return one.name == *name; });
  if (!known || std::ranges::find(p.profiles, *name) == p.profiles.end())
    return std::unexpected(api::invalid_field(
        "No profile '" + std::string(*name) + "' for participant '" + p.owner.id() + "'", field, json::value(*name)));
  return std::string(*name);
}

process_settings settings_of(const cell_services& s, const cells::participant& p) {
  process_settings out;
  out.reaction_delay_ms = cells::duration_entry(p, "fondaco.dsp.reaction.delay.ms", out.reaction_delay_ms);
  out.send_window_ms = cells::duration_entry(p, "fondaco.dsp.send.window.ms", s.settings.send_window_ms);
  out.idle_max_ms = cells::duration_entry(p, "fondaco.dsp.peer.silence.ms", s.settings.peer_silence_ms);
  return out;
}

response from_process(const actors::ask_error& e, std::string_view type, std::string_view id) {
  const bool body_was_wrong = e.why.code == "bad_message" || e.why.code == "no_data_plane";
  if (e.code == actors::ask_errc::refused && body_was_wrong)
    return api::invalid_request(e.why.detail);
  return api::from_ask(e, type, id);
}

void note_change(const gateway::request& r, const gateway::principal& who, const std::string& what,
                 const std::string& participant_context) {
  api::note_change("management", r, who, what, participant_context);
}

} // namespace fondaco::control_plane::management
