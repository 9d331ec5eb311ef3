#include "persistence/audit.hpp"

#include <algorithm>
#include <utility>

#include "persistence/detail/audit_parts.hpp"

namespace fondaco::persistence {

std::expected<audit_report, fault> audit(store_reader& store, const audit_rules& rules) {
  detail::audit_notes notes;
  auto done = detail::audit_chains(store, notes);
  if (done)
    done = detail::audit_tombstones(store, rules, notes);
  if (done)
    done = detail::audit_orphans(store, notes);
  if (done)
    done = detail::audit_histories(store, rules.fold, notes);
  if (!done)
    return std::unexpected(std::move(done.error()));
  return std::move(notes.report);
}

namespace detail {

namespace {

constexpr auto integer = column_type::integer;
constexpr auto text = column_type::text;
constexpr auto bytes = column_type::bytes;

constexpr const char* restore_cure =
    "restore a backup that `fondaco verify` calls whole, and find out who else can write to the database";

int64_t number(const cell& c) { return std::holds_alternative<int64_t>(c) ? std::get<int64_t>(c) : 0; }
std::string words(const cell& c) { return std::holds_alternative<std::string>(c) ? std::get<std::string>(c) : ""; }

entity_key key_at(std::span<const cell> row) { return {tenant(words(row[0])), words(row[1]), words(row[2])}; }

class chain_walk {
public:
  explicit chain_walk(audit_notes& notes) : notes_(notes) {}

