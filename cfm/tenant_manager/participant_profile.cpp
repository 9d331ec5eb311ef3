#include "cfm/tenant_manager/participant_profile.hpp"

#include <algorithm>
#include <utility>

namespace fondaco::cfm {

namespace ev = profile_events;

namespace {

using state = participant_profile::state;
using decision = actors::decision<participant_profile>;
using outcome = std::expected<decision, actors::refusal>;

constexpr uint16_t payload_version = 1;

std::unexpected<actors::refusal> refuse(profile_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

std::string cut(std::string text) {
  if (text.size() > limits::profile_cause_bytes_max) {
    text.resize(limits::profile_cause_bytes_max - 3);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80)
      text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0)
      text.pop_back();
    text += "...";
  }
  return text;
}

bool was_answered(const state& s, const std::string& manifest_id) {
  return std::ranges::find(s.answered, manifest_id) != s.answered.end();
}

bool same_request(const state& s, const participant_profile::deploy& c) {
  if (!s.digest.empty() || !c.digest.empty())
    return s.digest == c.digest;
  return s.terms.identifier == c.terms.identifier && s.terms.tenant_id == c.terms.tenant_id;
}

// What a disposal needs to know of a deployment that put out too much.
json::object kept_output(const json::object& output) {
  if (json::write(output).size() <= limits::profile_output_bytes_max)
    return output;
  json::object out;
  for (const auto key : {keys::participant_context_id, keys::holder_pid, keys::credential_request})
    if (const auto text = json::string_at(output, key); text && text->size() <= limits::profile_cause_bytes_max)
      out[key] = *text;
  return out;
}

// The answer shows the profile as it will be.
decision with(const state& s, std::vector<profile_event> events) {
  decision d;
  auto next = s;
  for (const auto& e : events)
    next = participant_profile::evolve(std::move(next), e);
  d.reply.id = next.id;
  d.reply.shown = participant_profile::view(next);
  d.reply.removed = next.at == profile_phase::removed;
  d.events = std::move(events);
  return d;
}

struct decider {
  const state& s;
  timepoint now;

  outcome operator()(const participant_profile::deploy& c) const {
    if (s.exists) {
      if (s.at == profile_phase::removed)
        return refuse(profile_errc::already_exists, "The participant profile " + c.id + " was removed.");
      if (same_request(s, c))
        return with(s, {});
      return refuse(profile_errc::already_exists, "The participant profile " + c.id + " was made by another request.");
    }
    if (c.terms.identifier.empty() || c.terms.vpas.empty())
      return refuse(profile_errc::not_found, "There is no such participant profile.");
    auto d = with(s, {ev::deploying{now, c.request_id, c.id, c.terms, c.manifest_id, c.digest}});
    d.reply.created = true;
    d.names = c.names;
    return d;
  }
  outcome operator()(const participant_profile::dispose& c) const {
    switch (s.at) {
    case profile_phase::active:
    case profile_phase::error: return with(s, {ev::disposing{now, c.request_id, c.manifest_id}});
    case profile_phase::disposing: return with(s, {});
    case profile_phase::disposed: return with(s, {ev::removed{now, c.request_id}});
    case profile_phase::pending:
      return refuse(profile_errc::wrong_state,
                    "The participant profile is being deployed; it can be disposed of when that has ended.");
    case profile_phase::removed: break;
    }
    return refuse(profile_errc::not_found, "There is no such participant profile.");
  }
  outcome operator()(const participant_profile::respond& c) const {
    const auto& r = c.response;
    const bool deploy = r.orchestration_type == deploy_type;
    if ((!deploy && r.orchestration_type != dispose_type) || was_answered(s, r.manifest_id))
      return with(s, {});
    const bool ours = r.manifest_id == s.manifest_id;
    bool expected = ours && (deploy ? s.at == profile_phase::pending : s.at == profile_phase::disposing);
    // A failed deployment is followed by its compensation, which nobody here asked for.
    if (!deploy && !ours)
      expected = s.at == profile_phase::pending || s.at == profile_phase::error;
    if (!expected)
      return with(s, {});
    return with(
        s, {ev::ended{now, r.id, r.manifest_id, deploy, r.success, cut(r.error_detail), kept_output(r.properties)}});
  }
  outcome operator()(const participant_profile::published& c) const {
    if (!s.manifest_owed || c.manifest_id != s.manifest_id)
      return with(s, {});
    return with(s, {ev::handed_over{now, c.manifest_id}});
  }
  outcome operator()(const participant_profile::not_published& c) const {
    auto cause = cut(c.cause);
    if (!s.manifest_owed || cause.empty() || cause == s.put_off_by)
      return with(s, {});
    return with(s, {ev::put_off{now, s.manifest_id, std::move(cause)}});
  }
};

struct evolver {
  state s;

