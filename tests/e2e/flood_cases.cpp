// Floods and slow clients: what they cost others, what they are told, and what an operator sees of them.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "e2e/cases.hpp"
#include "e2e/http_load.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

/// A node of its own with participant contexts that the test floods.
class flooded {
public:
  flooded(bed& b, const std::string& more, size_t tenants) : node_(options(b), b.fresh_folder()), admin_(node_) {
    write_private(node_.config_file(), replaced(read_file(node_.config_file()), "[limits]\n", "[limits]\n" + more));
    node_.start();
    for (size_t i = 0; i < tenants; ++i) {
      const auto id = "tenant-" + std::to_string(i);
      add_organisation(admin_, {node_, id, "did:web:" + id + ".example", good_attributes});
      ids_.push_back(id);
    }
  }

  node& at() { return node_; }
  management& admin() { return admin_; }
  const std::string& id(size_t tenant) const { return ids_[tenant]; }
  std::string assets(size_t tenant) const { return "/api/management/v5beta/participants/" + ids_[tenant] + "/assets"; }
  /// Makes assets of a tenant, each one a new one.
  std::function<std::string()> make_assets(size_t tenant) {
    return [path = assets(tenant), token = admin_.token()] {
      auto asset = managed("Asset");
      asset["properties"] = json::object{{"name", "flood"}};
      return request_text("POST", path, token, json::serialize(asset));
    };
  }
  load_plan plan(std::function<std::string()> next, size_t connections, double per_second = 0) const {
    return {node_.port("management"), connections, per_second, std::move(next)};
  }

private:
  static node_options options(const bed& b) {
    node_options o;
    o.name = "flooded";
    o.kind = b.kind();
    return o;
  }

  node node_;
  management admin_;
  std::vector<std::string> ids_;
};

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all.size() % 2 == 1 ? all[all.size() / 2] : (all[all.size() / 2 - 1] + all[all.size() / 2]) / 2;
}

constexpr size_t neighbours = 10;
constexpr double share_per_second = 10;
constexpr size_t flood_connections = 100;
constexpr size_t pairs = 10;
constexpr milliseconds slot{1'200};

double neighbours_p99(flooded& f) {
  std::vector<std::unique_ptr<http_load>> loads;
  for (size_t i = 1; i <= neighbours; ++i)
    loads.push_back(std::make_unique<http_load>(f.plan(f.make_assets(i), 4, share_per_second)));
  ::poll(nullptr, 0, static_cast<int>(slot.count()));
  load_tally all;
  for (auto& l : loads) {
    auto one = l->finish();
    check_equal("the neighbours' commands that were not done", one.answered() - one.of(200) + one.broken, size_t{0});
    all.took_ms.insert(all.took_ms.end(), one.took_ms.begin(), one.took_ms.end());
  }
  return all.took_ms_at(0.99);
}

// Ten tenants at ten commands a second each, and one that asks on a hundred connections as fast as it is answered.
void flood_costs_neighbours_little(bed& b) {
  flooded f(b, "", neighbours + 1);
  std::vector<double> ratios;
  std::string seen;
  for (size_t pair = 0; pair < pairs; ++pair) {
    const auto calm = neighbours_p99(f);
    http_load flood(f.plan(f.make_assets(0), flood_connections));
    const auto loud = neighbours_p99(f);
    const auto told = flood.finish();
    check_equal("the flood's commands that were answered neither 200, 429 nor 503",
                told.answered() - told.of(200) - told.of(429) - told.of(503) + told.broken, size_t{0});
    check(static_cast<double>(told.answered()) > share_per_second * 10, "the flood was none");
    ratios.push_back(loud / calm);
    seen += " " + std::to_string(calm) + "/" + std::to_string(loud);
  }
  check(median(ratios) < 2, "a flood makes the neighbours' p99 " + std::to_string(median(ratios)) +
                                " times as long; p99 in ms without and with it:" + seen);
}

} // namespace

cases flood_cases() {
  return {{"a tenant at a hundred times its share does not double the p99 of the others' commands",
           flood_costs_neighbours_little}};
}

} // namespace fondaco::e2e
