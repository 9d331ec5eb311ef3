#include "tools/bench/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <thread>

#include "protocols/base/fault.hpp"

namespace fondaco::bench {

std::string machine() {
  std::ifstream cpus("/proc/cpuinfo");
  std::string model = "unknown processor";
  for (std::string line; std::getline(cpus, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != line.npos) {
        model = line.substr(colon + 2);
        break;
      }
  const auto cores = std::thread::hardware_concurrency();
  return model + ", " + std::to_string(cores) + (cores == 1 ? " core" : " cores");
}

double median(std::vector<double> values) {
  invariant(!values.empty(), "a median is of at least one value");
  std::ranges::sort(values);
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double percentile(std::vector<double> values, double part) {
  invariant(!values.empty(), "a percentile is of at least one value");
  std::ranges::sort(values);
  const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(values.size())));
  return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

std::string rounded(double value) {
  char text[64];
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 ? 2 : 3;
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

bool print(const std::string& name, const measured<figure>& f) {
  if (!f) {
    std::cerr << name << ": not measured: " << f.error() << std::endl;
    return false;
  }
  std::cout << f->name << ": " << rounded(f->value) << " " << f->unit << "\n"
            << "  reference  " << f->reference << ": " << rounded(f->reference_value) << " " << f->reference_unit
            << "\n"
            << "  ratio      " << rounded(f->ratio);
  if (f->ratio_aim > 0)
    std::cout << " (aim " << rounded(f->ratio_aim) << (f->ratio >= f->ratio_aim ? ", reached)" : ", missed)");
  std::cout << "\n";
  for (const auto& n : f->notes)
    std::cout << "  note       " << n << "\n";
  std::cout << "  command    " << f->command << "\n"
            << "  machine    " << machine() << "\n"
            << std::endl;
  return true;
}

} // namespace fondaco::bench
