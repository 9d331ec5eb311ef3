#include <chrono>
#include <filesystem>

#include "tools/bench/agent_rows.hpp"
#include "tools/bench/agents.hpp"
#include "tools/bench/start.hpp"
#include "tools/fondaco/demo_node.hpp"

namespace fondaco::bench {

namespace {

using steady = std::chrono::steady_clock;

// The first start makes the schema and does not count.
measured<std::vector<double>> starts_ms(tools::demo_node& node, const std::string& program, int count) {
  std::vector<double> out;
  for (int i = 0; i < count; ++i) {
    const auto begin = steady::now();
    if (auto started = node.start(program); !started)
      return std::unexpected(started.error());
    out.push_back(std::chrono::duration<double, std::milli>(steady::now() - begin).count());
    node.stop();
  }
  return out;
}

} // namespace

measured<figure> measure_start_registered(const std::string& program, const std::string& folder) {
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  tools::demo_node empty("empty", folder + "/empty", "", {}), full("full", folder + "/full", "", {});
  for (auto* n : {&empty, &full})
    if (auto made = starts_ms(*n, program, 1); !made)
      return std::unexpected(made.error());
  if (auto made = register_agents(folder + "/full/fondaco.db", limits::registered_agents); !made)
    return std::unexpected(made.error());
  std::vector<double> ours, references, ratios;
  for (int i = 0; i < limits::starts; ++i) {
    const auto one = starts_ms(full, program, 1);
    const auto other = starts_ms(empty, program, 1);
    if (!one || !other)
      return std::unexpected(one ? other.error() : one.error());
    ours.push_back(one->front());
    references.push_back(other->front());
    ratios.push_back(one->front() / other->front());
  }
  figure f;
  f.name = "start to ready on SQLite with " + std::to_string(limits::registered_agents) + " participant agents";
  f.unit = "ms";
  f.value = median(ours);
  f.reference = "start to ready of the same node on an empty store";
  f.reference_unit = f.unit;
  f.reference_value = median(references);
  f.ratio = median(ratios);
  return f;
}

} // namespace fondaco::bench
