#include "tools/fondaco/node.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tools/fondaco/assembly.hpp"

using namespace fondaco;
using namespace fondaco::tools;

TEST_CASE("every service starts after what it requires, for every set of roles") {
  const std::vector<std::vector<std::string>> role_sets{
      {"control-plane", "data-plane"}, {"control-plane"}, {"data-plane"}};
  for (const auto& roles : role_sets) {
    std::set<std::string> provided;
    for (const auto* s : start_order(roles)) {
      for (const auto& r : s->requires_)
        CHECK_MESSAGE(provided.contains(r), s->name << " requires " << r);
      provided.insert(s->provides.begin(), s->provides.end());
    }
  }
}

TEST_CASE("the plan names the listeners of a node's roles and no others") {
  auto c = default_config();
  CHECK(plan(c).find("listens: protocol on 127.0.0.1:8282") != std::string::npos);
  c.roles = {"data-plane"};
  CHECK(plan(c).find("listens: protocol") == std::string::npos);
  CHECK(plan(c).find("listens: public") != std::string::npos);
}

TEST_CASE("a node whose key file is missing says which service failed and leaves nothing running") {
  auto c = default_config();
  c.store.url = ":memory:";
  c.key_file = "/nonexistent/key";
  node n(std::move(c));
  auto started = n.start();
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().detail.find("service 'vault'") != std::string::npos);
}
