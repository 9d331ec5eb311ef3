#include "cells/control_plane/refused_requests.hpp"

#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "planes/api/bodies.hpp"
#include "planes/record.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;

void note_refusal(const tenant& owner, const refused_request& r, bool kept) {
  std::string why;
  for (const auto& reason : r.reasons)
    why += (why.empty() ? "" : " ") + reason;
  write_log({severity::warning,
             "control_plane",
             log_category::audit,
             "a first request was refused",
             {{"participant_context", owner.id()},
              {"profile", r.profile},
              {"counterparty", r.counterparty_id},
              {"message_type", r.message},
              {"entity_id", r.id},
              {"kept", kept ? "true" : "false"},
              {"reason", why},
              {"correlation_id", r.correlation_id}}});
}

std::string body_of(const refused_request& r, timepoint at) {
  json::object o;
  o["counterPartyId"] = r.counterparty_id;
  o["profile"] = r.profile;
  o["message"] = r.message;
  o["reasons"] = json::array(r.reasons.begin(), r.reasons.end());
  o["at"] = to_rfc3339(at);
  o["correlationId"] = r.correlation_id;
  return json::write(o);
}

/// True if no other counterparty's refusal has this id. Blocks: for the reader pool.
bool is_free(cell_services& s, const persistence::entity_key& key, const std::string& counterparty) {
  const auto found = s.documents.get(key);
  if (!found)
    return false;
  if (!*found)
    return true;
  const auto body = json::parse((*found)->body);
  return body && body->is_object() && json::string_at(body->get_object(), "counterPartyId") == counterparty;
}

gateway::task<bool> write(cell_services& s, persistence::entity_key key, refused_request r) {
  auto looking =
      actors::in_pool(s.pool, s.edge, key.owner, [&s, key, peer = r.counterparty_id] { return is_free(s, key, peer); });
  const auto free = co_await std::move(looking);
  if (!free || !*free)
    co_return false;
  planes::record::put put;
  put.record_kind = key.kind;
  put.id = key.id;
  put.body = body_of(r, s.clock.now());
  put.when = planes::record::mode::upsert;
  planes::record::command command = std::move(put);
  const auto shard = s.runtime.shard_for(key.owner);
  auto asking =
      actors::ask<planes::record>(s.runtime, s.edge, std::move(key), shard, std::move(command), s.command_timeout_ms);
  const auto reply = co_await std::move(asking);
  co_return reply.has_value();
}

} // namespace

bool refused_requests::has_room(const tenant& owner, timepoint now) {
  const auto minute = to_epoch_ms(now) / 60'000;
  std::scoped_lock lock(mutex_);
  if (counts_.size() >= limits::refused_request_counts_max)
    counts_.clear();
  auto& count = counts_[owner];
  if (count.minute != minute)
    count = {minute, 0};
  if (count.kept >= limits::refused_requests_per_minute_max)
    return false;
  ++count.kept;
  return true;
}

gateway::task<bool> refused_requests::keep(cell_services& s, tenant owner, refused_request r) {
  bool kept = false;
  if (planes::api::is_id(r.id) && has_room(owner, s.clock.now())) {
    persistence::entity_key key{owner, cells::kinds::refused_request, r.id};
    auto writing = write(s, std::move(key), r);
    kept = co_await std::move(writing);
  }
  note_refusal(owner, r, kept);
  co_return kept;
}

actors::entity_kind refused_request_kind() {
  actors::entity_kind k;
  k.name = cells::kinds::refused_request;
  k.make = [](const persistence::entity_key& key) {
    return std::make_unique<actors::typed_state<planes::record>>(key);
  };
  k.run_effect = [](actors::effect_run, std::function<void(std::any)>) { invariant(false, "records owe nothing"); };
  return k;
}

std::vector<std::string> explain_refusal(const persistence::document& kept) {
  std::vector<std::string> out;
  const auto body = json::parse(kept.body);
  if (!body || !body->is_object())
    return out;
  const auto& o = body->get_object();
  const auto text = [&o](const char* name) { return std::string(json::string_at(o, name).value_or("")); };
  out.push_back("The " + text("message") + " of " + text("counterPartyId") + " in dataspace profile '" +
                text("profile") + "' was refused at " + text("at") + ", so no process was made of it.");
  if (const auto* reasons = json::array_at(o, "reasons"))
    for (const auto& reason : *reasons)
      if (reason.is_string())
        out.push_back("This side said: " + std::string(reason.get_string()));
  return out;
}

} // namespace fondaco::control_plane
