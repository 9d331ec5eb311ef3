#include "tools/bench/tenants.hpp"

#include <atomic>
#include <filesystem>

#include "tools/bench/negotiator.hpp"
#include "tools/bench/parties.hpp"
#include "tools/bench/passes.hpp"

namespace fondaco::bench {

namespace {

/// Whoever negotiates next is another pair than the last one's, until all of them had their turn.
class in_turn final : public negotiating_parties {
public:
  in_turn(parties& p, size_t pairs) : parties_(p), pairs_(pairs), now_(limits::consumers) {}

  measured<std::string> request(size_t worker) override {
    now_[worker] = next_++ % pairs_;
    return parties_.request(now_[worker]);
  }
  measured<std::string> state(size_t worker, const std::string& id) override {
    return parties_.state(now_[worker], id);
  }
  std::string reason(size_t worker, const std::string& id) override { return parties_.reason(now_[worker], id); }

private:
  parties& parties_;
  size_t pairs_;
  std::atomic<size_t> next_{0};
  /// Which pair each worker negotiates for.
  std::vector<size_t> now_;
};

measured<double> rate_of(parties& p, size_t pairs, milliseconds length, std::vector<std::string>& notes) {
  in_turn turns(p, pairs);
  negotiator n(turns);
  const auto once = [&](size_t w) { return n.once(w); };
  if (auto warm = in_workers(length / 2, once); !warm)
    return std::unexpected(warm.error());
  n.start_afresh();
  const auto done = in_workers(length, once);
  if (!done)
    return std::unexpected(done.error());
  for (const auto& note : n.notes())
    notes.push_back(std::to_string(pairs) + " pairs: " + note);
  return done->units / done->seconds;
}

} // namespace

measured<figure> measure_tenants(const std::string& program, const std::string& folder, milliseconds length) {
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  parties p(folder, "", "", limits::many_pairs, limits::many_pairs);
  const auto wrong = [&](const std::string& why) { return std::unexpected(why + "; logs: " + p.logs()); };
  if (auto ok = p.start(program); !ok)
    return wrong(ok.error());
  if (auto ok = p.set_up(0, limits::few_pairs); !ok)
    return wrong(ok.error());
  figure f;
  const auto few = rate_of(p, limits::few_pairs, length, f.notes);
  if (!few)
    return wrong(few.error());
  // Tokens do not outlive the making of thousands of tenants.
  constexpr size_t step = 500;
  for (size_t at = limits::few_pairs; at < limits::many_pairs; at += step) {
    auto ok = p.set_up(at, std::min(at + step, limits::many_pairs));
    if (ok)
      ok = p.get_tokens();
    if (!ok)
      return wrong(ok.error());
  }
  const auto many = rate_of(p, limits::many_pairs, length, f.notes);
  if (!many)
    return wrong(many.error());
  f.name = "negotiations of " + std::to_string(limits::many_pairs) + " pairs of tenants in turn on SQLite";
  f.unit = "negotiations/s";
  f.value = *many;
  f.reference = "the same of " + std::to_string(limits::few_pairs) + " pairs";
  f.reference_unit = f.unit;
  f.reference_value = *few;
  f.ratio = *many / *few;
  return f;
}

} // namespace fondaco::bench
