#include "tools/fondaco/init.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "persistence/store.hpp"
#include "tools/fondaco/certificates.hpp"
#include "tools/fondaco/config.hpp"
#include "tools/fondaco/secret_file.hpp"

using namespace fondaco;
using namespace fondaco::tools;

namespace {

struct scratch {
  scratch() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~scratch() { std::filesystem::remove_all(path); }
  std::string operator/(const char* file) const { return path + "/" + file; }
  std::string path = "/tmp/fondaco-init-XXXXXX";
};

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

unsigned mode_of(const std::string& path) {
  struct stat about{};
  REQUIRE_MESSAGE(::stat(path.c_str(), &about) == 0, path);
  return about.st_mode & 0777u;
}

init_options for_folder(const std::string& folder) {
  init_options o;
  o.folder = folder;
  return o;
}

std::expected<std::string, fault> init(const init_options& o) {
  const actors::system_clock clock;
  actors::system_random random;
  return init_node(o, clock, random);
}

} // namespace

TEST_CASE("a fresh folder holds all that a node needs, and its secrets are its owner's alone") {
  scratch at;
  const auto secret = init(for_folder(at.path));
  REQUIRE_MESSAGE(secret.has_value(), secret.error().detail);
  CHECK(*secret == read_secret_file(at / "admin.secret").value());
  CHECK(persistence::load_key_file(at / "fondaco.key").value().size() == 32);
  for (const char* file : {"fondaco.toml", "fondaco.key", "admin.secret", "ca.key", "server.key"})
    CHECK_MESSAGE(mode_of(at / file) == 0600, file);
  const auto c = load_config(at / "fondaco.toml");
  REQUIRE_MESSAGE(c.has_value(), c.error().detail);
  CHECK(c->roles == known_roles());
  CHECK(c->key_file == at / "fondaco.key");
  REQUIRE(c->clients.size() == 1);
  CHECK(c->clients[0].secret_file == at / "admin.secret");
  CHECK(text_of(at / "fondaco.toml").find(*secret) == std::string::npos);
  for (const char* l : {"protocol", "management", "signaling", "public"}) {
    const auto& tls = c->listener(l).tls;
    CHECK(key_belongs(tls.certificate_file, tls.key_file));
    CHECK(certificate_names(tls.certificate_file, "localhost"));
    CHECK(certificate_names(tls.certificate_file, "127.0.0.1"));
    CHECK_FALSE(certificate_names(tls.certificate_file, "elsewhere.example"));
    CHECK(c->listener(l).bind.starts_with("127.0.0.1:"));
  }
  CHECK_FALSE(key_belongs(at / "server.crt", at / "ca.key"));
}

TEST_CASE("a node for a public host listens on every interface and keeps to public addresses") {
  scratch at;
  auto o = for_folder(at.path);
  o.data = at / "data";
  o.name = "node \"7\"";
  o.host = "dataspace.example";
  o.store = "postgresql://fondaco@db.example/fondaco";
  REQUIRE(init(o).has_value());
  const auto c = load_config(at / "fondaco.toml");
  REQUIRE_MESSAGE(c.has_value(), c.error().detail);
  CHECK(c->name == o.name);
  CHECK(c->store.url == o.store);
  CHECK(c->listener("protocol").bind == "0.0.0.0:8282");
  CHECK(c->listener("operator").bind == "unix:" + (at / "data/fondaco.sock"));
  CHECK(c->cell.protocol_url == "https://dataspace.example:8282");
  CHECK_FALSE(c->outbound.allow_private_addresses);
  CHECK(certificate_names(at / "server.crt", "dataspace.example"));
}

TEST_CASE("a folder that holds a node's file is refused and left as it is") {
  for (const char* file : {"fondaco.toml", "fondaco.key", "server.key"}) {
    scratch at;
    std::ofstream(at / file) << "mine";
    const auto refused = init(for_folder(at.path));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find(file) != std::string::npos);
    CHECK(text_of(at / file) == "mine");
    CHECK(std::distance(std::filesystem::directory_iterator(at.path), {}) == 1);
  }
}

TEST_CASE("options that make no node are refused before anything is written") {
  for (const auto& change : std::vector<std::function<void(init_options&)>>{
           [](auto& o) { o.host = ""; }, [](auto& o) { o.host = "https://a.example"; },
           [](auto& o) { o.host = "a.example,DNS:b.example"; }, [](auto& o) { o.host = "a.example:8282"; },
           [](auto& o) { o.name = ""; }, [](auto& o) { o.name = "a\nb"; }, [](auto& o) { o.name.assign(80, 'n'); }}) {
    scratch at;
    auto o = for_folder(at / "new");
    change(o);
    CHECK_FALSE(init(o).has_value());
    CHECK_FALSE(std::filesystem::exists(at / "new"));
  }
}

TEST_CASE("the initial configuration names every key") {
  const auto text = initial_config(for_folder("/f"));
  for (const auto& key : config_keys())
    CHECK_MESSAGE(text.find(key.path.substr(key.path.rfind('.') + 1) + " = ") != std::string::npos, key.path);
}
