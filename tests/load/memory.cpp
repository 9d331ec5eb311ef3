#include "load/memory.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace fondaco::load {

namespace {

template <class T> T median(std::vector<T> values) {
  if (values.empty())
    return T{};
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

} // namespace

int64_t resident_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) {
      std::istringstream words(line.substr(6));
      int64_t kib = 0;
      words >> kib;
      return kib;
    }
  return 0;
}

std::vector<memory_record::sample> memory_record::after(std::chrono::milliseconds warm_up) const {
  std::vector<sample> out;
  std::ranges::copy_if(samples_, std::back_inserter(out), [&](const sample& s) { return s.at >= warm_up; });
  return out;
}

int64_t memory_record::median_kib(std::chrono::milliseconds warm_up) const {
  std::vector<int64_t> values;
  for (const auto& s : after(warm_up))
    values.push_back(s.kib);
  return median(std::move(values));
}

double memory_record::slope_percent_per_hour(std::chrono::milliseconds warm_up) const {
  const auto samples = after(warm_up);
  std::vector<double> slopes;
  for (size_t i = 0; i < samples.size(); ++i)
    for (size_t k = i + 1; k < samples.size(); ++k) {
      const auto hours = static_cast<double>((samples[k].at - samples[i].at).count()) / 3.6e6;
      slopes.push_back(static_cast<double>(samples[k].kib - samples[i].kib) / hours);
    }
  const auto usual = static_cast<double>(median_kib(warm_up));
  return usual > 0 ? 100 * median(std::move(slopes)) / usual : 0;
}

} // namespace fondaco::load