  void operator()(const ev::deploying& e) {
    s.exists = true;
    s.id = e.id;
    s.terms = e.terms;
    s.digest = e.digest;
    s.created_at = e.at;
    owe(e.manifest_id, profile_phase::pending, e.at);
  }
  void operator()(const ev::disposing& e) { owe(e.manifest_id, profile_phase::disposing, e.at); }
  void operator()(const ev::handed_over&) { settle(); }
  void operator()(const ev::put_off& e) { s.put_off_by = e.detail; }
  void operator()(const ev::ended& e) {
    remember(e.manifest_id);
    if (e.manifest_id == s.manifest_id)
      settle();
    if (e.deploy) {
      s.vpa_state = e.output;
      if (e.success) {
        enter(profile_phase::active, e.at);
        return;
      }
      fail("The deployment failed: ", e.detail);
      enter(s.undone ? profile_phase::disposed : profile_phase::error, e.at);
      return;
    }
    if (!e.success)
      fail("The disposal failed: ", e.detail);
    if (s.at == profile_phase::pending) {
      s.undone = e.success;
      return;
    }
    // A disposal that failed can be asked for again, as long as there is something that it could name.
    enter(e.success || s.vpa_state.empty() ? profile_phase::disposed : profile_phase::error, e.at);
  }
  void operator()(const ev::removed& e) { enter(profile_phase::removed, e.at); }

  void enter(profile_phase at, timepoint when) {
    s.at = at;
    s.changed_at = when;
  }
  void owe(const std::string& manifest_id, profile_phase at, timepoint when) {
    s.manifest_id = manifest_id;
    s.manifest_owed = true;
    enter(at, when);
  }
  void settle() {
    s.manifest_owed = false;
    s.put_off_by.clear();
  }
  void remember(const std::string& manifest_id) {
    if (s.answered.size() >= limits::profile_answers_max)
      s.answered.erase(s.answered.begin());
    s.answered.push_back(manifest_id);
  }
  void fail(const char* what, const std::string& detail) {
    const auto why = detail.empty() ? std::string("no reason was given.") : detail;
    s.failed = true;
    s.error_detail = why;
    if (s.causes.size() >= limits::profile_causes_max)
      s.causes.erase(s.causes.begin() + limits::profile_causes_max / 2);
    s.causes.push_back(what + why);
  }
};

json::array vpa_manifests(const state& s) {
  json::array out;
  for (const auto& v : s.terms.vpas)
    out.push_back(json::object{{"id", v.id},
                               {"vpaType", v.type},
                               {"cellId", v.cell_id},
                               {"externalCellId", v.external_cell_id},
                               {"properties", v.properties}});
  return out;
}

orchestration_manifest manifest_of(const state& s) {
  orchestration_manifest m;
  m.id = s.manifest_id;
  m.correlation_id = s.id;
  const bool deploy = s.at == profile_phase::pending;
  m.orchestration_type = deploy ? deploy_type : dispose_type;
  // What the deployment put out lies flat in the payload, where agents look for it, and under its own key.
  if (!deploy) {
    m.payload = s.vpa_state;
    m.payload[keys::vpa_state] = s.vpa_state;
  }
  m.payload[keys::participant_id] = s.terms.identifier;
  m.payload[keys::vpa_data] = vpa_manifests(s);
  m.payload[keys::credentials] = s.terms.credential_specs;
  return m;
}

} // namespace

std::string_view name_of(profile_errc e) noexcept {
  switch (e) {
  case profile_errc::not_found: return "not_found";
  case profile_errc::already_exists: return "already_exists";
  case profile_errc::wrong_state: return "wrong_state";
  }
  return "not_found";
}

