#include <algorithm>

#include "cfm/provision_manager/orchestration.hpp"

namespace fondaco::cfm {

namespace ev = orchestration_events;

namespace {

constexpr uint16_t payload_version = 1;

json::object shown_activity(const activity& a) {
  json::object o{{"id", a.id}, {"type", a.type}, {"discriminator", a.discriminator}};
  if (!a.depends_on.empty())
    o["dependsOn"] = json::array(a.depends_on.begin(), a.depends_on.end());
  return o;
}

std::string waits_for(const orchestration::state& s) {
  for (const auto& p : s.activities) {
    if (p.at == activity_phase::running)
      return "the agent of the activity '" + p.id + "', run " + std::to_string(p.run);
    if (p.at == activity_phase::due)
      return "the next run of the activity '" + p.id + "'" + (p.detail.empty() ? "" : ", since: " + p.detail);
  }
  return s.response_owed || s.compensation_owed ? "the broker to take its last message" : "";
}

} // namespace

std::string_view name_of(orchestration_errc e) noexcept {
  switch (e) {
  case orchestration_errc::not_found: return "not_found";
  case orchestration_errc::already_exists: return "already_exists";
  case orchestration_errc::bad_manifest: return "bad_manifest";
  case orchestration_errc::stale_result: return "stale_result";
  }
  return "not_found";
}

void orchestration::progress::each(auto& s, auto&& f) {
  f("id", s.id);
  f("at", s.at);
  f("run", s.run);
  f("failures", s.failures);
  f("since", s.since);
  f("next_at", s.next_at);
  f("detail", s.detail);
}

void orchestration::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("terms", s.terms);
  f("at", s.at);
  f("changed_at", s.changed_at);
  f("steps", s.steps);
  f("step", s.step);
  f("activities", s.activities);
  f("processing_data", s.processing_data);
  f("output_data", s.output_data);
  f("failures", s.failures);
  f("response_owed", s.response_owed);
  f("compensation_owed", s.compensation_owed);
}

persistence::event_record orchestration::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return "orchestration." + std::string(one.what); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<orchestration::event> orchestration::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string orchestration::freeze(const state& s) { return planes::write_state(s); }

std::optional<orchestration::state> orchestration::thaw(std::string_view text) {
  return planes::read_state<state>(text);
}

std::string orchestration::status(const state& s) {
  switch (s.at) {
  case phase::initialized: return "INITIALIZED";
  case phase::running: return "RUNNING";
  case phase::completed: return "COMPLETED";
  case phase::errored: return "ERRORED";
  }
  return "INITIALIZED";
}

std::string orchestration::view(const state& s) {
  json::object o{{"id", s.terms.id},
                 {"correlationId", s.terms.correlation_id},
                 {"state", static_cast<int64_t>(s.at)},
                 {"stateTimestamp", to_rfc3339(s.changed_at)},
                 {"createdTimestamp", to_rfc3339(s.terms.at)},
                 {"orchestrationType", s.terms.type},
                 {"definitionId", s.terms.definition_id}};
  json::array steps;
  for (const auto& step : s.steps) {
    json::array activities;
    for (const auto& id : step)
      activities.push_back(shown_activity(*std::ranges::find(s.terms.activities, id, &activity::id)));
    steps.push_back(json::object{{"activities", std::move(activities)}});
  }
  o["steps"] = std::move(steps);
  o["processingData"] = s.processing_data;
  o["outputData"] = s.output_data;
  json::object done;
  for (const auto& p : s.activities)
    if (p.at == activity_phase::done)
      done[p.id] = json::object();
  o["completed"] = std::move(done);
  json::array causes;
  for (const auto& f : s.failures)
    causes.push_back(json::object{{"side", "local"}, {"text", f}});
  o["causes"] = std::move(causes);
  if (auto waits = waits_for(s); !waits.empty())
    o["waitingOn"] = waits;
  return json::write(o);
}

} // namespace fondaco::cfm
