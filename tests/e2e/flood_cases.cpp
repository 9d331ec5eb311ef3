// Floods and slow clients: what they cost others, what they are told, and what an operator sees of them.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include <sys/resource.h>

#include "e2e/cases.hpp"
#include "e2e/http_load.hpp"
#include "e2e/raw.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

/// A node of its own with participant contexts that the test floods.
class flooded {
public:
  /// `limits` and `listener` are more lines of the node's limits and of its management listener.
  flooded(bed& b, const std::string& limits, size_t tenants, const std::string& listener = {})
      : node_(options(b), b.fresh_folder()), admin_(node_) {
    auto text = replaced(read_file(node_.config_file()), "[limits]\n", "[limits]\n" + limits);
    write_private(node_.config_file(), replaced(text, "[listener.management]\n", "[listener.management]\n" + listener));
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

double metric(const node& of, const std::string& series) {
  const auto text = "\n" + send("GET", of.url("observability") + "/metrics", {}).body;
  const auto at = text.find("\n" + series + " ");
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + series.size() + 2, nullptr);
}

size_t resident_bytes(const node& of) {
  const auto text = read_file("/proc/" + std::to_string(of.pid()) + "/status");
  const auto at = text.find("VmRSS:");
  check(at != std::string::npos, "the node's process tells no resident memory");
  return std::strtoull(text.c_str() + at + 6, nullptr, 10) * 1024;
}

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

constexpr size_t crowd = 10'000;
constexpr size_t bytes_a_connection_max = 32u << 10;

// The limit of open files that this process and its nodes are given at most.
void need_descriptors(size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  check(limit.rlim_max >= count, "this case needs a limit of " + std::to_string(count) + " open files, and there are " +
                                     std::to_string(limit.rlim_max) + " (ulimit -Hn)");
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, count);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool makes_asset(flooded& f, size_t tenant) {
  http_load one(f.plan(f.make_assets(tenant), 1));
  wait_for("an honest client's command", [&](std::string& saw) -> std::optional<bool> {
    saw = std::to_string(one.so_far().answered()) + " answered, " + std::to_string(one.so_far().broken) + " broken";
    return one.so_far().answered() > 0 ? std::optional(true) : std::nullopt;
  });
  const auto told = one.finish();
  return told.of(200) == told.answered();
}

void many_connections(bed& b) {
  need_descriptors(crowd + 512);
  flooded f(b, "", 1, "connections_max = 10000\nheader_timeout_ms = 120000\n");
  check(makes_asset(f, 0), "a command was refused before the crowd came");
  const auto before = resident_bytes(f.at());
  std::vector<raw_connection> held;
  held.reserve(crowd);
  const auto open = [&] { return metric(f.at(), "fondaco_listener_connections_open{listener=\"management\"}"); };
  const auto few_less = static_cast<size_t>(static_cast<double>(crowd) - open() - 2);
  while (held.size() < few_less) {
    held.emplace_back(f.at().port("management"));
    held.back().send("GET /api/management HTTP/1.1\r\nHost: loc");
  }
  wait_for("the crowd's connections", [&](std::string& saw) -> std::optional<bool> {
    saw = std::to_string(open()) + " open";
    return open() >= static_cast<double>(few_less) ? std::optional(true) : std::nullopt;
  });
  const auto grown = resident_bytes(f.at()) - std::min(before, resident_bytes(f.at()));
  check(grown / held.size() <= bytes_a_connection_max,
        "an open connection costs " + std::to_string(grown / held.size()) + " bytes");
  check(makes_asset(f, 0), "an honest client was refused beside the crowd");
  while (held.size() < crowd + 16)
    held.emplace_back(f.at().port("management"));
  wait_for("the connections beyond the bound to be refused", [&](std::string& saw) -> std::optional<bool> {
    const auto refused = metric(f.at(), "fondaco_listener_connections_refused_total{listener=\"management\"}");
    saw = std::to_string(refused) + " refused, " + std::to_string(open()) + " open";
    return refused >= 16 && open() <= static_cast<double>(crowd) ? std::optional(true) : std::nullopt;
  });
  held.clear();
  wait_for("the crowd to be gone", [&](std::string& saw) -> std::optional<bool> {
    saw = std::to_string(open()) + " open";
    return open() < 16 ? std::optional(true) : std::nullopt;
  });
  check(makes_asset(f, 0), "an honest client was refused after the crowd left");
}

constexpr size_t slow_clients = 200;

// One byte for each of them, to those that are still let in; gives how many are.
size_t drip(std::vector<std::optional<raw_connection>>& all) {
  size_t left = 0;
  for (auto& one : all) {
    if (!one)
      continue;
    std::string answer;
    if (one->read(answer, milliseconds(0)) == raw_connection::outcome::closed)
      one.reset();
    else
      one->send("a", milliseconds(100));
    left += one ? 1 : 0;
  }
  return left;
}

void slow_loris(bed& b) {
  flooded f(b, "", 1, "header_timeout_ms = 1000\nbody_timeout_ms = 1000\n");
  std::vector<std::optional<raw_connection>> slow;
  for (size_t i = 0; i < slow_clients; ++i) {
    slow.emplace_back(f.at().port("management"));
    slow.back()->send(i % 2 == 0 ? "GET /api/management HTTP/1.1\r\nX-Slow: "
                                 : "POST " + f.assets(0) +
                                       " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                       "Content-Length: 100000\r\n\r\n");
  }
  http_load honest(f.plan(f.make_assets(0), 2));
  wait_for("the slow clients to be shown out", [&](std::string& saw) -> std::optional<bool> {
    const auto left = drip(slow);
    saw = std::to_string(left) + " of them are still connected";
    return left == 0 ? std::optional(true) : std::nullopt;
  });
  const auto told = honest.finish();
  check(told.answered() > 0, "no honest client was answered beside the slow ones");
  check_equal("the honest client's commands that were not done", told.answered() - told.of(200) + told.broken, 0U);
  check(metric(f.at(), "fondaco_listener_timeouts_total{listener=\"management\"}") >= slow_clients,
        "the metrics do not tell of the clients that were too slow");
}

constexpr int queue_connections = 50;

// What each listener is asked beyond its bound is refused with a time to come again, and counted under its queue.
void full_queue_says_so(bed& b) {
  flooded f(b, "", 2, "requests_max = 2\n");
  http_load flood(f.plan(f.make_assets(0), queue_connections));
  wait_for("commands of a flood that are refused", [&](std::string& saw) -> std::optional<bool> {
    const auto told = flood.so_far();
    saw = std::to_string(told.of(503)) + " refused, " + std::to_string(told.of(200)) + " done";
    return told.of(503) > queue_connections && told.of(200) > queue_connections ? std::optional(true) : std::nullopt;
  });
  const auto told = flood.finish();
  check_equal("the commands that were neither done nor refused", told.answered() - told.of(200) - told.of(503), 0U);
  check_equal("the refusals that do not say when to come again", told.without_retry, 0U);
  const auto refused = metric(f.at(), "fondaco_queue_full_total{queue=\"http_management\"}");
  check_equal("what the metrics tell of the listener's full queue", refused, static_cast<double>(told.of(503)));
  check_equal("what the metrics tell of another queue",
              metric(f.at(), "fondaco_queue_full_total{queue=\"http_protocol\"}"), 0.0);
}

void full_share_says_so(bed& b) {
  flooded f(b, "tenant_commands_max = 4\n", 2);
  http_load flood(f.plan(f.make_assets(0), queue_connections));
  wait_for("commands of a flood that are refused", [&](std::string& saw) -> std::optional<bool> {
    const auto told = flood.so_far();
    saw = std::to_string(told.of(429)) + " refused, " + std::to_string(told.of(200)) + " done";
    return told.of(429) > queue_connections && told.of(200) > queue_connections ? std::optional(true) : std::nullopt;
  });
  // A neighbour that asks within its share is never refused.
  http_load calm(f.plan(f.make_assets(1), 1));
  wait_for("a neighbour's commands during the flood", [&](std::string& saw) -> std::optional<bool> {
    saw = std::to_string(calm.so_far().answered()) + " answered";
    return calm.so_far().answered() > queue_connections ? std::optional(true) : std::nullopt;
  });
  const auto neighbour = calm.finish();
  const auto told = flood.finish();
  check_equal("the neighbour's commands that were not done", neighbour.answered() - neighbour.of(200), 0U);
  check_equal("the commands that were neither done nor refused", told.answered() - told.of(200) - told.of(429), 0U);
  check_equal("the refusals that do not say when to come again", told.without_retry, 0U);
  check(metric(f.at(), "fondaco_queue_full_total{queue=\"tenant_commands\"}") >= static_cast<double>(told.of(429)),
        "the metrics do not tell of the tenant's full queue");
}

} // namespace

cases flood_cases() {
  return {
      {"a tenant at a hundred times its share does not double the p99 of the others' commands",
       flood_costs_neighbours_little},
      {"a listener's full queue refuses with 503 and a time to come again, and the metrics say which queue it was",
       full_queue_says_so},
      {"a participant's full share refuses it with 429 and a time to come again, and no neighbour", full_share_says_so},
      {"ten thousand open connections cost bounded memory, and whoever asks is answered meanwhile", many_connections},
      {"clients that send a byte at a time are shown out in time, and honest ones answered meanwhile", slow_loris}};
}

} // namespace fondaco::e2e
