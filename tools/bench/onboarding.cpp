#include "tools/bench/onboarding.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include "tools/bench/members.hpp"
#include "tools/bench/parties.hpp"
#include "tools/bench/raw_journal.hpp"

namespace fondaco::bench {

namespace {

using steady = std::chrono::steady_clock;

double ms_since(steady::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady::now() - begin).count();
}

/// Scratch databases with these names; none of them (and empty URLs) for SQLite.
class scratch_stores {
public:
  static measured<scratch_stores> make(const std::string& server_url, const std::vector<std::string>& names) {
    scratch_stores out;
    out.urls_.resize(names.size());
    for (size_t i = 0; !server_url.empty() && i < names.size(); ++i) {
      auto one = scratch_database::make(server_url, names[i]);
      if (!one)
        return std::unexpected(one.error());
      out.urls_[i] = (*one)->url();
      out.kept_.push_back(std::move(*one));
    }
    return out;
  }
  const std::string& url(size_t i) const { return urls_[i]; }

private:
  std::vector<std::string> urls_;
  std::vector<std::unique_ptr<scratch_database>> kept_;
};

std::string database_of(const std::string& server_url) { return server_url.empty() ? "SQLite" : "PostgreSQL"; }

measured<double> deploy_one(members& m) {
  auto n = m.add_tenant();
  if (!n)
    return std::unexpected(n.error());
  const auto begin = steady::now();
  const auto participant = m.deploy(*n);
  if (!participant)
    return std::unexpected(participant.error());
  return ms_since(begin);
}

measured<double> write_records(members& m) {
  const auto begin = steady::now();
  for (int i = 0; i < limits::records_per_tenant; ++i)
    if (auto ok = m.write_record(); !ok)
      return std::unexpected(ok.error());
  return ms_since(begin);
}

// Each of several workers deploys its share, one after the other.
measured<std::vector<double>> deploy_at_once(members& m) {
  std::vector<double> took(limits::deployed_tenants);
  std::vector<std::string> failures(limits::deployed_at_once);
  std::vector<std::thread> workers;
  for (size_t w = 0; w < limits::deployed_at_once; ++w)
    workers.emplace_back([&, w] {
      for (size_t i = w; i < took.size() && failures[w].empty(); i += limits::deployed_at_once) {
        const auto one = deploy_one(m);
        if (one)
          took[i] = *one;
        else
          failures[w] = one.error();
      }
    });
  for (auto& w : workers)
    w.join();
  for (const auto& f : failures)
    if (!f.empty())
      return std::unexpected(f);
  return took;
}

std::string note_of_latencies(const std::string& what, const std::vector<double>& ms) {
  return what + ": p50 " + rounded(percentile(ms, 0.5)) + " ms, p99 " + rounded(percentile(ms, 0.99)) + " ms, of " +
         std::to_string(ms.size()) + " tenants";
}

} // namespace

measured<figure> measure_onboarding(const std::string& program, const std::string& folder,
                                    const std::string& server_url) {
  const auto stores = scratch_stores::make(server_url, {"fondaco_bench_onboarding"});
  if (!stores)
    return std::unexpected(stores.error());
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  members m(program, folder, stores->url(0));
  if (auto ready = m.set_up(); !ready)
    return std::unexpected(ready.error() + "; log: " + m.log());
  std::vector<double> deployed, records, ratios;
  for (size_t i = 0; i <= limits::deployed_tenants; ++i) {
    const auto one = deploy_one(m), reference = write_records(m);
    if (!one || !reference)
      return std::unexpected((one ? reference : one).error() + "; log: " + m.log());
    if (i == 0) // the warm-up
      continue;
    deployed.push_back(*one);
    records.push_back(*reference);
    ratios.push_back(*one / *reference);
  }
  m.renew_token();
  const auto begin = steady::now();
  const auto crowd = deploy_at_once(m);
  if (!crowd)
    return std::unexpected(crowd.error() + "; log: " + m.log());
  const auto crowd_s = ms_since(begin) / 1000;
  figure f;
  f.name = "tenant request to participant agent answering on " + database_of(server_url);
  f.unit = "ms";
  f.value = median(deployed);
  f.reference = std::to_string(limits::records_per_tenant) + " creations of a tenant's record by the same API, one "
                                                             "after the other: each a token, a request, a commit";
  f.reference_unit = f.unit;
  f.reference_value = median(records);
  f.ratio = median(ratios);
  f.notes = {note_of_latencies("one after the other", deployed),
             note_of_latencies(std::to_string(limits::deployed_at_once) + " at a time", *crowd) + "; " +
                 rounded(static_cast<double>(crowd->size()) / crowd_s) + " tenants/s",
             "six activities, an issuance over DCP with its delivery, all roles in one process"};
  return f;
}

measured<figure> measure_verified_negotiations(const std::string& program, const std::string& folder,
                                               const std::string& server_url, milliseconds length) {
  const auto stores = scratch_stores::make(
      server_url, {"fondaco_bench_members", "fondaco_bench_closed_provider", "fondaco_bench_closed_consumer"});
  if (!stores)
    return std::unexpected(stores.error());
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  members m(program, folder + "/members", stores->url(0));
  parties closed(folder + "/closed", stores->url(1), stores->url(2), 1, limits::consumers);
  if (auto ready = m.set_up(); !ready)
    return std::unexpected(ready.error() + "; log: " + m.log());
  auto provider = m.add_tenant(), consumer = m.add_tenant();
  if (!provider || !consumer)
    return std::unexpected((provider ? consumer : provider).error());
  const auto offers = m.deploy(*provider), asks = m.deploy(*consumer);
  if (!offers || !asks)
    return std::unexpected((offers ? asks : offers).error() + "; log: " + m.log());
  if (auto ok = m.offer(*offers, *asks, *provider); !ok)
    return std::unexpected(ok.error() + "; log: " + m.log());
  if (auto ready = closed.set_up(program); !ready)
    return std::unexpected(ready.error() + "; logs: " + closed.logs());
  negotiator verified(m), trusted(closed);
  int turns = 0;
  const auto ours = [&](milliseconds l) {
    m.renew_token();
    if (++turns == 2) // the first was the warm-up
      verified.start_afresh();
    return in_workers(l, [&](size_t w) { return verified.once(w); });
  };
  const auto reference = [&](milliseconds l) { return in_workers(l, [&](size_t w) { return trusted.once(w); }); };
  const auto c = compare(ours, reference, length, length);
  if (!c)
    return std::unexpected(c.error() + "; logs: " + m.log() + " " + closed.logs());
  figure f;
  f.name = "negotiations with presentation and verification on " + database_of(server_url);
  f.unit = "negotiations/s";
  f.value = c->rate;
  f.reference = "the same between two nodes of a closed dataspace with pre-shared tokens";
  f.reference_unit = f.unit;
  f.reference_value = c->reference_rate;
  f.ratio = c->ratio;
  f.notes = verified.notes();
  f.notes.push_back(
      "every message carries a self-issued token, and its receiver asks for a presentation and verifies it; "
      "one node has all roles");
  f.notes.push_back(note_of(*c));
  return f;
}

} // namespace fondaco::bench
