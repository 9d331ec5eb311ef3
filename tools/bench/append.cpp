#include "tools/bench/append.hpp"

#include <chrono>
#include <filesystem>
#include <numeric>

#include "persistence/store.hpp"
#include "tools/bench/negotiation_mix.hpp"
#include "tools/bench/passes.hpp"
#include "tools/bench/raw_journal.hpp"

namespace fondaco::bench {

namespace {

using steady = std::chrono::steady_clock;
using persistence::journal;

// Short turns: a noisy second of the machine then strikes both sides.
constexpr milliseconds turn{500};
constexpr double postgres_ratio_aim = 0.4;

double seconds_since(steady::time_point begin) { return std::chrono::duration<double>(steady::now() - begin).count(); }

measured<std::vector<persistence::lease>> take_all_shards(journal& j) {
  std::vector<shard_number> shards(limits::mix_shards);
  std::iota(shards.begin(), shards.end(), shard_number{0});
  auto leases = j.take_shards("default", "bench", shards, std::chrono::hours(1));
  if (!leases)
    return std::unexpected("the shards cannot be taken: " + std::string(name_of(leases.error())));
  if (leases->size() != shards.size())
    return std::unexpected("another node holds shards of the scratch database");
  return std::move(*leases);
}

// Both sides make a batch off the clock and write it on the clock.
measured<work> append_turn(journal& j, negotiation_mix& mix, milliseconds length) {
  work done;
  const auto end = steady::now() + length;
  do {
    const auto batch = mix.next();
    const auto begin = steady::now();
    const auto results = j.append(batch);
    done.seconds += seconds_since(begin);
    for (const auto& r : results)
      if (!r)
        return std::unexpected("an append was refused: " + std::string(name_of(r.error())));
    done.units += static_cast<double>(batch.size());
  } while (steady::now() < end);
  return done;
}

measured<work> raw_turn(raw_journal& j, negotiation_mix& mix, milliseconds length) {
  work done;
  std::vector<raw_row> rows;
  const auto end = steady::now() + length;
  do {
    const auto batch = mix.next();
    rows.clear();
    for (size_t i = 0; i < batch.size(); ++i)
      rows.push_back({batch[i].shard, mix.entity_number(i), batch[i].expected_seq + 1, &batch[i].events.front(),
                      to_epoch_ms(batch[i].at)});
    const auto begin = steady::now();
    if (auto ok = j.commit(rows); !ok)
      return std::unexpected(ok.error());
    done.seconds += seconds_since(begin);
    done.units += static_cast<double>(rows.size());
  } while (steady::now() < end);
  return done;
}

measured<figure> measure(const std::string& database, const std::string& store_url, raw_journal& raw,
                         milliseconds length) {
  auto opened = persistence::open_store({.url = store_url, .readers = 1});
  if (!opened)
    return std::unexpected(opened.error().detail);
  auto& ours = *opened->journal;
  const auto leases = take_all_shards(ours);
  if (!leases)
    return std::unexpected(leases.error());
  negotiation_mix mix(*leases), raw_mix(*leases);
  const auto c = compare([&](milliseconds l) { return append_turn(ours, mix, l); },
                         [&](milliseconds l) { return raw_turn(raw, raw_mix, l); }, length, turn);
  if (!c)
    return std::unexpected(c.error());
  figure f;
  f.name = "append on " + database;
  f.unit = "events/s";
  f.value = c->rate;
  f.reference = "raw group commit of the same journal rows, no other table, on the same " + database;
  f.reference_unit = f.unit;
  f.reference_value = c->reference_rate;
  f.ratio = c->ratio;
  f.notes.push_back("batches of " + std::to_string(limits::batch_entities) +
                    " entities, an event each, as negotiations write them: entity, journal, wake-up, chain, and where "
                    "due seen, name, document");
  f.notes.push_back(note_of(*c));
  return f;
}

} // namespace

measured<figure> measure_append_sqlite(const std::string& folder, milliseconds length) {
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  std::filesystem::create_directories(folder, failed);
  if (failed)
    return std::unexpected("the folder '" + folder + "' cannot be made: " + failed.message());
  auto raw = open_raw_sqlite(folder + "/raw.db", limits::mix_shards);
  if (!raw)
    return std::unexpected(raw.error());
  return measure("SQLite", folder + "/fondaco.db", **raw, length);
}

measured<figure> measure_append_postgres(const std::string& server_url, milliseconds length) {
  const auto ours = scratch_database::make(server_url, "fondaco_bench_append");
  if (!ours)
    return std::unexpected(ours.error());
  const auto theirs = scratch_database::make(server_url, "fondaco_bench_raw");
  if (!theirs)
    return std::unexpected(theirs.error());
  auto raw = open_raw_postgres((*theirs)->url(), limits::mix_shards);
  if (!raw)
    return std::unexpected(raw.error());
  auto f = measure("PostgreSQL", (*ours)->url(), **raw, length);
  if (f)
    f->ratio_aim = postgres_ratio_aim;
  return f;
}

} // namespace fondaco::bench
