#include "cfm/onboarding/application.hpp"

#include <algorithm>
#include <utility>

namespace fondaco::cfm {

namespace ev = application_events;

namespace {

using state = application::state;
using decision = actors::decision<application>;
using outcome = std::expected<decision, actors::refusal>;

constexpr uint16_t payload_version = 1;

std::unexpected<actors::refusal> refuse(application_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

decision quiet(const state& s) {
  decision d;
  d.reply = {s.id, false, s.created_at};
  return d;
}

decision with(const state& s, application_event e) {
  auto d = quiet(s);
  d.events.push_back(std::move(e));
  return d;
}

std::unexpected<actors::refusal> not_now(const state& s) {
  return refuse(application_errc::wrong_state, "The application is " + application::status(s) + ".");
}

// The step that is owed while an application is being provisioned.
std::string next_step(const state& s) {
  if (s.at != application_phase::provisioning)
    return "";
  if (s.tenant_id.empty())
    return "tenant";
  return s.profile_id.empty() ? "profile" : "active";
}

struct decider {
  const state& s;
  timepoint now;

  outcome operator()(const application::submit& c) const {
    if (s.exists) {
      if (s.terms == c.terms)
        return quiet(s);
      return refuse(application_errc::already_exists, "An application with the id " + c.id + " exists.");
    }
    decision d;
    d.reply = {c.id, true, now};
    d.events.push_back(ev::submitted{now, c.request_id, c.id, c.terms});
    return d;
  }
  outcome operator()(const application::attach& c) const {
    if (s.at != application_phase::submitted)
      return not_now(s);
    const auto same = std::ranges::find(s.documents, c.document.name, &application_document::name);
    if (same == s.documents.end() && s.documents.size() >= limits::application_documents_max)
      return refuse(application_errc::bad_application, "An application has at most 32 documents.");
    return same != s.documents.end() && *same == c.document ? quiet(s)
                                                            : with(s, ev::attached{now, c.request_id, c.document});
  }
  outcome operator()(const application::decide_on& c) const {
    if (c.reason.empty() || c.reason.size() > limits::decision_reason_bytes_max)
      return refuse(application_errc::bad_application, "A decision needs a reason of 1 to 2048 bytes.");
    if (s.at == application_phase::submitted)
      return with(s, ev::decided{now, c.request_id, c.approved, c.by, c.reason});
    const bool was_approved = s.at != application_phase::rejected;
    return was_approved == c.approved ? outcome(quiet(s)) : outcome(not_now(s));
  }
  outcome operator()(const application::retry& c) const {
    if (s.at == application_phase::provisioning)
      return quiet(s);
    return s.at == application_phase::failed ? outcome(with(s, ev::retried{now, c.request_id})) : outcome(not_now(s));
  }
  outcome operator()(const application::step_done& c) const {
    return c.step == next_step(s) ? with(s, ev::advanced{now, c.step, c.step, c.id}) : quiet(s);
  }
  outcome operator()(const application::step_open& c) const {
    const bool known = !s.causes.empty() && s.causes.back() == c.detail;
    if (c.step != next_step(s) || c.detail.empty() || (known && !c.for_good))
      return quiet(s);
    return with(s, ev::stumbled{now, c.step, c.for_good, c.detail});
  }
};

struct evolver {
  state s;

  void operator()(const ev::submitted& e) {
    s.exists = true;
    s.id = e.id;
    s.terms = e.terms;
    s.created_at = e.at;
  }
  void operator()(const ev::attached& e) {
    std::erase_if(s.documents, [&](const auto& d) { return d.name == e.document.name; });
    s.documents.push_back(e.document);
  }
  void operator()(const ev::decided& e) {
    s.decided_by = e.by;
    s.reason = e.reason;
    s.at = e.approved ? application_phase::provisioning : application_phase::rejected;
  }
  void operator()(const ev::advanced& e) {
    if (e.step == "tenant")
      s.tenant_id = e.id;
    else if (e.step == "profile")
      s.profile_id = e.id;
    else {
      s.participant_context_id = e.id;
      s.at = application_phase::active;
    }
  }
  void operator()(const ev::stumbled& e) {
    if (s.causes.size() >= limits::application_causes_max)
      s.causes.erase(s.causes.begin() + limits::application_causes_max / 2);
    s.causes.push_back(e.detail);
    if (e.for_good)
      s.at = application_phase::failed;
  }
  void operator()(const ev::retried&) {
    s.at = application_phase::provisioning;
    // What failed is disposed of by its own orchestration: the next try deploys another profile.
    s.profile_id.clear();
    ++s.retries;
  }
};

} // namespace

std::string_view name_of(application_errc e) noexcept {
  switch (e) {
  case application_errc::not_found: return "not_found";
  case application_errc::already_exists: return "already_exists";
  case application_errc::wrong_state: return "wrong_state";
  case application_errc::bad_application: return "bad_application";
  }
  return "not_found";
}

void application::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("id", s.id);
  f("terms", s.terms);
  f("documents", s.documents);
  f("at", s.at);
  f("decided_by", s.decided_by);
  f("reason", s.reason);
  f("tenant_id", s.tenant_id);
  f("profile_id", s.profile_id);
  f("participant_context_id", s.participant_context_id);
  f("retries", s.retries);
  f("causes", s.causes);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
}

outcome application::decide(const state& s, const command& c, timepoint now) {
  if (!s.exists && !std::holds_alternative<submit>(c))
    return refuse(application_errc::not_found, "There is no such application.");
  return std::visit(decider{s, now}, c);
}

application::state application::evolve(state s, const event& e) {
  evolver on{std::move(s)};
  std::visit(on, e);
  on.s.updated_at = std::visit([](const auto& one) { return one.at; }, e);
  return std::move(on.s);
}

std::vector<actors::owed_effect<application::effect>> application::owed(const state& s) {
  auto step = next_step(s);
  if (step.empty())
    return {};
  effect e{step, s.id, s.terms, s.tenant_id, s.profile_id, s.retries};
  return {{step + s.profile_id, s.updated_at, std::move(e)}};
}

std::optional<timepoint> application::wake_at(const state& s) {
  return next_step(s).empty() ? std::nullopt : std::optional(s.updated_at);
}

persistence::event_record application::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return "application." + std::string(one.what); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<application::event> application::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string application::freeze(const state& s) { return planes::write_state(s); }

std::optional<application::state> application::thaw(std::string_view text) { return planes::read_state<state>(text); }

std::string application::status(const state& s) {
  switch (s.at) {
  case application_phase::submitted: return "SUBMITTED";
  case application_phase::rejected: return "REJECTED";
  case application_phase::provisioning: return "PROVISIONING";
  case application_phase::active: return "ACTIVE";
  case application_phase::failed: return "FAILED";
  }
  return "SUBMITTED";
}

std::string application::view(const state& s) {
  json::object o{
      {"id", s.id},         {"organisation", s.terms.organisation},  {"identifier", s.terms.identifier},
      {"state", status(s)}, {"createdAt", to_rfc3339(s.created_at)}, {"updatedAt", to_rfc3339(s.updated_at)}};
  const auto add = [&o](const char* name, const std::string& text) {
    if (!text.empty())
      o[name] = text;
  };
  add("decidedBy", s.decided_by);
  add("reason", s.reason);
  add("tenantId", s.tenant_id);
  add("participantProfileId", s.profile_id);
  add("participantContextId", s.participant_context_id);
  json::array documents;
  for (const auto& d : s.documents)
    documents.push_back(
        json::object{{"name", d.name}, {"mediaType", d.media_type}, {"sha256", d.sha256}, {"bytes", d.bytes}});
  o["documents"] = std::move(documents);
  json::array causes;
  if (s.at == application_phase::rejected)
    causes.push_back(json::object{{"side", "local"}, {"text", "The application was rejected: " + s.reason}});
  for (const auto& c : s.causes)
    causes.push_back(json::object{{"side", "local"}, {"text", c}});
  o["causes"] = std::move(causes);
  if (s.at == application_phase::submitted)
    o["waitingOn"] = "a decision";
  else if (const auto step = next_step(s); !step.empty())
    o["waitingOn"] = step == "active" ? "its participant profile to be active" : "the tenant manager (" + step + ")";
  return json::write(o);
}

} // namespace fondaco::cfm
