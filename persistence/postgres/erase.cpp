#include <array>

#include "persistence/detail/append_check.hpp"
#include "persistence/postgres/journal.hpp"

// What is erased goes in steps of a bounded size, each a transaction of its own: names and documents first, so that
// nobody finds what is about to go, and an entity's row with everything that hangs on it.

namespace fondaco::persistence {

using postgres::array;
using postgres::parameters;
using postgres::type;

namespace {

const std::string at_most = " limit " + std::to_string(limits::erase_rows_max);

/// The most events that one step destroys; one entity's go together.
constexpr int64_t step_events_max = 2000;

constexpr const char* claim = R"sql(
insert into seen(tenant, id, until) select $1, u.id, u.until from unnest($2, $3) u(id, until) order by u.id
on conflict (tenant, id) do update set until = excluded.until where seen.until <= $4)sql";

constexpr const char* erase_rows = R"sql(
with j as (delete from journal where entity = any($1)),
  s as (delete from snapshot where entity = any($1)),
  w as (delete from wake where entity = any($1))
delete from entity where key = any($1))sql";

std::string some_of(const std::string& table, const std::string& where) {
  return "delete from " + table + " where ctid = any(array(select ctid from " + table + " where " + where + at_most +
         "))";
}

parameters of_kinds(const tenant& owner, std::span<const std::string> kinds) {
  array names(type::text);
  for (const auto& k : kinds)
    names.add(k);
  parameters p;
  p.add(owner.id()).add(std::move(names));
  return p;
}

parameters of_key(const entity_key& key) {
  parameters p;
  p.add(key.owner.id()).add(key.kind).add(key.id);
  return p;
}

constexpr const char* these_kinds = "tenant = $1 and kind = any($2)";
constexpr const char* this_entity = "tenant = $1 and kind = $2 and id = $3";

// One mark needs no transaction: it is written or it is not.
postgres::outcome<bool> claim_marks(postgres::connection& c, const parameters& p, size_t count) {
  std::optional<postgres::transaction> work;
  if (count > 1) {
    auto begun = postgres::transaction::begin(c);
    if (!begun)
      return std::unexpected(begun.error());
    work.emplace(std::move(*begun));
  }
  const auto written = c.execute(claim, p);
  if (!written)
    return std::unexpected(written.error());
  if (written->affected() != static_cast<int64_t>(count))
    return false;
  if (work)
    if (auto ended = work->commit(); !ended)
      return std::unexpected(ended.error());
  return true;
}

} // namespace

std::expected<bool, journal_errc> postgres_journal::claim_seen(const tenant& owner, std::span<const seen_mark> marks,
                                                               timepoint now) {
  if (!detail::is_storable_claim(owner, marks))
    return std::unexpected(journal_errc::rejected);
  if (marks.empty() || detail::names_twice(marks))
    return marks.empty();
  array ids(type::text), untils(type::int8);
  for (const auto& m : marks) {
    ids.add(m.id);
    untils.add(to_epoch_ms(m.until));
  }
  parameters p;
  p.add(owner.id()).add(std::move(ids)).add(std::move(untils)).add(to_epoch_ms(now));
  auto c = others_.acquire();
  if (!c)
    return std::unexpected(journal_errc::unavailable);
  const auto claimed = claim_marks(**c, p, marks.size());
  if (!claimed)
    return std::unexpected(postgres::errc_of(claimed.error()));
  return *claimed;
}

std::expected<void, journal_errc> postgres_journal::erase_all(const std::string& sql, const parameters& p) {
  for (;;) {
    const auto gone = query(sql, p);
    if (!gone)
      return std::unexpected(gone.error());
    if (gone->affected() < static_cast<int64_t>(limits::erase_rows_max))
      return {};
  }
}

std::expected<void, journal_errc> postgres_journal::erase_entities(const std::string& which, const parameters& p) {
  for (;;) {
    const auto found = query("select key, seq from entity where " + which + at_most, p);
    if (!found)
      return std::unexpected(found.error());
    if (found->rows() == 0)
      return {};
    array keys(type::int8);
    int64_t events = 0;
    for (int r = 0; r < found->rows() && events < step_events_max; ++r) {
      keys.add(found->integer(r, 0));
      events += found->integer(r, 1);
    }
    parameters step;
    step.add(std::move(keys));
    if (auto gone = command(erase_rows, step); !gone)
      return gone;
  }
}

// Under the writer's lock: it remembers links, and what it appends meanwhile would follow a link that is gone.
std::expected<void, journal_errc> postgres_journal::end_chains(const tenant& owner) {
  std::lock_guard lock(writing_);
  writer_.forget(owner);
  parameters p;
  p.add(owner.id());
  return command("delete from tenant_chain c where c.tenant = $1 and not exists "
                 "(select 1 from entity e where e.tenant = $1 and e.shard = c.shard)",
                 p);
}

std::expected<void, journal_errc> postgres_journal::erase(const tenant& owner,
                                                          std::span<const std::string> erased_kinds, bool last) {
  if (!detail::is_storable_scope(owner, erased_kinds))
    return std::unexpected(journal_errc::rejected);
  const auto p = of_kinds(owner, erased_kinds);
  for (const auto& sql : {some_of("name", these_kinds), some_of("document", these_kinds)})
    if (auto gone = erase_all(sql, p); !gone)
      return gone;
  if (auto gone = erase_entities(these_kinds, p); !gone)
    return gone;
  if (last) {
    parameters of_owner;
    of_owner.add(owner.id());
    if (auto gone = erase_all(some_of("seen", "tenant = $1"), of_owner); !gone)
      return gone;
  }
  return end_chains(owner);
}

std::expected<void, journal_errc> postgres_journal::erase_entity(const entity_key& key) {
  if (!detail::is_storable_scope(key.owner, std::array{key.kind, key.id}))
    return std::unexpected(journal_errc::rejected);
  const auto p = of_key(key);
  for (const auto& sql : {some_of("name", this_entity), some_of("document", this_entity)})
    if (auto gone = erase_all(sql, p); !gone)
      return gone;
  if (auto gone = erase_entities(this_entity, p); !gone)
    return gone;
  return end_chains(key.owner);
}

} // namespace fondaco::persistence
