#include "e2e/insistent_operator.hpp"

namespace fondaco::e2e {

namespace {

constexpr milliseconds answer_within{60'000};

std::string path_of(const tenancy& t) {
  return "/api/v1alpha1/tenants/" + t.tenant + "/participant-profiles/" + t.profile;
}

// A dead process gives no answer, one that has not its shards back a 503.
bool is_answer(const answer& got) { return got.status < 500 && got.status != 401 && got.status != 429; }

} // namespace

answer insistent_operator::insist(const std::string& method, const std::string& path, const json::object& body,
                                  const http::header_list& more) {
  return wait_for(
      "an answer to " + method + " " + path,
      [&](std::string& saw) -> std::optional<answer> {
        auto got = attempt(method, path, body, more, saw);
        return got && is_answer(*got) ? std::move(got) : std::nullopt;
      },
      answer_within);
}

std::optional<answer> insistent_operator::attempt(const std::string& method, const std::string& path,
                                                  const json::object& body, const http::header_list& more,
                                                  std::string& saw) {
  auto& who = fabric_.at(fabric_.cfm());
  try {
    auto got = who.send(method, path, body, more);
    saw = std::to_string(got.status) + " " + got.body;
    if (got.status == 401)
      who.forget();
    return got;
  } catch (const failed& f) {
    saw = f.what();
    return std::nullopt;
  }
}

std::string insistent_operator::make(const std::string& path, const json::object& body,
                                     const std::string& idempotency_key) {
  const auto got = insist("POST", path, body, {{"Idempotency-Key", idempotency_key}});
  check(got.status == 201 || got.status == 202,
        "POST " + path + " was answered " + std::to_string(got.status) + ": " + got.body);
  return text_at(got.object(), "id");
}

tenancy insistent_operator::begin(const std::string& name) {
  tenancy t{name, "", "", ""};
  t.tenant = make("/api/v1alpha1/tenants", {{"properties", json::object{{"name", name}}}}, name + "/tenant");
  json::object body{{"identifier", fabric_.did(name)}};
  body["dataspaceProfileIds"] = json::array{json::value(fabric_.dataspace_profile("members"))};
  body["vpaProperties"] = json::object{{"cfm.issuer", json::object{{"membership", json::object{{"level", "full"}}}}}};
  t.profile = make("/api/v1alpha1/tenants/" + t.tenant + "/participant-profiles", body, name + "/profile");
  return t;
}

sight insistent_operator::look(tenancy& t) {
  const auto got = insist("GET", path_of(t));
  check_equal("the status of " + t.name + "'s profile", got.status, 200);
  const auto profile = got.object();
  const auto vpas = array_at(profile, "vpas");
  if (t.context.empty())
    t.context = text_at(object_at(object_at(profile, "properties"), "cfm.vpa.state"), "participantContextId");
  return {vpas.empty() ? "no VPA" : text_at(vpas.front().as_object(), "state"), text_at(profile, "errorDetail")};
}

// A DELETE of what is disposed of removes it: so it is sent again only if the last one had no effect.
void insistent_operator::dispose(tenancy& t) {
  wait_for(
      "the disposal of " + t.name + " to be taken",
      [&](std::string& saw) -> std::optional<bool> {
        const auto got = attempt("DELETE", path_of(t), {}, {}, saw);
        if (got && got->status == 202)
          return true;
        check(!got || !is_answer(*got), "the disposal of " + t.name + " was answered " + saw);
        return look(t).state == "active" ? std::nullopt : std::optional(true);
      },
      answer_within);
}

} // namespace fondaco::e2e
