#include "persistence/postgres/append_arrays.hpp"

#include <array>
#include <mutex>
#include <set>

#include "persistence/detail/append_check.hpp"

namespace fondaco::persistence::postgres {

namespace {

// The parts of the statement; each '?' becomes the number of the next parameter. Every part joins the shards whose
// epoch is still ours, so a fenced shard's rows are left out of all tables alike.
constexpr std::string_view shard_part = R"sql(
with s as (
  update shard h set last_position = h.last_position + u.events
  from unnest(?, ?, ?, ?, ?) u(shard, epoch, events, rows, names)
  where h."group" = ? and h.shard = u.shard and h.epoch = u.epoch
  returning h.shard, h.last_position - u.events as base, u.rows, u.names))sql";

constexpr std::string_view event_part = R"sql(, j as (
  insert into journal(shard, position, entity, seq, type, version, format, payload, at, cause, chain)
  select u.shard, s.base + u.off, u.entity, u.seq, u.type, u.version, u.format, u.payload, u.at, u.cause, u.chain
  from unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    u(shard, off, entity, seq, type, version, format, payload, at, cause, chain) join s on s.shard = u.shard))sql";

constexpr std::string_view update_part = R"sql(, eu as (
  update entity e set seq = u.seq, status = u.status, view = u.view, updated_at = u.at
  from unnest(?, ?, ?, ?, ?, ?, ?) u(key, shard, expected, seq, status, view, at) join s on s.shard = u.shard
  where e.key = u.key and e.seq = u.expected returning 1))sql";

constexpr std::string_view new_part = R"sql(, en as (
  insert into entity(key, tenant, kind, id, shard, seq, status, view, created_at, updated_at)
  select u.key, u.tenant, u.kind, u.id, u.shard, u.seq, u.status, u.view, u.at, u.at
  from unnest(?, ?, ?, ?, ?, ?, ?, ?, ?) u(key, tenant, kind, id, shard, seq, status, view, at)
  join s on s.shard = u.shard returning 1))sql";

constexpr std::string_view link_part = R"sql(, lu as (
  update tenant_chain c set chain = u.chain
  from unnest(?, ?, ?, ?) u(tenant, shard, previous, chain) join s on s.shard = u.shard
  where c.tenant = u.tenant and c.shard = u.shard and c.chain = u.previous returning 1))sql";

constexpr std::string_view first_part = R"sql(, lf as (
  insert into tenant_chain(tenant, shard, chain) select u.tenant, u.shard, u.chain
  from unnest(?, ?, ?) u(tenant, shard, chain) join s on s.shard = u.shard returning 1))sql";

constexpr std::string_view wake_part = R"sql(, ws as (
  insert into wake(entity, shard, due) select u.entity, u.shard, u.due
  from unnest(?, ?, ?) u(entity, shard, due) join s on s.shard = u.shard
  on conflict (entity) do update set shard = excluded.shard, due = excluded.due
  where (wake.shard, wake.due) is distinct from (excluded.shard, excluded.due)),
wc as (
  delete from wake w using unnest(?, ?) u(entity, shard) join s on s.shard = u.shard where w.entity = u.entity))sql";

constexpr std::string_view beside_part = R"sql(, ms as (
  insert into seen(tenant, id, until) select u.tenant, u.id, u.until
  from unnest(?, ?, ?, ?) u(shard, tenant, id, until) join s on s.shard = u.shard),
nm as (
  insert into name(space, name, tenant, kind, id, shard) select u.space, u.name, u.tenant, u.kind, u.id, u.shard
  from unnest(?, ?, ?, ?, ?, ?) u(shard, space, name, tenant, kind, id) join s on s.shard = u.shard
  on conflict (space, name) do update set shard = excluded.shard
  where (name.tenant, name.kind, name.id) = (excluded.tenant, excluded.kind, excluded.id) returning 1),
dp as (
  insert into document(tenant, kind, id, version, body, created_at, updated_at)
  select u.tenant, u.kind, u.id, 1, u.body::jsonb, u.at, u.at
  from unnest(?, ?, ?, ?, ?, ?) u(shard, tenant, kind, id, body, at) join s on s.shard = u.shard
  on conflict (tenant, kind, id) do update set version = document.version + 1, body = excluded.body,
    updated_at = excluded.updated_at),
dd as (
  delete from document d using unnest(?, ?, ?, ?) u(shard, tenant, kind, id) join s on s.shard = u.shard
  where d.tenant = u.tenant and d.kind = u.kind and d.id = u.id))sql";

