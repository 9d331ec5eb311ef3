#include "sim/crew.hpp"

namespace fondaco::sim {

using actors::delivery;
using cfm::activity_outcome;

crew::crew(std::string name, timeline& time, record& notes, post_office& office, const weather& w, chance luck)
    : name_(std::move(name)), time_(time), notes_(notes), office_(office), weather_(w), luck_(luck) {
  for (const auto* type : types)
    office_.consume(name_, true, cfm::subjects::of_activity(type),
                    [this](const actors::broker_message& m, auto done) { take(m, std::move(done)); });
  office_.consume(name_, true, std::string(cfm::subjects::response),
                  [this](const actors::broker_message& m, auto done) { hear(m, done); });
}

void crew::take(const actors::broker_message& m, std::function<void(delivery)> done) {
  const auto message = cfm::read_activity_message(m.payload);
  if (!message)
    return done(delivery::refused);
  if (m.expires_at && time_.now() >= *m.expires_at)
    return done(delivery::done);
  for (const auto& before : message->what.depends_on)
    if (!completed(message->orchestration_id, before))
      notes_.blame(time_.now(), "activity " + message->what.id + " of " + message->orchestration_id +
                                    " was asked for before " + before + " was complete");
  if (trouble_ && luck_.hits(weather_.agent_silent))
    return;
  if (trouble_ && luck_.hits(weather_.agent_later))
    return done(delivery::again);
  const auto result = work(*message);
  actors::broker_message out;
  out.subject = cfm::subjects::result;
  out.id = result.orchestration_id + ":result:" + result.activity_id + ":" + std::to_string(result.run);
  out.payload = cfm::write(result);
  time_.after(luck_.between(milliseconds(5), milliseconds(3'000)), [this, out, done] {
    office_.publish(name_, true, out, [done](const std::expected<void, fault>& published) {
      done(published ? delivery::done : delivery::again);
    });
  });
}

cfm::activity_result crew::work(const cfm::activity_message& m) {
  cfm::activity_result r;
  r.orchestration_id = m.orchestration_id;
  r.activity_id = m.what.id;
  r.run = m.run;
  if (trouble_ && luck_.hits(weather_.agent_later)) {
    r.outcome = luck_.below(2) == 0 ? activity_outcome::schedule : activity_outcome::retry;
    r.wait_ms = luck_.between(milliseconds(10), milliseconds(4'000));
    r.detail = "Not yet.";
  } else if (trouble_ && luck_.hits(weather_.agent_fails) && !completed(m.orchestration_id, m.what.id)) {
    r.outcome = activity_outcome::fatal;
    r.detail = "Never.";
  } else {
    completed_.emplace(m.orchestration_id, m.what.id);
  }
  return r;
}

void crew::hear(const actors::broker_message& m, const std::function<void(delivery)>& done) {
  const auto response = cfm::read_response(m.payload);
  if (!response)
    return done(delivery::refused);
  const auto [known, fresh] = heard_.emplace(response->manifest_id, response->success);
  if (!fresh && known->second != response->success)
    notes_.blame(time_.now(), "orchestration " + response->manifest_id + " ended in two ways");
  done(delivery::done);
}

std::optional<bool> crew::heard(const std::string& orchestration) const {
  const auto found = heard_.find(orchestration);
  return found == heard_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace fondaco::sim
