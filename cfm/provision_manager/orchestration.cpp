#include "cfm/provision_manager/orchestration.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"

namespace fondaco::cfm {

namespace ev = orchestration_events;

namespace {

using state = orchestration::state;
using progress = orchestration::progress;
using outcome = std::expected<actors::decision<orchestration>, actors::refusal>;
using decision = actors::decision<orchestration>;

constexpr const char* response_key = "response";
constexpr const char* compensation_key = "compensation";
constexpr const char* silent_agent = "The agent gave no answer in time.";

std::unexpected<actors::refusal> refuse(orchestration_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

std::string cut(std::string text) {
  if (text.size() <= limits::failure_detail_bytes_max)
    return text;
  return std::string(cut_utf8(text, limits::failure_detail_bytes_max - 3)) + "...";
}

std::string run_key(const progress& p) { return "run:" + p.id + ":" + std::to_string(p.run); }

const progress* find(const state& s, std::string_view id) {
  const auto found = std::ranges::find(s.activities, id, &progress::id);
  return found == s.activities.end() ? nullptr : &*found;
}

progress& at(state& s, std::string_view id) {
  const auto found = std::ranges::find(s.activities, id, &progress::id);
  invariant(found != s.activities.end(), "an event names an activity of its orchestration");
  return *found;
}

bool ended(const state& s) { return s.at == orchestration::phase::completed || s.at == orchestration::phase::errored; }

decision quiet(const state& s) {
  decision d;
  d.reply.id = s.terms.id;
  d.reply.shown = orchestration::view(s);
  return d;
}

decision with(const state& s, orchestration_event e) {
  decision d;
  d.reply.id = s.terms.id;
  d.events.push_back(std::move(e));
  return d;
}

milliseconds delay_after(int64_t failures) {
  auto delay = limits::activity_retry_first_ms;
  for (int64_t i = 0; i < failures && delay < limits::activity_retry_cap_ms; ++i)
    delay *= 2;
  return std::min(delay, limits::activity_retry_cap_ms);
}

outcome begin(const state& s, const orchestration::start& c, timepoint now) {
  if (s.exists) {
    if (s.terms.type != c.manifest.orchestration_type || s.terms.correlation_id != c.manifest.correlation_id)
      return refuse(orchestration_errc::already_exists,
                    "An orchestration with the id " + c.manifest.id + " was begun by another manifest.");
    return quiet(s);
  }
  if (json::write(c.manifest.payload).size() > limits::processing_data_bytes_max)
    return refuse(orchestration_errc::bad_manifest, "The payload may have at most 262144 bytes of JSON.");
  ev::started e;
  e.at = now;
  e.cause = c.manifest.id;
  e.id = c.manifest.id;
  e.correlation_id = c.manifest.correlation_id;
  e.type = c.manifest.orchestration_type;
  e.definition_id = c.definition_id;
  e.activities = c.activities;
  e.payload = c.manifest.payload;
  e.compensates = c.compensates;
  e.attempts_max = c.attempts_max;
  e.window_ms = c.window_ms;
  e.silence_ms = c.silence_ms;
  decision d;
  d.reply.id = e.id;
  d.reply.created = true;
  const auto steps = steps_of(e.activities);
  std::string why;
  if (e.activities.empty())
    why = "The orchestration type '" + e.type + "' has no definition with activities.";
  else if (!steps)
    why = steps.error().detail;
  if (!steps)
    e.activities.clear();
  d.events.push_back(e);
  if (!why.empty())
    d.events.push_back(ev::failed{now, e.cause, "", why, {}, {}});
  auto next = s;
  for (const auto& one : d.events)
    next = orchestration::evolve(std::move(next), one);
  d.reply.shown = orchestration::view(next);
  return d;
}

// An activity that did not end well: once more, or never.
orchestration_event put_off_or_fail(const state& s, const progress& p, const activity_result& r, timepoint now) {
  const bool counts = r.outcome != activity_outcome::schedule;
  const bool too_often = counts && p.failures + 1 >= s.terms.attempts_max;
  const bool too_late = now - p.since >= s.terms.window_ms;
  if (r.outcome == activity_outcome::fatal || too_often || too_late || !s.failures.empty()) {
    auto detail = r.detail.empty() ? std::string("It failed without saying why.") : r.detail;
    if (r.outcome != activity_outcome::fatal && too_often)
      detail += " It was tried " + std::to_string(p.failures + 1) + " times.";
    else if (r.outcome != activity_outcome::fatal && too_late)
      detail += " Its time is over.";
    return ev::failed{now, r.activity_id, r.activity_id, cut(std::move(detail)), r.values, r.output};
  }
  const auto wait = counts ? delay_after(p.failures) : std::max(r.wait_ms, milliseconds(0));
  return ev::put_off{now, r.activity_id, r.activity_id, counts, now + wait, r.values, r.output, cut(r.detail)};
}

outcome take_answer(const state& s, const activity_result& r, timepoint now) {
  const auto* p = find(s, r.activity_id);
  const bool live = p && (p->at == activity_phase::due || p->at == activity_phase::running);
  if (!live || ended(s))
    return refuse(orchestration_errc::stale_result,
                  "The orchestration does not wait for the activity '" + r.activity_id + "'.");
  if (r.outcome == activity_outcome::complete) {
    auto merged = s.processing_data;
    for (const auto& [key, v] : r.values)
      merged[key] = v;
    if (json::write(merged).size() > limits::processing_data_bytes_max) {
      auto too_much = r;
      too_much.outcome = activity_outcome::fatal;
      too_much.detail = "The processing data would have more than 262144 bytes.";
      too_much.values.clear();
      return with(s, put_off_or_fail(s, *p, too_much, now));
    }
    return with(s, ev::completed{now, r.activity_id, r.activity_id, r.values, r.output});
  }
  if (r.run != p->run)
    return refuse(orchestration_errc::stale_result, "The answer is to an earlier run of '" + r.activity_id + "'.");
  return with(s, put_off_or_fail(s, *p, r, now));
}

outcome take_publication(const state& s, const std::string& key, timepoint now) {
  if ((key == response_key && s.response_owed) || (key == compensation_key && s.compensation_owed))
    return with(s, ev::reported{now, key, key});
  for (const auto& p : s.activities)
    if (p.at == activity_phase::due && run_key(p) == key)
      return with(s, ev::handed_over{now, key, p.id, p.run});
  return quiet(s);
}

outcome pass_time(const state& s, timepoint now) {
  decision d;
  d.reply.id = s.terms.id;
  auto next = s;
  for (const auto& p : s.activities) {
    if (p.at != activity_phase::running || p.next_at > now)
      continue;
    activity_result silence;
    silence.activity_id = p.id;
    silence.run = p.run;
    silence.outcome = activity_outcome::retry;
    silence.detail = silent_agent;
    auto e = put_off_or_fail(next, p, silence, now);
    next = orchestration::evolve(std::move(next), e);
    d.events.push_back(std::move(e));
  }
  return d;
}

void enter_step(state& s, timepoint when) {
  if (static_cast<size_t>(s.step) >= s.steps.size()) {
    s.at = orchestration::phase::completed;
    s.response_owed = true;
    return;
  }
  for (const auto& id : s.steps[static_cast<size_t>(s.step)]) {
    auto& p = at(s, id);
    p.at = activity_phase::due;
    p.run = 1;
    p.since = when;
    p.next_at = when;
  }
}

// After an activity's end: the next step, or the end of all.
void go_on(state& s, timepoint when) {
  const auto open = std::ranges::any_of(
      s.activities, [](const auto& p) { return p.at == activity_phase::due || p.at == activity_phase::running; });
  if (open)
    return;
  if (!s.failures.empty()) {
    s.at = orchestration::phase::errored;
    s.response_owed = true;
    s.compensation_owed = s.terms.compensates;
    return;
  }
  ++s.step;
  enter_step(s, when);
}

void merge(json::object& into, const json::object& from) {
  for (const auto& [key, v] : from)
    into[key] = v;
}

struct evolver {
  state s;

  void operator()(const ev::started& e) {
    s.exists = true;
    s.terms = e;
    s.terms.payload = {};
    s.changed_at = e.at;
    s.processing_data = e.payload;
    if (auto steps = steps_of(e.activities))
      s.steps = std::move(*steps);
    for (const auto& a : e.activities) {
      progress p;
      p.id = a.id;
      s.activities.push_back(std::move(p));
    }
    if (!s.steps.empty()) {
      s.at = orchestration::phase::running;
      enter_step(s, e.at);
    }
  }
  void operator()(const ev::handed_over& e) {
    auto& p = at(s, e.activity_id);
    p.at = activity_phase::running;
    p.next_at = e.at + s.terms.silence_ms;
    s.changed_at = e.at;
  }
  void operator()(const ev::completed& e) {
    at(s, e.activity_id).at = activity_phase::done;
    at(s, e.activity_id).detail.clear();
    take(e.at, e.values, e.output);
    go_on(s, e.at);
  }
  void operator()(const ev::put_off& e) {
    auto& p = at(s, e.activity_id);
    p.at = activity_phase::due;
    ++p.run;
    p.failures += e.counts ? 1 : 0;
    p.next_at = e.next_at;
    p.detail = e.detail;
    take(e.at, e.values, e.output);
  }
  void operator()(const ev::failed& e) {
    if (!e.activity_id.empty()) {
      at(s, e.activity_id).at = activity_phase::failed;
      at(s, e.activity_id).detail = e.detail;
    }
    s.failures.push_back((e.activity_id.empty() ? "" : "The activity '" + e.activity_id + "' failed: ") + e.detail);
    take(e.at, e.values, e.output);
    go_on(s, e.at);
  }
  void operator()(const ev::reported& e) {
    (e.message == response_key ? s.response_owed : s.compensation_owed) = false;
    s.changed_at = e.at;
  }

  void take(timepoint when, const json::object& values, const json::object& output) {
    s.changed_at = when;
    merge(s.processing_data, values);
    merge(s.output_data, output);
  }
};

orchestration::effect run_effect(const state& s, const progress& p) {
  activity_message m;
  m.orchestration_id = s.terms.id;
  m.what = *std::ranges::find(s.terms.activities, p.id, &activity::id);
  m.run = p.run;
  m.processing_data = s.processing_data;
  const auto key = run_key(p);
  return {key, subjects::of_activity(m.what.type), s.terms.id + ":" + key, write(m), s.terms.silence_ms};
}

orchestration::effect response_effect(const state& s) {
  orchestration_response r;
  r.id = s.terms.id + ":response";
  r.manifest_id = s.terms.id;
  r.correlation_id = s.terms.correlation_id;
  r.orchestration_type = s.terms.type;
  r.success = s.at == orchestration::phase::completed;
  for (const auto& f : s.failures)
    r.error_detail += (r.error_detail.empty() ? "" : " ") + f;
  r.properties = s.output_data;
  return {response_key, std::string(subjects::response), r.id, write(r), {}};
}

orchestration::effect compensation_effect(const state& s) {
  orchestration_manifest m;
  m.id = compensation_id(s.terms.id);
  m.correlation_id = s.terms.correlation_id;
  m.orchestration_type = dispose_type;
  m.payload = s.processing_data;
  return {compensation_key, std::string(subjects::manifest), m.id, write(m), {}};
}

} // namespace

std::string compensation_id(std::string_view orchestration_id) {
  const auto parsed = parse_uuid(orchestration_id);
  return derive_uuid(parsed ? parsed->shard() : shard_number{0}, {orchestration_id, "compensation"}).text();
}

std::expected<decision, actors::refusal> orchestration::decide(const state& s, const command& c, timepoint now) {
  if (const auto* first = std::get_if<start>(&c))
    return begin(s, *first, now);
  if (!s.exists)
    return refuse(orchestration_errc::not_found, "There is no such orchestration.");
  if (const auto* a = std::get_if<answer>(&c))
    return take_answer(s, a->result, now);
  if (const auto* p = std::get_if<published>(&c))
    return take_publication(s, p->key, now);
  if (std::holds_alternative<time_passed>(c))
    return pass_time(s, now);
  return quiet(s);
}

orchestration::state orchestration::evolve(state s, const event& e) {
  evolver on{std::move(s)};
  std::visit(on, e);
  return std::move(on.s);
}

std::vector<actors::owed_effect<orchestration::effect>> orchestration::owed(const state& s) {
  std::vector<actors::owed_effect<effect>> out;
  const auto add = [&out](effect e, timepoint not_before) {
    auto key = e.key;
    out.push_back({std::move(key), not_before, std::move(e)});
  };
  for (const auto& p : s.activities)
    if (p.at == activity_phase::due)
      add(run_effect(s, p), p.next_at);
  if (s.response_owed)
    add(response_effect(s), s.changed_at);
  if (s.compensation_owed)
    add(compensation_effect(s), s.changed_at);
  return out;
}

std::optional<timepoint> orchestration::wake_at(const state& s) {
  std::optional<timepoint> first;
  for (const auto& p : s.activities)
    if (p.at == activity_phase::due || p.at == activity_phase::running)
      first = first ? std::min(*first, p.next_at) : p.next_at;
  if (s.response_owed || s.compensation_owed)
    first = first ? std::min(*first, s.changed_at) : s.changed_at;
  return first;
}

std::optional<orchestration::command> orchestration::tick(const state& s, timepoint now) {
  const auto silent = std::ranges::any_of(
      s.activities, [&](const auto& p) { return p.at == activity_phase::running && p.next_at <= now; });
  return silent ? std::optional<command>(time_passed{}) : std::nullopt;
}

} // namespace fondaco::cfm
