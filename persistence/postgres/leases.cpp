#include "persistence/detail/append_check.hpp"
#include "persistence/postgres/journal.hpp"

// A lease is a node's heartbeat in a row of its own; a shard's row only says who took it last. So a take-over needs the
// shard's row and nothing else, and renewing a thousand leases is one write.

namespace fondaco::persistence {

using postgres::parameters;

namespace {

#define FONDACO_STORE_NOW "(extract(epoch from clock_timestamp()) * 1000)::bigint"

constexpr const char* keep_node = R"sql(
insert into node("group", node, heartbeat, expires_at)
select $1, $2, t.now, t.now + $3 from (select )sql" FONDACO_STORE_NOW R"sql( as now) t
on conflict ("group", node) do update set heartbeat = excluded.heartbeat, expires_at = excluded.expires_at)sql";

// Nodes of a group take shards one after another: what one took and its heartbeat are then visible to the next.
constexpr const char* one_at_a_time = "select pg_advisory_xact_lock(17, hashtext($1))";

constexpr const char* make_shards = R"sql(
insert into shard("group", shard) select $1, u from unnest($2) u order by u on conflict do nothing)sql";

// Locked in the order of their numbers, as an append locks them, so that the two cannot wait for each other.
constexpr const char* move_shards = R"sql(
update shard set owner = $3, epoch = epoch + 1
where "group" = $1 and shard in (
  select h.shard from shard h
  where h."group" = $1 and h.shard = any($2) and h.owner is distinct from $3
    and (h.owner is null or left(h.owner, -$5) = $4 or not exists (
      select 1 from node n where n."group" = $1 and n.node = left(h.owner, -$5)
        and n.expires_at > )sql" FONDACO_STORE_NOW R"sql())
  order by h.shard for update))sql";

constexpr const char* own_shards = R"sql(
select shard, epoch from shard where "group" = $1 and shard = any($2) and owner = $3 order by shard)sql";

postgres::array numbers(std::span<const shard_number> shards) {
  postgres::array a(postgres::type::int4);
  for (const auto s : shards)
    a.add(int64_t{s});
  return a;
}

postgres::outcome<std::vector<lease>> take(postgres::connection& c, std::string_view group, std::string_view node,
                                           std::string_view me, std::span<const shard_number> shards,
                                           milliseconds ttl) {
  auto work = postgres::transaction::begin(c);
  if (!work)
    return std::unexpected(work.error());
  parameters of_group, of_node, of_shards, of_move, of_own;
  of_group.add(group);
  of_node.add(group).add(node).add(ttl.count());
  of_shards.add(group).add(numbers(shards));
  of_move.add(group).add(numbers(shards)).add(me).add(node).add_int4(detail::incarnation_suffix_bytes);
  of_own.add(group).add(numbers(shards)).add(me);
  const std::pair<const char*, parameters*> steps[] = {
      {one_at_a_time, &of_group}, {keep_node, &of_node}, {make_shards, &of_shards}, {move_shards, &of_move}};
  for (const auto& [sql, p] : steps)
    if (auto done = c.execute(sql, *p); !done)
      return std::unexpected(done.error());
  const auto rows = c.execute(own_shards, of_own);
  if (!rows)
    return std::unexpected(rows.error());
  std::vector<lease> taken;
  for (int r = 0; r < rows->rows(); ++r)
    taken.push_back({static_cast<shard_number>(rows->integer(r, 0)), rows->integer(r, 1)});
  if (auto ended = work->commit(); !ended)
    return std::unexpected(ended.error());
  return taken;
}

} // namespace

std::expected<std::vector<lease>, journal_errc> postgres_journal::take_shards(std::string_view group,
                                                                              std::string_view node,
                                                                              std::span<const shard_number> shards,
                                                                              milliseconds ttl) {
  auto c = others_.acquire();
  if (!c)
    return std::unexpected(journal_errc::unavailable);
  auto taken = take(**c, group, node, detail::owner_name(node, incarnation_), shards, ttl);
  if (!taken)
    return std::unexpected(postgres::errc_of(taken.error()));
  return std::move(*taken);
}

std::expected<void, journal_errc> postgres_journal::heartbeat(std::string_view group, std::string_view node,
                                                              milliseconds ttl) {
  parameters p;
  p.add(group).add(node).add(ttl.count());
  return command(keep_node, p);
}

std::expected<void, journal_errc> postgres_journal::release_shards(std::string_view group, std::string_view node) {
  parameters p;
  p.add(group).add(detail::owner_name(node, incarnation_));
  return command(R"(update shard set owner = null where "group" = $1 and owner = $2)", p);
}

} // namespace fondaco::persistence
