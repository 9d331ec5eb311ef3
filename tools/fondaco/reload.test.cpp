#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tools/fondaco/init.hpp"
#include "tools/fondaco/node.hpp"
#include "tools/fondaco/version.hpp"

#include "protocols/json/json.hpp"

using namespace fondaco;
using namespace fondaco::tools;

namespace {

struct world {
  world() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    init_options o;
    o.folder = folder;
    const actors::system_clock clock;
    actors::system_random random;
    REQUIRE(init_node(o, clock, random).has_value());
  }
  ~world() { std::filesystem::remove_all(folder); }

  // The file with more at its end, every listener on any free port.
  config read(const std::string& more = "") const {
    std::ifstream in(folder + "/fondaco.toml");
    auto c = parse_config(std::string(std::istreambuf_iterator<char>(in), {}) + more);
    REQUIRE_MESSAGE(c.has_value(), c.error().detail);
    for (auto& l : c->listeners)
      if (l.name != "operator")
        l.bind = "127.0.0.1:0";
    return std::move(*c);
  }
  std::string folder = "/tmp/fondaco-reload-XXXXXX";
};

} // namespace

TEST_CASE("a running node takes over issuers and log level, and names what needs a restart") {
  const world w;
  node n(w.read());
  const auto started = n.start();
  REQUIRE_MESSAGE(started.has_value(), started.error().detail);
  CHECK(n.reload(w.read()).value().empty());
  const std::string issuer = "[[trusted_issuer]]\ndid = \"did:web:more.example\"\ntypes = [\"*\"]\n";
  CHECK(n.reload(w.read(issuer)).value().empty());
  const std::string client = issuer + "[[api_client]]\nid = \"x\"\nrole = \"operator\"\nsecret_file = \"/x\"\n";
  const std::vector<std::string> keys{"api_client[1].id", "api_client[1].role", "api_client[1].secret_file"};
  CHECK(n.reload(w.read(client)).value() == keys);
  CHECK(n.reload(w.read(client)).value() == keys); // it still runs without them
  n.stop(milliseconds(2000));
}

TEST_CASE("certificates that cannot be read leave a running node as it was") {
  const world w;
  node n(w.read());
  REQUIRE(n.start().has_value());
  auto fresh = w.read();
  fresh.listener("public").tls.certificate_file = "/nonexistent.pem";
  const auto refused = n.reload(fresh);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == "tls_refused");
  CHECK(n.reload(w.read()).has_value());
  n.stop(milliseconds(2000));
}

TEST_CASE("the version names program, revision, schema and event formats") {
  const auto lines = version_text(false);
  for (const char* word : {"fondaco", "revision", "schema", "events"})
    CHECK(lines.find(word) != std::string::npos);
  const auto read = json::parse(version_text(true));
  REQUIRE(read.has_value());
  const auto& o = read->get_object();
  CHECK(json::integer_at(o, "schemaVersion").value() >= 1);
  CHECK(json::string_at(o.at("eventFormats").get_array().at(0).get_object(), "format") == "json");
}
