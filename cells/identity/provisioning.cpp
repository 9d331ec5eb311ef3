#include "cells/identity/provisioning.hpp"

#include <utility>

#include "cells/participants/vpa.hpp"
#include "gateway/api_client.hpp"
#include "protocols/base/base64.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;
using participants::vpa;

constexpr const char* did_space = "did";
constexpr const char* sts_space = "sts_client";

persistence::entity_key document_key(const tenant& owner, const std::string& did) {
  return {owner, kinds::did_document, did};
}

std::string did_is_taken(const std::string& did) {
  return "The DID " + did + " belongs to another participant context";
}

response exists(const std::string& id) {
  return api::conflict("Object of type " + std::string(context_type) + " with ID=" + id + " already exists");
}

response store_silent() {
  return api::error_response(503, {{"The store does not answer; ask again.", "Unavailable", "", nullptr}});
}

/// Before anything is written: the DID is free or ours, and the participant was not removed. Blocks.
result<bool> may_begin(cell_services& s, const tenant& owner, const std::string& did) {
  const auto holder = s.journal.resolve_name(did_space, did);
  const auto agent = s.journal.read_row({owner, std::string(vpa::kind), agent_id});
  if (!holder || !agent)
    return std::unexpected(store_silent());
  if (*holder && (*holder)->owner != owner)
    return std::unexpected(api::conflict(did_is_taken(did)));
  if (*agent && (*agent)->status == participants::name_of(participants::vpa_state::disposed))
    return std::unexpected(
        api::conflict("The participant context " + owner.id() + " was removed; its id cannot be used again"));
  return true;
}

/// One request's work on a creation. What it writes is refused once another request has taken the creation over, so
/// that no late write spoils what the other one has shown.
struct attempt {
  cell_services& s;
  tenant owner;
  std::string id;

  /// True while the creation is this request's. Blocks.
  result<bool> holds() const {
    const auto found = s.documents.get(context_key(owner));
    if (!found)
      return std::unexpected(store_silent());
    if (!*found || json::string_at(api::stored_object((*found)->body), "creation") != id)
      return std::unexpected(api::conflict("Another request creates the participant context " + owner.id()));
    return true;
  }
};

task<result<bool>> begin(cell_services& s, manifest m, attempt mine) {
  auto looking = actors::in_pool(s.pool, s.edge, mine.owner,
                                 [&s, owner = mine.owner, did = m.did] { return may_begin(s, owner, did); });
  auto may = co_await std::move(looking);
  if (!may)
    co_return std::unexpected(api::busy());
  if (!*may)
    co_return std::unexpected(std::move(may->error()));
  api::record_change change = [m, mine](json::object before) -> result<json::object> {
    const auto other = text_at(before, "did");
    if (!before.empty() && other != m.did)
      return std::unexpected(api::conflict("The participant context " + m.participant_id + " has the DID " + other));
    if (is_complete(before))
      return std::unexpected(exists(m.participant_id));
    json::array scopes;
    for (const auto& scope : m.scopes)
      scopes.emplace_back(scope);
    return json::object{{"participantContextId", m.participant_id},
                        {"did", m.did},
                        {"state", context_states::created},
                        {"scopes", std::move(scopes)},
                        {"properties", m.properties},
                        {"apiTokenAlias", m.api_key_alias},
                        {"creation", mine.id}};
  };
  auto writing = api::change_record(s, context_key(mine.owner), std::move(change), context_type);
  auto written = co_await std::move(writing);
  // The list is mended even after a conflict: the request that made the context may have ended before it got there.
  auto listing = publish_to_list(s, mine.owner);
  auto listed = co_await std::move(listing);
  if (!written)
    co_return std::unexpected(std::move(written.error()));
  co_return listed;
}

/// Takes the DID's name and writes its document. If the name was taken meanwhile, nothing stays of this creation.
task<result<bool>> write_document(cell_services& s, manifest m, attempt mine) {
  api::record_change change = [m, mine](json::object) -> result<json::object> {
    if (auto mine_still = mine.holds(); !mine_still)
      return std::unexpected(std::move(mine_still.error()));
    return json::object{{"did", m.did},
                        {"participantContextId", m.participant_id},
                        {"state", m.active ? did_states::published : did_states::generated},
                        {"services", to_json(m.services)}};
  };
  std::vector<persistence::name_claim> names{{did_space, m.did}};
  auto writing = change_named(s, document_key(mine.owner, m.did), std::move(change), std::move(names), did_type,
                              did_is_taken(m.did));
  auto written = co_await std::move(writing);
  if (written || written.error().status != 409)
    co_return written;
  auto asking = actors::in_pool(s.pool, s.edge, [mine, m] { return may_begin(mine.s, mine.owner, m.did); });
  auto ours = co_await std::move(asking);
  if (ours && !*ours && ours->error().status == 409) {
    auto removing = api::remove_record(s, mine.owner, kinds::identity_context, mine.owner.id(), context_type);
    auto removed = co_await std::move(removing);
    auto listing = publish_to_list(s, mine.owner);
    auto listed = co_await std::move(listing);
  }
  co_return written;
}

