#include "tools/fondaco/config.hpp"

#include <doctest/doctest.h>

#include "tools/fondaco/config_table.hpp"

using namespace fondaco;
using namespace fondaco::tools;

namespace {

constexpr const char* least = "[vault]\nkey_file = \"k\"\n";

std::string refusal_of(const std::string& text) {
  auto c = parse_config(text);
  return c ? "taken" : c.error().detail;
}

} // namespace

TEST_CASE("the printed example is taken by the parser and shows every key") {
  auto example = config_example();
  for (const auto& key : config_keys())
    CHECK_MESSAGE(example.find(key.path.substr(key.path.rfind('.') + 1) + " = ") != std::string::npos, key.path);
  CHECK(refusal_of(example) == "taken");
}

TEST_CASE("the defaults are what the example says") {
  auto example = config_example();
  auto from_example = parse_config(example);
  auto from_nothing = parse_config(least);
  REQUIRE(from_example.has_value());
  REQUIRE(from_nothing.has_value());
  CHECK(from_example->limits.lease_ms == from_nothing->limits.lease_ms);
  CHECK(from_example->cell.send_window_ms == from_nothing->cell.send_window_ms);
  CHECK(from_example->outbound.exchanges_max == from_nothing->outbound.exchanges_max);
  for (const auto& l : from_nothing->listeners)
    CHECK(from_example->listener(l.name).bind == l.bind);
}

TEST_CASE("an unknown key is refused with its line and its nearest neighbour") {
  auto why = refusal_of(std::string(least) + "[store]\nurll = \"x\"\n");
  CHECK(why.find("line 4") != std::string::npos);
  CHECK(why.find("did you mean 'store.url'?") != std::string::npos);
}

TEST_CASE("a value of the wrong type or out of range is refused with what is allowed") {
  CHECK(refusal_of(std::string(least) + "[store]\nreaders = \"4\"\n").find("type integer") != std::string::npos);
  CHECK(refusal_of(std::string(least) + "[store]\nreaders = 0\n").find("from 1 to 64") != std::string::npos);
  CHECK(refusal_of(std::string(least) + "[node]\nroles = [\"cook\"]\n").find("control-plane, data-plane") !=
        std::string::npos);
  CHECK(refusal_of("not toml").find("line 1") != std::string::npos);
}

TEST_CASE("a table without a name is refused with its line, and ends nothing") {
  for (const char* header : {"[", "[\n]", "[!node]", "[[", "[[,]]", "[ # ]", "[\t=]", "[]"}) {
    CAPTURE(header);
    CHECK(refusal_of("# a configuration\n" + std::string(header) + "\n").starts_with("line 2"));
  }
}

TEST_CASE("a character that stands where none may is refused with its line, whatever its plane") {
  for (const char* stray : {"\u00a1", "\u00e4", "\u03a9", "\u16ff", "\u20ac", "\u3001", "\ufe00", "\U0001f600"}) {
    CAPTURE(stray);
    CHECK(refusal_of("[vault]\nkey_file " + std::string(stray) + " = 1\n").starts_with("line 2"));
    CHECK(refusal_of("[vault]\n" + std::string(stray) + "\n").starts_with("line 2"));
  }
}

TEST_CASE("a fault repeats no character that a terminal would act on") {
  for (const char* text : {"\"\\u001b[2J\" = 1\n", "[node]\nname = fals\x1b\n"}) {
    const auto why = refusal_of(text);
    CAPTURE(why);
    CHECK(why.starts_with("line "));
    CHECK(std::none_of(why.begin(), why.end(), [](unsigned char c) { return c < 0x20; }));
  }
}

TEST_CASE("a node has its key from exactly one place") {
  CHECK(refusal_of("[node]\nname = \"n\"\n").find("exactly one of vault.key_file") != std::string::npos);
  CHECK(refusal_of(std::string(least) + "key_environment = \"K\"\n").find("exactly one of") != std::string::npos);
}

TEST_CASE("clients and profiles are whole and named once") {
  auto client = [](const std::string& more) {
    return std::string(least) + "[[api_client]]\nid = \"a\"\nsecret_file = \"s\"\n" + more;
  };
  CHECK(refusal_of(client("")).find("needs id, secret_file and role") != std::string::npos);
  CHECK(refusal_of(client("role = \"participant\"\n")).find("participant context") != std::string::npos);
  CHECK(refusal_of(client("role = \"admin\"\n")) == "taken");
  CHECK(refusal_of(std::string(least) + "[[dataspace_profile]]\nname = \"A b\"\n").find("lower-case") !=
        std::string::npos);
}

TEST_CASE("two configurations differ by the keys that their files say differently") {
  const std::string base = std::string(least) + "[[trusted_issuer]]\ndid = \"did:web:a\"\ntypes = [\"*\"]\n";
  const auto before = parse_config(base + "[node]\nname = \"n\"\nlog_level = \"info\"\n");
  const auto after = parse_config(base + "[node]\nlog_level = \"debug\"\n[store]\nreaders = 2\n"
                                         "[[trusted_issuer]]\ndid = \"did:web:b\"\ntypes = [\"T\", \"U\"]\n");
  REQUIRE(before.has_value());
  REQUIRE(after.has_value());
  CHECK(changed_keys(*before, *before).empty());
  CHECK(changed_keys(*before, *after) == std::vector<std::string>{"node.log_level", "node.name", "store.readers",
                                                                  "trusted_issuer[1].did", "trusted_issuer[1].types"});
  CHECK(changed_keys(*before, *after) == changed_keys(*after, *before));
  const auto one = parse_config(base + "[data_plane]\nfile_roots = [\"a\", \"b\"]\n");
  const auto other = parse_config(base + "[data_plane]\nfile_roots = [\"a2:b\"]\n");
  CHECK(changed_keys(*one, *other) == std::vector<std::string>{"data_plane.file_roots"});
}

TEST_CASE("log level, trusted issuers and certificates may change while a node runs, nothing else may") {
  size_t reloadable = 0;
  for (const auto& key : config_keys())
    reloadable += is_reloadable(key.path) ? 1 : 0;
  CHECK(reloadable == 1 + 3 + 7 * 2);
  CHECK(is_reloadable("node.log_level"));
  CHECK(is_reloadable("trusted_issuer[3].types"));
  CHECK(is_reloadable("listener.public.tls_key"));
  CHECK_FALSE(is_reloadable("listener.public.bind"));
  CHECK_FALSE(is_reloadable("node.roles"));
}