constexpr const char* missing_row_sqlstate = "22012";
constexpr const char* taken_name_sqlstate = "2201E";

// A count that does not match has to undo the whole statement, and an error is the only way to do that: a division by
// zero says that a row was not where it was expected, a logarithm of zero that a name is another's.
struct parts {
  bool update, fresh, link, first, wake, beside;
};

std::string statement_for(const parts& p) {
  std::string text(shard_part);
  std::string rows;
  const auto add = [&](bool wanted, std::string_view part, std::string_view counted) {
    if (!wanted)
      return;
    text.append(part);
    if (!counted.empty())
      rows.append(rows.empty() ? "" : " + ").append("(select count(*) from ").append(counted).append(")");
  };
  add(true, event_part, "");
  add(p.update, update_part, "eu");
  add(p.fresh, new_part, "en");
  add(p.link, link_part, "lu");
  add(p.first, first_part, "lf");
  add(p.wake, wake_part, "");
  add(p.beside, beside_part, "");
  text.append("\nselect s.shard, s.base, 1 / (case when ")
      .append(rows)
      .append(" = (select sum(rows) from s) then 1 else 0 end)");
  if (p.beside)
    text.append(", ln(case when (select count(*) from nm) = (select sum(names) from s) then 1::float8 else 0 end)");
  text.append("\nfrom s");
  std::string numbered;
  int n = 0;
  for (const char c : text)
    if (c == '?')
      numbered.append("$").append(std::to_string(++n));
    else
      numbered.push_back(c);
  return numbered;
}

const std::string& cached_statement(const parts& p) {
  static std::array<std::once_flag, 64> made;
  static std::array<std::string, 64> texts;
  const size_t i = p.update | p.fresh << 1 | p.link << 2 | p.first << 3 | p.wake << 4 | p.beside << 5;
  std::call_once(made[i], [&] { texts[i] = statement_for(p); });
  return texts[i];
}

template <class... Array> void move_all(parameters& p, Array&... arrays) { (p.add(std::move(arrays)), ...); }

} // namespace

journal_errc append_errc_of(const failure& f) noexcept {
  if (f.constraint == "seen_id")
    return journal_errc::duplicate;
  if (f.constraint == "name_name" || f.sqlstate == taken_name_sqlstate)
    return journal_errc::name_taken;
  if (f.sqlstate == missing_row_sqlstate || f.sqlstate == "23505")
    return journal_errc::fenced;
  return errc_of(f);
}

int64_t append_arrays::add_shard(const entity_append& a) {
  auto& counts = shards_[a.shard];
  counts.epoch = a.epoch;
  counts.rows += 1;
  const int64_t offset = counts.events + 1;
  counts.events += static_cast<int64_t>(a.events.size());
  return offset;
}

void append_arrays::add_new(const entity_append& a, int64_t key) {
  new_key_.add(key);
  new_tenant_.add(a.key.owner.id());
  new_kind_.add(a.key.kind);
  new_id_.add(a.key.id);
  new_shard_.add(int64_t{a.shard});
  new_seq_.add(static_cast<int64_t>(a.events.size()));
  new_status_.add(a.status);
  new_view_.add(detail::view_of(a));
  new_at_.add(to_epoch_ms(a.at));
}

void append_arrays::add_update(const entity_append& a, int64_t key) {
  update_key_.add(key);
  update_shard_.add(int64_t{a.shard});
  update_expected_.add(a.expected_seq);
  update_seq_.add(a.expected_seq + static_cast<int64_t>(a.events.size()));
  update_status_.add(a.status);
  update_view_.add(detail::view_of(a));
  update_at_.add(to_epoch_ms(a.at));
}

void append_arrays::add_event(const entity_append& a, int64_t key, int64_t offset, int64_t seq, const event_record& e,
                              std::string_view link) {
  event_shard_.add(int64_t{a.shard});
  event_offset_.add(offset);
  event_entity_.add(key);
  event_seq_.add(seq);
  event_type_.add(e.type);
  event_version_.add(int64_t{e.version});
  event_format_.add(int64_t{e.format});
  event_payload_.add(e.payload);
  event_at_.add(to_epoch_ms(a.at));
  event_cause_.add(e.cause);
  event_chain_.add(link);
}