std::string_view name_of(profile_phase p) noexcept {
  for (const auto& [value, name] : planes::enumerators<profile_phase>::all)
    if (value == p)
      return name;
  return "pending";
}

void participant_profile::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("id", s.id);
  f("terms", s.terms);
  f("at", s.at);
  f("manifest_id", s.manifest_id);
  f("manifest_owed", s.manifest_owed);
  f("put_off_by", s.put_off_by);
  f("digest", s.digest);
  f("answered", s.answered);
  f("undone", s.undone);
  f("vpa_state", s.vpa_state);
  f("failed", s.failed);
  f("error_detail", s.error_detail);
  f("causes", s.causes);
  f("created_at", s.created_at);
  f("changed_at", s.changed_at);
}

outcome participant_profile::decide(const state& s, const command& c, timepoint now) {
  if (!s.exists && !std::holds_alternative<deploy>(c))
    return refuse(profile_errc::not_found, "There is no such participant profile.");
  return std::visit(decider{s, now}, c);
}

participant_profile::state participant_profile::evolve(state s, const event& e) {
  evolver on{std::move(s)};
  std::visit(on, e);
  return std::move(on.s);
}

std::vector<actors::owed_effect<participant_profile::effect>> participant_profile::owed(const state& s) {
  if (!s.manifest_owed)
    return {};
  return {{"manifest:" + s.manifest_id, s.changed_at, effect{manifest_of(s)}}};
}

std::optional<timepoint> participant_profile::wake_at(const state& s) {
  return s.manifest_owed ? std::optional(s.changed_at) : std::nullopt;
}

persistence::event_record participant_profile::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return "participant_profile." + std::string(one.what); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<participant_profile::event> participant_profile::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string participant_profile::freeze(const state& s) { return planes::write_state(s); }

std::optional<participant_profile::state> participant_profile::thaw(std::string_view text) {
  return planes::read_state<state>(text);
}

std::string participant_profile::status(const state& s) {
  switch (s.at) {
  case profile_phase::pending: return "PENDING";
  case profile_phase::active: return "ACTIVE";
  case profile_phase::error: return "ERROR";
  case profile_phase::disposing: return "DISPOSING";
  case profile_phase::disposed: return "DISPOSED";
  case profile_phase::removed: return "REMOVED";
  }
  return "PENDING";
}

std::string participant_profile::view(const state& s) {
  json::object o{
      {"id", s.id},
      {"version", 0},
      {"identifier", s.terms.identifier},
      {"tenantId", s.terms.tenant_id},
      {"dataspaceProfileIds", json::array(s.terms.dataspace_profile_ids.begin(), s.terms.dataspace_profile_ids.end())},
      {"participantRoles", s.terms.participant_roles},
      {"error", s.failed}};
  json::array vpas;
  for (const auto& v : s.terms.vpas)
    vpas.push_back(json::object{{"id", v.id},
                                {"version", 0},
                                {"state", name_of(s.at)},
                                {"stateTimestamp", to_rfc3339(s.changed_at)},
                                {"type", v.type},
                                {"cellId", v.cell_id},
                                {"externalCellId", v.external_cell_id},
                                {"properties", v.properties}});
  o["vpas"] = std::move(vpas);
  auto properties = s.terms.properties;
  if (!s.vpa_state.empty())
    properties[keys::vpa_state] = s.vpa_state;
  o["properties"] = std::move(properties);
  if (!s.error_detail.empty())
    o["errorDetail"] = s.error_detail;
  json::array causes;
  for (const auto& c : s.causes)
    causes.push_back(json::object{{"side", "local"}, {"text", c}});
  o["causes"] = std::move(causes);
  if (s.manifest_owed)
    o["waitingOn"] = "the broker to take the manifest " + s.manifest_id +
                     (s.put_off_by.empty() ? "" : ", which it did not: " + s.put_off_by);
  else if (s.at == profile_phase::pending || s.at == profile_phase::disposing)
    o["waitingOn"] = "the orchestration " + s.manifest_id;
  return json::write(o);
}

} // namespace fondaco::cfm
