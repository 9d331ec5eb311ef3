#include "persistence/sqlite/batch_writer.hpp"

#include <set>

#include "persistence/detail/append_check.hpp"

namespace fondaco::persistence::sqlite {

namespace {

// Turns the count of changed rows into nothing, or the failure into an outcome without a value.
outcome<void> done(outcome<int64_t> changed) {
  if (!changed)
    return std::unexpected(std::move(changed.error()));
  return {};
}

} // namespace

std::vector<append_result> batch_writer::write(std::span<const entity_append> batch) {
  std::vector<append_result> results(batch.size(), append_result(appended{}));
  for (size_t i = 0; i < batch.size(); ++i)
    if (!detail::is_storable(batch[i]))
      results[i] = std::unexpected(journal_errc::rejected);
  for (;;) {
    auto attempted = results;
    size_t at = 0;
    const auto tried = attempt(batch, attempted, at);
    if (tried)
      return attempted;
    auto why = errc_of(tried.error());
    // A row that the database itself refuses is left out, the others are written again.
    if (why == journal_errc::rejected && at < batch.size()) {
      results[at] = std::unexpected(why);
      continue;
    }
    if (at > batch.size())
      why = journal_errc::outcome_unknown;
    for (auto& r : attempted)
      if (r)
        r = std::unexpected(why);
    return attempted;
  }
}

// `at` is the entity that is being written, one past the end for the rows of all, and beyond that for the commit.
outcome<void> batch_writer::attempt(std::span<const entity_append> batch, std::vector<append_result>& results,
                                    size_t& at) {
  shards_.clear();
  links_.clear();
  at = batch.size();
  auto work = transaction::begin(db_);
  if (!work)
    return std::unexpected(std::move(work.error()));
  for (at = 0; at < batch.size(); ++at) {
    if (!results[at])
      continue;
    auto one = write_one(batch[at]);
    if (!one)
      return std::unexpected(std::move(one.error()));
    results[at] = *one;
  }
  if (auto moved = write_shards(); !moved)
    return moved;
  ++at;
  return work->commit();
}

outcome<append_result> batch_writer::write_one(const entity_append& a) {
  auto shard = shard_of(a.shard);
  if (!shard)
    return std::unexpected(std::move(shard.error()));
  if (a.epoch < 1 || (*shard)->epoch != a.epoch)
    return append_result(std::unexpected(journal_errc::fenced));
  const auto entity = entity_of(a.key);
  if (!entity)
    return std::unexpected(entity.error());
  if (entity->seq != a.expected_seq)
    return append_result(std::unexpected(journal_errc::fenced));
  auto why = refused(a);
  if (!why)
    return std::unexpected(std::move(why.error()));
  if (*why)
    return append_result(std::unexpected(**why));
  const auto key = write_entity(a, *entity);
  if (!key)
    return std::unexpected(key.error());
  auto ok = write_events(a, *key, **shard);
  if (ok)
    ok = write_wake(a, *key, entity->due);
  if (ok)
    ok = write_beside(a);
  if (!ok)
    return std::unexpected(std::move(ok.error()));
  return append_result(appended{a.expected_seq + static_cast<int64_t>(a.events.size()), (*shard)->last_position});
}

outcome<batch_writer::shard_state*> batch_writer::shard_of(shard_number shard) {
  const auto [found, fresh] = shards_.try_emplace(shard);
  if (fresh) {
    auto row = db_.prepare(R"(select epoch, last_position from shard where "group" = ? and shard = ?)");
    auto there = row.bind(group_).bind(int64_t{shard}).step();
    if (!there)
      return std::unexpected(std::move(there.error()));
    found->second = *there ? shard_state{row.integer(0), row.integer(1)} : shard_state{-1, 0};
  }
  return &found->second;
}

outcome<std::string*> batch_writer::link_of(const entity_append& a) {
  const auto [found, fresh] = links_.try_emplace({a.key.owner.id(), a.shard});
  if (fresh) {
    auto row = db_.prepare("select chain from tenant_chain where tenant = ? and shard = ?");
    auto there = row.bind(a.key.owner.id()).bind(int64_t{a.shard}).step();
    if (!there)
      return std::unexpected(std::move(there.error()));
    if (*there)
      found->second = row.blob(0);
  }
  return &found->second;
}

outcome<batch_writer::entity_state> batch_writer::entity_of(const entity_key& key) {
  auto row = db_.prepare("select e.key, e.seq, w.due from entity e left join wake w on w.entity = e.key "
                         "where e.tenant = ? and e.kind = ? and e.id = ?");
  auto there = row.bind(key.owner.id()).bind(key.kind).bind(key.id).step();
  if (!there)
    return std::unexpected(std::move(there.error()));
  if (!*there)
    return entity_state{};
  return entity_state{row.integer(0), row.integer(1), row.is_null(2) ? std::nullopt : std::optional(row.integer(2))};
}

outcome<batch_writer::refusal> batch_writer::refused(const entity_append& a) {
  std::set<std::string_view> marks;
  for (const auto& m : a.seen) {
    auto row = db_.prepare("select 1 from seen where tenant = ? and id = ?");
    auto there = row.bind(a.key.owner.id()).bind(m.id).step();
    if (!there)
      return std::unexpected(std::move(there.error()));
    if (*there || !marks.insert(m.id).second)
      return journal_errc::duplicate;
  }
  for (const auto& n : a.names) {
    auto row = db_.prepare("select tenant, kind, id from name where space = ? and name = ?");
    auto there = row.bind(n.space).bind(n.name).step();
    if (!there)
      return std::unexpected(std::move(there.error()));
    if (*there && (row.text(0) != a.key.owner.id() || row.text(1) != a.key.kind || row.text(2) != a.key.id))
      return journal_errc::name_taken;
  }
  return std::nullopt;
}

outcome<int64_t> batch_writer::write_entity(const entity_append& a, const entity_state& e) {
  const int64_t seq = a.expected_seq + static_cast<int64_t>(a.events.size());
  if (e.key != 0) {
    auto changed = db_.prepare("update entity set seq = ?, status = ?, view = ?, updated_at = ? where key = ?")
                       .bind(seq)
                       .bind(a.status)
                       .bind(detail::view_of(a))
                       .bind(to_epoch_ms(a.at))
                       .bind(e.key)
                       .run();
    if (!changed)
      return changed;
    return e.key;
  }
  auto row = db_.prepare("insert into entity(tenant, kind, id, shard, seq, status, view, created_at, updated_at) "
                         "values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning key");
  row.bind(a.key.owner.id()).bind(a.key.kind).bind(a.key.id).bind(int64_t{a.shard}).bind(seq).bind(a.status);
  auto there = row.bind(detail::view_of(a)).bind(to_epoch_ms(a.at)).bind(to_epoch_ms(a.at)).step();
  if (!there)
    return std::unexpected(std::move(there.error()));
  const int64_t key = row.integer(0);
  if (auto ended = row.run(); !ended)
    return ended;
  return key;
}

outcome<void> batch_writer::write_events(const entity_append& a, int64_t key, shard_state& shard) {
  auto link = link_of(a);
  if (!link)
    return std::unexpected(std::move(link.error()));
  int64_t seq = a.expected_seq;
  auto row = db_.prepare("insert into journal(shard, position, entity, seq, type, version, format, payload, at, cause, "
                         "chain) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& e : a.events) {
    **link = chain_link(**link, a.key, ++seq, e, a.at);
    row.reset().bind(int64_t{a.shard}).bind(++shard.last_position).bind(key).bind(seq).bind(e.type);
    row.bind(int64_t{e.version}).bind(std::string_view(&e.format, 1)).bind_blob(e.payload).bind(to_epoch_ms(a.at));
    if (auto ok = row.bind(e.cause).bind_blob(**link).run(); !ok)
      return std::unexpected(std::move(ok.error()));
  }
  return {};
}

outcome<void> batch_writer::write_wake(const entity_append& a, int64_t key, std::optional<int64_t> due) {
  const auto wanted = a.wake ? std::optional(to_epoch_ms(*a.wake)) : std::nullopt;
  if (wanted == due)
    return {};
  if (!wanted)
    return done(db_.prepare("delete from wake where entity = ?").bind(key).run());
  return done(db_.prepare("insert into wake(entity, shard, due) values (?, ?, ?) "
                          "on conflict (entity) do update set shard = excluded.shard, due = excluded.due")
                  .bind(key)
                  .bind(int64_t{a.shard})
                  .bind(*wanted)
                  .run());
}

outcome<void> batch_writer::write_beside(const entity_append& a) {
  const auto& owner = a.key.owner.id();
  for (const auto& m : a.seen) {
    auto row = db_.prepare("insert into seen(tenant, id, until) values (?, ?, ?)");
    if (auto ok = row.bind(owner).bind(m.id).bind(to_epoch_ms(m.until)).run(); !ok)
      return std::unexpected(std::move(ok.error()));
  }
  for (const auto& n : a.names) {
    auto row = db_.prepare("insert into name(space, name, tenant, kind, id, shard) values (?, ?, ?, ?, ?, ?) "
                           "on conflict (space, name) do update set shard = excluded.shard");
    row.bind(n.space).bind(n.name).bind(owner).bind(a.key.kind).bind(a.key.id);
    if (auto ok = row.bind(int64_t{a.shard}).run(); !ok)
      return std::unexpected(std::move(ok.error()));
  }
  for (const auto& d : a.documents)
    if (auto ok = write_document(a, d); !ok)
      return ok;
  return {};
}

outcome<void> batch_writer::write_document(const entity_append& a, const document_write& d) {
  const auto& owner = a.key.owner.id();
  if (!d.body)
    return done(db_.prepare("delete from document where tenant = ? and kind = ? and id = ?")
                    .bind(owner)
                    .bind(d.kind)
                    .bind(d.id)
                    .run());
  auto row = db_.prepare("insert into document(tenant, kind, id, version, body, created_at, updated_at) "
                         "values (?, ?, ?, 1, ?, ?, ?) on conflict (tenant, kind, id) do update set "
                         "version = version + 1, body = excluded.body, updated_at = excluded.updated_at");
  return done(
      row.bind(owner).bind(d.kind).bind(d.id).bind(*d.body).bind(to_epoch_ms(a.at)).bind(to_epoch_ms(a.at)).run());
}

outcome<void> batch_writer::write_shards() {
  for (const auto& [shard, state] : shards_) {
    if (state.epoch < 0)
      continue;
    auto row = db_.prepare(R"(update shard set last_position = ? where "group" = ? and shard = ?)");
    if (auto ok = row.bind(state.last_position).bind(group_).bind(int64_t{shard}).run(); !ok)
      return std::unexpected(std::move(ok.error()));
  }
  for (const auto& [key, link] : links_) {
    auto row = db_.prepare("insert into tenant_chain(tenant, shard, chain) values (?, ?, ?) "
                           "on conflict (tenant, shard) do update set chain = excluded.chain");
    if (auto ok = row.bind(key.first).bind(int64_t{key.second}).bind_blob(link).run(); !ok)
      return std::unexpected(std::move(ok.error()));
  }
  return {};
}

} // namespace fondaco::persistence::sqlite