void append_arrays::add_wake(shard_number shard, int64_t key, std::optional<int64_t> due) {
  (due ? wake_entity_ : clear_entity_).add(key);
  (due ? wake_shard_ : clear_shard_).add(int64_t{shard});
  if (due)
    wake_due_.add(*due);
}

void append_arrays::add_link(std::string_view owner, shard_number shard, std::string_view previous,
                             std::string_view link) {
  shards_[shard].rows += 1;
  if (previous.empty()) {
    first_tenant_.add(owner);
    first_shard_.add(int64_t{shard});
    first_chain_.add(link);
    return;
  }
  link_tenant_.add(owner);
  link_shard_.add(int64_t{shard});
  link_previous_.add(previous);
  link_chain_.add(link);
}

void append_arrays::add_beside(const entity_append& a) {
  const auto& owner = a.key.owner.id();
  for (const auto& m : a.seen) {
    seen_shard_.add(int64_t{a.shard});
    seen_tenant_.add(owner);
    seen_id_.add(m.id);
    seen_until_.add(to_epoch_ms(m.until));
  }
  std::set<std::pair<std::string_view, std::string_view>> claimed;
  for (const auto& n : a.names) {
    if (!claimed.emplace(n.space, n.name).second)
      continue;
    name_shard_.add(int64_t{a.shard});
    name_space_.add(n.space);
    name_name_.add(n.name);
    name_tenant_.add(owner);
    name_kind_.add(a.key.kind);
    name_id_.add(a.key.id);
  }
  shards_[a.shard].names += static_cast<int64_t>(claimed.size());
  add_documents(a);
}

void append_arrays::add_documents(const entity_append& a) {
  // Of two writes of one document the last is what stays.
  std::map<std::pair<std::string_view, std::string_view>, const document_write*> last;
  for (const auto& d : a.documents)
    last[{d.kind, d.id}] = &d;
  for (const auto& [key, d] : last) {
    (d->body ? put_shard_ : drop_shard_).add(int64_t{a.shard});
    (d->body ? put_tenant_ : drop_tenant_).add(a.key.owner.id());
    (d->body ? put_kind_ : drop_kind_).add(d->kind);
    (d->body ? put_id_ : drop_id_).add(d->id);
    if (d->body) {
      put_body_.add(*d->body);
      put_at_.add(to_epoch_ms(a.at));
    }
  }
}

outcome<result> append_arrays::execute(connection& c, const std::string& group) && {
  const parts wanted{update_key_.size() > 0,
                     new_key_.size() > 0,
                     link_tenant_.size() > 0,
                     first_tenant_.size() > 0,
                     wake_entity_.size() + clear_entity_.size() > 0,
                     seen_id_.size() + name_name_.size() + put_id_.size() + drop_id_.size() > 0};
  array shard(type::int4), epoch(type::int8), events(type::int8), rows(type::int8), names(type::int8);
  for (const auto& [number, counts] : shards_) {
    shard.add(int64_t{number});
    epoch.add(counts.epoch);
    events.add(counts.events);
    rows.add(counts.rows);
    names.add(counts.names);
  }
  parameters p;
  move_all(p, shard, epoch, events, rows, names);
  p.add(group);
  move_all(p, event_shard_, event_offset_, event_entity_, event_seq_, event_type_, event_version_, event_format_,
           event_payload_, event_at_, event_cause_, event_chain_);
  if (wanted.update)
    move_all(p, update_key_, update_shard_, update_expected_, update_seq_, update_status_, update_view_, update_at_);
  if (wanted.fresh)
    move_all(p, new_key_, new_tenant_, new_kind_, new_id_, new_shard_, new_seq_, new_status_, new_view_, new_at_);
  if (wanted.link)
    move_all(p, link_tenant_, link_shard_, link_previous_, link_chain_);
  if (wanted.first)
    move_all(p, first_tenant_, first_shard_, first_chain_);
  if (wanted.wake)
    move_all(p, wake_entity_, wake_shard_, wake_due_, clear_entity_, clear_shard_);
  if (wanted.beside)
    move_all(p, seen_shard_, seen_tenant_, seen_id_, seen_until_, name_shard_, name_space_, name_name_, name_tenant_,
             name_kind_, name_id_, put_shard_, put_tenant_, put_kind_, put_id_, put_body_, put_at_, drop_shard_,
             drop_tenant_, drop_kind_, drop_id_);
  return c.execute(cached_statement(wanted), p);
}

} // namespace fondaco::persistence::postgres
