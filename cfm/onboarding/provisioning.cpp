#include "cfm/onboarding/provisioning.hpp"

#include <algorithm>

#include "cfm/messages.hpp"

namespace fondaco::cfm {

namespace {

constexpr const char* tenants = "/api/v1alpha1/tenants";

application::command open(const application::effect& e, const admin_call& c,
                          const std::expected<admin_answer, fault>& answer) {
  const bool may_pass = answer ? answer->may_pass() : answer.error().remedy == cure::retry;
  return application::step_open{e.step, describe(c, answer), !may_pass};
}

admin_call to_tenant_manager(cfm_services& s, const application::effect& e) {
  admin_call c;
  c.method = "POST";
  c.base_url = s.settings.tenant_manager_url;
  if (e.step == "tenant") {
    c.path = tenants;
    c.idempotency_key = e.id;
    auto properties = e.terms.properties;
    properties["name"] = e.terms.organisation;
    c.body["properties"] = std::move(properties);
    return c;
  }
  c.path = tenants + ("/" + e.tenant_id) + "/participant-profiles";
  if (e.step == "active") {
    c.method = "GET";
    c.path += "/" + e.profile_id;
    return c;
  }
  c.idempotency_key = e.id + ":" + std::to_string(e.retries);
  c.body["identifier"] = e.terms.identifier;
  const auto& profiles = e.terms.dataspace_profile_ids;
  c.body["dataspaceProfileIds"] = json::array(profiles.begin(), profiles.end());
  c.body["vpaProperties"] = json::object{{"cfm.issuer", e.terms.attestation}};
  return c;
}

// What a participant profile says of itself: active, failed, or under way.
application::command judge(const application::effect& e, const json::object& profile) {
  if (const auto* error = profile.if_contains("error"); error && error->is_bool() && error->get_bool()) {
    const auto detail = json::string_at(profile, "errorDetail").value_or("");
    return application::step_open{e.step, "The participant profile could not be deployed. " + std::string(detail),
                                  true};
  }
  const auto* vpas = json::array_at(profile, "vpas");
  const bool active = vpas && !vpas->empty() && std::ranges::all_of(*vpas, [](const json::value& v) {
                        return v.is_object() && json::string_at(v.get_object(), "state") == "active";
                      });
  if (!active)
    return application::step_open{e.step, "", false};
  const auto* properties = json::object_at(profile, "properties");
  const auto* kept = properties ? json::object_at(*properties, keys::vpa_state) : nullptr;
  const auto context = kept ? json::string_at(*kept, keys::participant_context_id) : std::nullopt;
  return application::step_done{e.step, std::string(context.value_or(""))};
}

} // namespace

actors::task<application::command> provision(cfm_services& s, admin_client& admin, application::effect e) {
  auto call = to_tenant_manager(s, e);
  auto calling = admin.call(call);
  const auto answer = co_await std::move(calling);
  if (!answer || !answer->good())
    co_return open(e, call, answer);
  const auto body = answer->object();
  if (e.step == "active")
    co_return judge(e, body);
  co_return application::step_done{e.step, std::string(json::string_at(body, "id").value_or(""))};
}

} // namespace fondaco::cfm
