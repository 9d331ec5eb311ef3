#include "tools/bench/negotiation.hpp"

#include <filesystem>

#include "tools/bench/negotiator.hpp"
#include "tools/bench/parties.hpp"
#include "tools/bench/passes.hpp"
#include "tools/bench/raw_journal.hpp"

namespace fondaco::bench {

namespace {

measured<figure> measure(const std::string& database, const std::string& program, const std::string& folder,
                         const std::string& provider_store, const std::string& consumer_store, milliseconds length) {
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  parties p(folder, provider_store, consumer_store, 1, limits::consumers);
  if (auto ready = p.set_up(program); !ready)
    return std::unexpected(ready.error() + "; logs: " + p.logs());
  negotiator n(p);
  int turns = 0;
  const auto ours = [&](milliseconds l) {
    if (++turns == 2) // the first was the warm-up
      n.start_afresh();
    return in_workers(l, [&](size_t w) { return n.once(w); });
  };
  const auto reference = [&](milliseconds l) {
    return in_workers(l, [&](size_t) -> measured<void> {
      for (int i = 0; i < limits::exchanges_per_negotiation; ++i)
        if (auto ok = p.liveness(); !ok)
          return ok;
      return {};
    });
  };
  const auto c = compare(ours, reference, length, length);
  if (!c)
    return std::unexpected(c.error() + "; logs: " + p.logs());
  figure f;
  f.name = "negotiations between two nodes on " + database;
  f.unit = "negotiations/s";
  f.value = c->rate;
  f.reference = "plain HTTP: rounds of " + std::to_string(limits::exchanges_per_negotiation) +
                " GET /api/check/liveness on the same provider, as many rounds at the same time";
  f.reference_unit = "rounds/s";
  f.reference_value = c->reference_rate;
  f.ratio = c->ratio;
  f.notes = n.notes();
  f.notes.push_back(note_of(*c));
  return f;
}

} // namespace

measured<figure> measure_negotiations_sqlite(const std::string& program, const std::string& folder,
                                             milliseconds length) {
  return measure("SQLite", program, folder, "", "", length);
}

measured<figure> measure_negotiations_postgres(const std::string& program, const std::string& folder,
                                               const std::string& server_url, milliseconds length) {
  const auto provider = scratch_database::make(server_url, "fondaco_bench_provider");
  if (!provider)
    return std::unexpected(provider.error());
  const auto consumer = scratch_database::make(server_url, "fondaco_bench_consumer");
  if (!consumer)
    return std::unexpected(consumer.error());
  return measure("PostgreSQL", program, folder, (*provider)->url(), (*consumer)->url(), length);
}

} // namespace fondaco::bench