  void take(std::span<const cell> row) {
    const auto shard = number(row[3]), position = number(row[4]), seq = number(row[5]);
    auto& missing = notes_.missing[shard];
    auto& last_position = notes_.last_positions[shard];
    missing += position - last_position - 1;
    last_position = position;
    const auto key = key_at(row);
    auto& last = notes_.tails[{key.owner.id(), shard}];
    // What is missing may have been the tenant's event before this one only if it lies between.
    const bool knows_previous = last.missing == missing;
    const auto format = words(row[8]);
    event_record e{words(row[6]), static_cast<uint16_t>(number(row[7])), format.empty() ? 'j' : format[0],
                   words(row[9]), words(row[11])};
    auto kept = words(row[12]);
    ++notes_.report.events;
    if (chain_link(last.chain, key, seq, e, from_epoch_ms(number(row[10]))) == kept)
      ++notes_.report.links;
    else if (!knows_previous)
      ++notes_.report.links_after_erasures;
    else
      notes_.add({key, seq,
                  "The event at position " + std::to_string(position) + " of shard " + std::to_string(shard) +
                      " does not follow from its tenant's event before it in the audit chain: one of the two was "
                      "changed.",
                  restore_cure});
    last = {std::move(kept), missing, key, seq};
  }

private:
  audit_notes& notes_;
};

// The position that a shard says is its last; what is missing before it was erased.
std::expected<void, fault> audit_shards(store_reader& store, audit_notes& notes) {
  constexpr column_type types[] = {integer, integer};
  return store.read("select shard, max(last_position) from shard group by shard order by shard", types,
                    [&](auto row) -> std::expected<void, fault> {
                      const auto shard = number(row[0]), last = number(row[1]);
                      notes.missing[shard] += std::max<int64_t>(0, last - notes.last_positions[shard]);
                      if (notes.last_positions[shard] > last)
                        notes.add({std::nullopt, 0,
                                   "Shard " + std::to_string(shard) + " has an event at position " +
                                       std::to_string(notes.last_positions[shard]) + ", after its last position " +
                                       std::to_string(last) + ".",
                                   restore_cure});
                      return {};
                    });
}

// The link that a tenant's next event will follow.
std::expected<void, fault> audit_last_links(store_reader& store, audit_notes& notes) {
  constexpr column_type types[] = {text, integer, bytes};
  return store.read("select tenant, shard, chain from tenant_chain order by tenant, shard", types,
                    [&](auto row) -> std::expected<void, fault> {
                      const auto found = notes.tails.find({words(row[0]), number(row[1])});
                      if (found == notes.tails.end() || found->second.chain == words(row[2]) ||
                          found->second.missing != notes.missing[number(row[1])])
                        return {};
                      notes.add({found->second.key, found->second.seq,
                                 "It is its tenant's last event, and the audit chain goes on from another one.",
                                 restore_cure});
                      return {};
                    });
}

} // namespace

std::expected<void, fault> audit_chains(store_reader& store, audit_notes& notes) {
  constexpr column_type types[] = {text,    text, text,  integer, integer, integer, text,
                                   integer, text, bytes, integer, text,    bytes};
  chain_walk walk(notes);
  auto read = store.read("select e.tenant, e.kind, e.id, j.shard, j.position, j.seq, j.type, j.version, j.format, "
                         "j.payload, j.at, j.cause, j.chain from journal j join entity e on e.key = j.entity "
                         "order by j.shard, j.position",
                         types, [&](auto row) -> std::expected<void, fault> {
                           walk.take(row);
                           return {};
                         });
  if (!read)
    return read;
  if (auto shards = audit_shards(store, notes); !shards)
    return shards;
  return audit_last_links(store, notes);
}

std::expected<void, fault> audit_orphans(store_reader& store, audit_notes& notes) {
  constexpr column_type types[] = {integer, integer};
  auto read = store.read("select j.shard, j.position from journal j left join entity e on e.key = j.entity "
                         "where e.key is null order by j.shard, j.position",
                         types, [&](auto row) -> std::expected<void, fault> {
                           notes.add({std::nullopt, 0,
                                      "The event at position " + std::to_string(number(row[1])) + " of shard " +
                                          std::to_string(number(row[0])) + " belongs to no entity.",
                                      restore_cure});
                           return {};
                         });
  if (!read)
    return read;
  constexpr column_type name_types[] = {text, text, text, text};
  return store.read("select n.tenant, n.kind, n.id, n.space from name n left join entity e on e.tenant = n.tenant and "
                    "e.kind = n.kind and e.id = n.id where e.key is null order by n.tenant, n.kind, n.id",
                    name_types, [&](auto row) -> std::expected<void, fault> {
                      notes.add({key_at(row), 0,
                                 "A public name (" + words(row[3]) + ") leads to it, and it is not there.",
                                 "dispose of the tenant again: an erasure that was interrupted is taken up"});
                      return {};
                    });
}

std::expected<void, fault> audit_tombstones(store_reader& store, const audit_rules& rules, audit_notes& notes) {
  // Whose agents are all disposed of, and what of theirs is still there.
  const std::string buried = "select tenant from entity where kind = '" + rules.tombstone_kind +
                             "' group by tenant having sum(case when status = '" + rules.tombstone_status +
                             "' then 0 else 1 end) = 0";
  std::string left = "select t.tenant, t.what, t.kind, t.id from (select tenant, 'row' as what, kind, id from entity "
                     "where kind <> '" +
                     rules.tombstone_kind + "'";
  left += " union all select tenant, 'document', kind, id from document";
  left += " union all select tenant, 'public name', kind, id from name";
  left += " union all select tenant, 'secret', '', name from secret) t where t.tenant in (" + buried +
          ") order by t.tenant, t.what, t.kind, t.id";
  constexpr column_type one[] = {text};
  auto read = store.read(buried + " order by tenant", one, [&](auto) -> std::expected<void, fault> {
    ++notes.report.tombstones;
    return {};
  });
  if (!read)
    return read;
  constexpr column_type types[] = {text, text, text, text};
  return store.read(left, types, [&](auto row) -> std::expected<void, fault> {
    notes.add({entity_key{tenant(words(row[0])), words(row[2]), words(row[3])}, 0,
               "The tenant is disposed of, and a " + words(row[1]) + " of it is still there.",
               "dispose of the tenant again: an erasure that was interrupted is taken up"});
    return {};
  });
}

void audit_notes::add(audit_finding f) {
  ++report.findings_total;
  if (report.findings.size() < limits::audit_findings_max)
    report.findings.push_back(std::move(f));
}

} // namespace detail
} // namespace fondaco::persistence
