#include <map>
#include <vector>

#include "cfm/agents/activity_run.hpp"
#include "planes/codec/path.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::cfm {

namespace {

constexpr milliseconds issuance_poll_ms{250};
constexpr int64_t revocations_max = 100;

admin_call issuer_api(const activity_run& run, std::string method, std::string path) {
  admin_call c;
  c.method = std::move(method);
  c.base_url = run.services.settings.issuer_service_url;
  c.path =
      "/api/issuer/v1beta/participants/" + planes::path_segment(run.services.settings.issuer_context) + std::move(path);
  return c;
}

admin_call request_api(const activity_run& run, std::string method, std::string path) {
  admin_call c;
  c.method = std::move(method);
  c.base_url = run.services.settings.credential_service_url;
  c.path = "/api/identity/v1beta/participants/" + run.context() + "/credentials/request" + std::move(path);
  return c;
}

/// The credentials to ask one issuer for, and the id of the request: a function of the orchestration's, so that a
/// repeat asks for nothing twice.
struct wanted {
  std::string holder_pid;
  json::array credentials;
};

std::expected<std::map<std::string, wanted>, std::string> wanted_of(const activity_run& run) {
  std::map<std::string, wanted> out;
  const auto* specs = json::array_at(run.message().processing_data, keys::credentials);
  if (!specs)
    return out;
  for (const auto& v : *specs) {
    const auto* spec = v.if_object();
    const auto issuer = spec ? json::string_at(*spec, "issuer") : std::nullopt;
    const auto id = spec ? json::string_at(*spec, "id") : std::nullopt;
    if (!issuer || !id)
      return std::unexpected("A credential specification of cfm.vpa.credentials has no issuer or id.");
    auto& w = out[std::string(*issuer)];
    w.holder_pid = derive_uuid(0, {run.message().orchestration_id, "holder pid", *issuer}).text();
    w.credentials.push_back(json::object{{"id", *id},
                                         {"type", json::string_at(*spec, "type").value_or("")},
                                         {"format", json::string_at(*spec, "format").value_or("")}});
  }
  return out;
}

// Requests the credentials of one issuer, or looks how far they are; nothing once they are there.
actors::task<std::optional<activity_result>> obtain(activity_run& run, std::string issuer, wanted w) {
  auto look = request_api(run, "GET", "/" + w.holder_pid);
  auto looking = run.call(look);
  auto found = co_await std::move(looking);
  if (found && found->status == 404) {
    auto request = request_api(run, "POST", "");
    request.body["issuerDid"] = issuer;
    request.body["holderPid"] = w.holder_pid;
    request.body["credentials"] = w.credentials;
    auto requesting = run.call(request);
    auto requested = co_await std::move(requesting);
    if (!requested || (!requested->good() && requested->status != 409))
      co_return run.failed(request, requested);
    co_return run.look_again(issuance_poll_ms, "The credentials were requested.");
  }
  if (!found || !found->good())
    co_return run.failed(look, found);
  const auto body = found->object();
  const std::string status(json::string_at(body, "status").value_or(""));
  if (status == "ISSUED")
    co_return std::nullopt;
  if (status == "ERROR")
    co_return run.fatal("The issuer " + issuer + " gave no credentials: " +
                        std::string(json::string_at(body, "errorDetail").value_or("it did not say why.")));
  co_return run.look_again(issuance_poll_ms, "The credential request is " + status + ".");
}

actors::task<std::optional<activity_result>> revoke(activity_run& run, std::string id) {
  auto call = issuer_api(run, "POST", "/credentials/" + planes::path_segment(id) + "/revoke");
  auto calling = run.call(call);
  auto answer = co_await std::move(calling);
  if (answer && (answer->good() || answer->status == 404))
    co_return std::nullopt;
  co_return run.failed(call, answer);
}

actors::task<activity_result> revoke_all(activity_run& run) {
  auto query = issuer_api(run, "POST", "/credentials/query");
  query.body["limit"] = revocations_max;
  query.body["filterExpression"] =
      json::array{json::object{{"operandLeft", "holderId"}, {"operator", "="}, {"operandRight", run.did()}}};
  auto querying = run.call(query);
  auto found = co_await std::move(querying);
  if (!found || !found->good())
    co_return run.failed(query, found);
  const auto parsed = json::parse(found->body);
  if (parsed && parsed->is_array())
    for (const auto& c : parsed->get_array()) {
      const auto id = c.is_object() ? json::string_at(c.get_object(), "id") : std::nullopt;
      if (!id)
        continue;
      auto revoking = revoke(run, std::string(*id));
      if (auto wrong = co_await std::move(revoking))
        co_return std::move(*wrong);
    }
  co_return run.complete();
}

} // namespace

actors::task<activity_result> run_registration_activity(activity_run& run) {
  const auto did = run.did();
  if (did.empty())
    co_return run.fatal("The processing data has no cfm.participant.id.");
  if (run.disposes()) {
    auto remove = issuer_api(run, "DELETE", "/holders/" + planes::path_segment(did));
    auto removing = run.call(remove);
    auto removed = co_await std::move(removing);
    if (removed && (removed->good() || removed->status == 404))
      co_return run.complete();
    co_return run.failed(remove, removed);
  }
  auto name = run.text("cfm.participant.holdername");
  auto add = issuer_api(run, "POST", "/holders");
  add.body = {{"holderId", did}, {"did", did}, {"name", name.empty() ? did : name}};
  add.body["properties"] = run.vpa_properties("cfm.issuer");
  auto adding = run.call(add);
  auto added = co_await std::move(adding);
  if (added && added->status == 409) {
    add.method = "PUT";
    auto replacing = run.call(add);
    added = co_await std::move(replacing);
  }
  if (!added || !added->good())
    co_return run.failed(add, added);
  co_return run.complete();
}

actors::task<activity_result> run_credentials_activity(activity_run& run) {
  if (run.context().empty())
    co_return run.fatal("The processing data has no participantContextId.");
  if (run.disposes()) {
    auto revoking = revoke_all(run);
    co_return co_await std::move(revoking);
  }
  const auto all = wanted_of(run);
  if (!all)
    co_return run.fatal(all.error());
  json::object values;
  for (const auto& [issuer, w] : *all) {
    auto obtaining = obtain(run, issuer, w);
    if (auto open = co_await std::move(obtaining))
      co_return std::move(*open);
    values[keys::holder_pid] = w.holder_pid;
    const auto where = request_api(run, "GET", "/" + w.holder_pid);
    values[keys::credential_request] = where.base_url + where.path;
  }
  values[keys::participant_context_id] = run.context();
  auto output = values;
  co_return run.complete(std::move(values), std::move(output));
}

} // namespace fondaco::cfm
