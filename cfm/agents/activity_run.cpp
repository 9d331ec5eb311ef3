#include "cfm/agents/activity_run.hpp"

#include <utility>

namespace fondaco::cfm {

std::string activity_run::text(std::string_view key) const {
  if (const auto found = json::string_at(message_.processing_data, key))
    return std::string(*found);
  // What a deployment put out comes back as one object when the profile is disposed of.
  const auto* kept = json::object_at(message_.processing_data, keys::vpa_state);
  return kept ? std::string(json::string_at(*kept, key).value_or("")) : std::string();
}

json::object activity_run::vpa_properties(std::string_view vpa_type) const {
  if (const auto* vpas = json::array_at(message_.processing_data, keys::vpa_data))
    for (const auto& v : *vpas)
      if (v.is_object() && json::string_at(v.get_object(), "vpaType") == vpa_type)
        if (const auto* properties = json::object_at(v.get_object(), "properties"))
          return *properties;
  return {};
}

actors::task<std::expected<admin_answer, fault>> activity_run::call(admin_call c) {
  if (is_over())
    co_return std::unexpected(fault{"too_late", "The time of this run is over.", cure::retry});
  c.traceparent = traceparent_;
  auto calling = admin_.call(std::move(c));
  co_return co_await std::move(calling);
}

activity_result activity_run::answer(activity_outcome o, std::string detail) const {
  activity_result r;
  r.orchestration_id = message_.orchestration_id;
  r.activity_id = message_.what.id;
  r.run = message_.run;
  r.outcome = o;
  r.detail = std::move(detail);
  return r;
}

activity_result activity_run::complete(json::object values, json::object output) const {
  auto r = answer(activity_outcome::complete, "");
  r.values = std::move(values);
  r.output = std::move(output);
  return r;
}

activity_result activity_run::look_again(milliseconds after, std::string detail) const {
  auto r = answer(activity_outcome::schedule, std::move(detail));
  r.wait_ms = after;
  return r;
}

activity_result activity_run::fatal(std::string detail) const {
  return answer(activity_outcome::fatal, std::move(detail));
}

activity_result activity_run::failed(const admin_call& c, const std::expected<admin_answer, fault>& got) const {
  const bool may_pass = got ? got->may_pass() : got.error().remedy == cure::retry;
  return answer(may_pass ? activity_outcome::retry : activity_outcome::fatal, describe(c, got));
}

std::optional<activity_result> activity_run::after_conflict(const activity_result& refused, const admin_call& look,
                                                            const std::expected<admin_answer, fault>& found,
                                                            std::string_view member) const {
  if (found && found->status == 404)
    return refused;
  if (!found || !found->good())
    return failed(look, found);
  if (json::string_at(found->object(), member) != did())
    return fatal("The participant context " + context() + " belongs to another participant.");
  return std::nullopt;
}

} // namespace fondaco::cfm
