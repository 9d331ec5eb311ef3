#include "cfm/agents/activity_run.hpp"

namespace fondaco::cfm {

namespace {

constexpr const char* management_context = "https://w3id.org/edc/connector/management/v2";
constexpr const char* participants = "/api/management/v5beta/participants";
constexpr milliseconds ending_poll_ms{500};

admin_call management(const activity_run& run, std::string method, std::string path, const char* type = nullptr) {
  admin_call c;
  c.method = std::move(method);
  c.base_url = run.services.settings.control_plane_url;
  c.path = participants + std::move(path);
  if (type) {
    c.body["@context"] = json::array{management_context};
    c.body["@type"] = type;
  }
  return c;
}

// Creates the context; one that is there already counts if it is this participant's.
actors::task<std::optional<activity_result>> make_context(activity_run& run) {
  auto create = management(run, "POST", "", "ParticipantContext");
  create.body["@id"] = run.context();
  create.body["identity"] = run.did();
  create.body["properties"] = json::object();
  create.body["state"] = "ACTIVATED";
  auto creating = run.call(create);
  auto created = co_await std::move(creating);
  if (created && created->good())
    co_return std::nullopt;
  if (!created || created->status != 409)
    co_return run.failed(create, created);
  auto look = management(run, "GET", "/" + run.context());
  auto looking = run.call(look);
  auto found = co_await std::move(looking);
  co_return run.after_conflict(run.failed(create, created), look, found, "identity");
}

actors::task<activity_result> take_down(activity_run& run) {
  auto remove = management(run, "DELETE", "/" + run.context());
  auto removing = run.call(remove);
  auto removed = co_await std::move(removing);
  if (removed && (removed->good() || removed->status == 404))
    co_return run.complete();
  // Its negotiations and transfers are told that they end, which takes the time that their peers need.
  if (removed && removed->status == 503)
    co_return run.look_again(ending_poll_ms, describe(remove, removed));
  co_return run.failed(remove, removed);
}

} // namespace

actors::task<activity_result> run_connector_activity(activity_run& run) {
  if (run.context().empty())
    co_return run.fatal("The processing data has no participantContextId.");
  if (run.disposes()) {
    auto taking = take_down(run);
    co_return co_await std::move(taking);
  }
  auto making = make_context(run);
  if (auto wrong = co_await std::move(making))
    co_return std::move(*wrong);
  auto join = management(run, "PUT", "/" + run.context() + "/profiles", "AssociateDataspaceProfile");
  join.body["profiles"] = json::array{json::value(run.services.settings.dataspace_profile)};
  auto joining = run.call(join);
  auto joined = co_await std::move(joining);
  if (!joined || !joined->good())
    co_return run.failed(join, joined);
  auto configure = management(run, "PATCH", "/" + run.context() + "/config", "ParticipantContextConfig");
  configure.body["identity"] = run.context();
  configure.body["entries"] = json::object{{"edc.participant.id", run.did()}, {"edc.iam.issuer.id", run.did()}};
  auto configuring = run.call(configure);
  auto configured = co_await std::move(configuring);
  if (!configured || !configured->good())
    co_return run.failed(configure, configured);
  co_return run.complete();
}

actors::task<activity_result> run_data_plane_activity(activity_run& run) {
  const auto pc = run.context();
  if (pc.empty())
    co_return run.fatal("The processing data has no participantContextId.");
  const auto id = pc + "-dataplane";
  if (run.disposes()) {
    auto remove = management(run, "DELETE", "/" + pc + "/dataplanes/" + id);
    auto removing = run.call(remove);
    auto removed = co_await std::move(removing);
    if (removed && (removed->good() || removed->status == 404))
      co_return run.complete();
    co_return run.failed(remove, removed);
  }
  auto put = management(run, "PUT", "/" + pc + "/dataplanes");
  put.body["dataplaneId"] = id;
  put.body["endpoint"] = run.services.settings.data_plane_signaling_url + "/api/dataplane/" + pc;
  const auto& types = run.services.settings.transfer_types;
  put.body["transferTypes"] = json::array(types.begin(), types.end());
  auto putting = run.call(put);
  auto done = co_await std::move(putting);
  if (!done || !done->good())
    co_return run.failed(put, done);
  co_return run.complete();
}

} // namespace fondaco::cfm
