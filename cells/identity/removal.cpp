#include <utility>

#include "cells/credential_service/routes.hpp"
#include "cells/identity/provisioning.hpp"
#include "cells/issuer_service/routes.hpp"
#include "cells/participants/disposal.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;

/// Nobody gets tokens or the document any more. What is not there needs no step.
task<result<bool>> retire(cell_services& s, tenant owner) {
  auto reading = api::read_document(s, context_key(owner));
  auto context = co_await std::move(reading);
  if (!context)
    co_return std::unexpected(std::move(context.error()));
  if (!*context)
    co_return true;
  api::record_change change = [owner](json::object before) -> result<json::object> {
    if (before.empty())
      return std::unexpected(api::not_found(context_type, owner.id()));
    before["state"] = context_states::deactivated;
    return before;
  };
  auto changing = api::change_record(s, context_key(owner), std::move(change), context_type);
  auto changed = co_await std::move(changing);
  if (!changed && changed.error().status != 404)
    co_return std::unexpected(std::move(changed.error()));
  auto did = text_at(api::stored_object((*context)->body), "did");
  auto moving = move_document(s, owner, std::move(did), false);
  auto moved = co_await std::move(moving);
  if (!moved && moved.error().status != 404)
    co_return std::unexpected(std::move(moved.error()));
  co_return true;
}

/// The tenant's secrets as a whole are destroyed with its last role; its private keys go with this one. Blocks.
result<bool> drop_private_keys(cell_services& s, const tenant& owner) {
  for (const auto& key : read_key_bodies(
           s, owner, {key_states::created, key_states::activated, key_states::rotated, key_states::revoked}))
    if (const auto name = text_at(key, "secretName"); !name.empty() && !s.vault.remove(owner, name))
      return std::unexpected(api::vault_unavailable());
  return true;
}

cells::disposal_plan plan_for(cell_services& s, const tenant& owner) {
  cells::disposal_plan plan;
  plan.agent_id = agent_id;
  plan.kinds = {kinds::key_pair, kinds::did_document, kinds::sts_account};
  for (const auto& kind : cells::credential_service_kinds([&s]() -> cell_services& { return s; }))
    plan.kinds.push_back(kind.name);
  for (auto& name : cells::issuer_service_kind_names())
    plan.kinds.push_back(std::move(name));
  plan.context_kind = kinds::identity_context;
  plan.entries.push_back({cells::node_tenant, kinds::identity_context, owner.id()});
  plan.reason = "The participant context was removed.";
  return plan;
}

} // namespace

task<result<bool>> take_down(cell_services& s, tenant owner) {
  auto looking = cells::has_role(s, owner, agent_id, kinds::identity_context);
  auto there = co_await std::move(looking);
  if (!there)
    co_return there;
  if (!*there)
    co_return std::unexpected(api::not_found(context_type, owner.id()));
  auto asking = cells::is_disposed(s, owner, agent_id);
  auto disposed = co_await std::move(asking);
  if (!disposed)
    co_return disposed;
  if (!*disposed) {
    auto retiring = retire(s, owner);
    auto retired = co_await std::move(retiring);
    if (!retired)
      co_return retired;
  }
  auto dropping = actors::in_pool(s.pool, s.edge, owner, [&s, owner] { return drop_private_keys(s, owner); });
  auto dropped = co_await std::move(dropping);
  if (!dropped)
    co_return std::unexpected(api::busy());
  if (!*dropped)
    co_return std::unexpected(std::move(dropped->error()));
  auto plan = plan_for(s, owner);
  auto disposing = cells::dispose_role(s, owner, std::move(plan));
  co_return co_await std::move(disposing);
}

} // namespace fondaco::identity