task<result<bool>> tell_agent(cell_services& s, tenant owner, vpa::command command) {
  persistence::entity_key key{owner, std::string(vpa::kind), agent_id};
  auto asking = actors::ask<vpa>(s.runtime, s.edge, std::move(key), s.runtime.shard_for(owner), std::move(command),
                                 s.command_timeout_ms);
  auto reply = co_await std::move(asking);
  if (reply)
    co_return true;
  co_return std::unexpected(api::from_ask(reply.error(), context_type, owner.id()));
}

/// The last step: from now on the context is there.
task<result<bool>> finish(cell_services& s, manifest m, attempt mine, std::optional<std::string> api_key) {
  api::record_change change = [m, mine, api_key](json::object before) -> result<json::object> {
    if (json::string_at(before, "creation") != mine.id)
      return std::unexpected(api::conflict("Another request creates the participant context " + mine.owner.id()));
    before.erase("creation");
    before["state"] = m.active ? context_states::activated : context_states::created;
    if (api_key)
      before["apiKeySha256"] = gateway::hash_of_secret(*api_key);
    return before;
  };
  auto changing = api::change_record(s, context_key(mine.owner), std::move(change), context_type);
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::unexpected(std::move(changed.error()));
  auto listing = publish_to_list(s, mine.owner);
  co_return co_await std::move(listing);
}

task<result<bool>> add_keys(cell_services& s, manifest m, tenant owner) {
  bool first = true;
  for (auto& descriptor : m.keys) {
    auto adding = add_key(s, owner, m.did, descriptor, first);
    auto added = co_await std::move(adding);
    if (!added)
      co_return std::unexpected(std::move(added.error()));
    first = false;
  }
  co_return true;
}

} // namespace

std::string fresh_api_key(cell_services& s, const tenant& owner) {
  std::string bytes;
  for (int word = 0; word < 8; ++word)
    for (uint64_t bits = s.random.next(), byte = 0; byte < 8; ++byte, bits >>= 8)
      bytes.push_back(static_cast<char>(bits & 0xff));
  return base64_encode(owner.id()) + "." + base64_encode(bytes);
}

task<result<shown_secrets>> provision(cell_services& s, manifest m) {
  attempt mine{s, tenant(m.participant_id), gateway::random_hex(s.random, 2)};
  auto beginning = begin(s, m, mine);
  auto begun = co_await std::move(beginning);
  if (!begun)
    co_return std::unexpected(std::move(begun.error()));
  auto writing = write_document(s, m, mine);
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::unexpected(std::move(written.error()));
  auto adding = add_keys(s, m, mine.owner);
  auto added = co_await std::move(adding);
  if (!added)
    co_return std::unexpected(std::move(added.error()));
  vpa::command deploy = vpa::create{agent_id, agent_id, ""};
  auto telling = tell_agent(s, mine.owner, std::move(deploy));
  auto told = co_await std::move(telling);
  if (!told)
    co_return std::unexpected(std::move(told.error()));
  shown_secrets shown;
  if (m.provision_sts_account) {
    write_guard guard = [mine] { return mine.holds(); };
    auto renewing = renew_sts_secret(s, mine.owner, m.did, std::move(guard));
    auto secret = co_await std::move(renewing);
    if (!secret)
      co_return std::unexpected(std::move(secret.error()));
    shown.client_id = m.did;
    shown.client_secret = std::move(*secret);
  }
  if (m.provision_api_key)
    shown.api_key = fresh_api_key(s, mine.owner);
  auto finishing = finish(s, std::move(m), std::move(mine), shown.api_key);
  auto finished = co_await std::move(finishing);
  if (!finished)
    co_return std::unexpected(std::move(finished.error()));
  co_return shown;
}

task<result<bool>> move_document(cell_services& s, tenant owner, std::string did, bool published) {
  api::record_change change = [did, published](json::object before) -> result<json::object> {
    if (before.empty())
      return std::unexpected(api::not_found(did_type, did));
    if (published)
      before["state"] = did_states::published;
    else if (json::integer_at(before, "state") == did_states::published)
      before["state"] = did_states::unpublished;
    return before;
  };
  auto changing = api::change_record(s, document_key(owner, did), std::move(change), did_type);
  co_return co_await std::move(changing);
}

task<result<std::string>> renew_sts_secret(cell_services& s, tenant owner, std::string did, write_guard guard) {
  auto secret = gateway::fresh_secret(s.random);
  api::record_change change = [owner, did, guard,
                               hash = gateway::hash_of_secret(secret)](json::object before) -> result<json::object> {
    if (guard)
      if (auto good = guard(); !good)
        return std::unexpected(std::move(good.error()));
    before["clientId"] = did;
    before["did"] = did;
    before["participantContextId"] = owner.id();
    before["secretSha256"] = hash;
    return before;
  };
  std::vector<persistence::name_claim> names{{sts_space, did}};
  persistence::entity_key key{owner, kinds::sts_account, did};
  auto changing = change_named(s, std::move(key), std::move(change), std::move(names), "StsAccount",
                               "The client id " + did + " belongs to another participant context");
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::unexpected(std::move(changed.error()));
  co_return secret;
}

} // namespace fondaco::identity
