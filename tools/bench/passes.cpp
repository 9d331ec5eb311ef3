#include "tools/bench/passes.hpp"

#include <algorithm>

namespace fondaco::bench {

namespace {

constexpr milliseconds warm_up{300};

double rate_of(const work& w) { return w.seconds > 0 ? w.units / w.seconds : 0; }

measured<void> add_turn(const side& s, milliseconds length, work& sum) {
  const auto done = s(length);
  if (!done)
    return std::unexpected(done.error());
  sum.units += done->units;
  sum.seconds += done->seconds;
  return {};
}

} // namespace

measured<comparison> compare(const side& ours, const side& reference, milliseconds length, milliseconds turn) {
  work thrown_away;
  for (const auto* s : {&ours, &reference})
    if (auto ok = add_turn(*s, warm_up, thrown_away); !ok)
      return std::unexpected(ok.error());
  std::vector<double> rates, reference_rates, ratios;
  for (int pass = 0; pass < limits::passes; ++pass) {
    work a, b;
    for (milliseconds done{0}; done < length; done += turn) {
      const auto this_turn = std::min(turn, length - done);
      if (auto ok = add_turn(ours, this_turn, a); !ok)
        return std::unexpected(ok.error());
      if (auto ok = add_turn(reference, this_turn, b); !ok)
        return std::unexpected(ok.error());
    }
    if (rate_of(a) <= 0 || rate_of(b) <= 0)
      return std::unexpected("nothing was done in a pass; give it more --seconds");
    rates.push_back(rate_of(a));
    reference_rates.push_back(rate_of(b));
    ratios.push_back(rate_of(a) / rate_of(b));
  }
  return comparison{median(rates), median(reference_rates), median(ratios), ratios};
}

std::string note_of(const comparison& c) {
  std::string text = "ratios of the passes:";
  for (const double r : c.ratios)
    text += " " + rounded(r);
  return text;
}

} // namespace fondaco::bench
