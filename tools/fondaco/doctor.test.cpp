#include "tools/fondaco/doctor.hpp"

#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocols/json/json.hpp"
#include "tools/fondaco/certificates.hpp"
#include "tools/fondaco/doctor_net.hpp"
#include "tools/fondaco/init.hpp"

using namespace fondaco;
using namespace fondaco::tools;

namespace {

/// A socket that listens on a free port of loopback, with a word for whoever connects; its neighbour is nobody's.
struct door {
  door() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(fd, 4) == 0);
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    at = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~door() { ::close(fd); }
  int fd;
  std::string at;
};

/// A node's files, made by `init`, with every listener on any free port.
struct prepared {
  prepared() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    init_options o;
    o.folder = folder;
    actors::system_random random;
    REQUIRE(init_node(o, clock, random).has_value());
    auto read = load_config(folder + "/fondaco.toml");
    REQUIRE(read.has_value());
    c = std::move(*read);
    for (auto& l : c.listeners)
      if (l.name != "operator")
        l.bind = "127.0.0.1:0";
  }
  ~prepared() { std::filesystem::remove_all(folder); }
  actors::system_clock clock;
  std::string folder = "/tmp/fondaco-doctor-XXXXXX";
  config c = default_config();
};

class fixed_clock final : public actors::clock {
public:
  explicit fixed_clock(timepoint t) : now_(t) {}
  timepoint now() const override { return now_; }

private:
  timepoint now_;
};

const finding* find(const std::vector<finding>& all, const std::string& check) {
  for (const auto& f : all)
    if (f.check == check)
      return &f;
  return nullptr;
}

bool all_ok(const std::vector<finding>& all) {
  for (const auto& f : all)
    if (f.state != finding_state::ok) {
      MESSAGE(f.check << ": " << f.detail);
      return false;
    }
  return !all.empty();
}

} // namespace

TEST_CASE("what init made passes the doctor, but for the database that no node has opened yet") {
  prepared p;
  CHECK(all_ok(check_secrets(p.c)));
  CHECK(all_ok(check_listeners(p.c)));
  CHECK(all_ok(check_hosts(p.c)));
  CHECK(all_ok(check_tls(p.c, p.clock)));
  CHECK(all_ok(check_partners(p.c)));
  const auto before = check_store(p.c, p.clock);
  REQUIRE(find(before, "store") != nullptr);
  CHECK(find(before, "store")->state == finding_state::warn);
  CHECK_FALSE(std::filesystem::exists(p.folder + "/fondaco.db"));
  REQUIRE(persistence::open_store(p.c.store).has_value());
  CHECK(all_ok(check_store(p.c, p.clock)));
}

TEST_CASE("a key or secret that others can read, is missing or is another database's fails with its cure") {
  prepared p;
  REQUIRE(persistence::open_store(p.c.store).has_value());
  REQUIRE(all_ok(check_store(p.c, p.clock))); // the database knows its key from here on
  std::filesystem::permissions(p.c.key_file, std::filesystem::perms::group_read, std::filesystem::perm_options::add);
  std::filesystem::remove(p.c.clients[0].secret_file);
  const auto found = check_secrets(p.c);
  for (const char* check : {"key", "secret of admin"}) {
    REQUIRE(find(found, check) != nullptr);
    CHECK(find(found, check)->state == finding_state::fail);
    CHECK_FALSE(find(found, check)->cure.empty());
  }
  std::filesystem::remove(p.c.key_file);
  std::ofstream(p.c.key_file) << std::string(64, 'a') << "\n";
  std::filesystem::permissions(p.c.key_file, std::filesystem::perms::owner_read);
  const auto store = check_store(p.c, p.clock);
  REQUIRE(find(store, "vault") != nullptr);
  CHECK(find(store, "vault")->state == finding_state::fail);
}

TEST_CASE("a store that cannot be reached fails with its cure") {
  prepared p;
  p.c.store.url = "postgresql://127.0.0.1:1/none";
  const auto found = check_store(p.c, p.clock);
  REQUIRE(found.size() == 1);
  CHECK(found[0].state == finding_state::fail);
  CHECK(found[0].cure.find("store.url") != std::string::npos);
}

TEST_CASE("clocks may be a little apart, not much") {
  for (const auto& [ms, state] : {std::pair{0, finding_state::ok},
                                  {900, finding_state::ok},
                                  {-900, finding_state::ok},
                                  {1'100, finding_state::warn},
                                  {-9'000, finding_state::warn},
                                  {10'001, finding_state::fail},
                                  {-3'600'000, finding_state::fail}}) {
    const auto f = clock_finding(milliseconds(ms));
    CHECK_MESSAGE(f.state == state, f.detail);
    CHECK(f.cure.empty() == (state == finding_state::ok));
  }
}

TEST_CASE("a listener's address is free, taken, foreign or malformed") {
  const door taken;
  CHECK(net::try_bind("127.0.0.1:0") == net::bind_result::free);
  CHECK(net::try_bind(taken.at) == net::bind_result::taken);
  CHECK(net::try_bind("192.0.2.1:0") == net::bind_result::no_such_address);
  for (const char* bind : {"", "localhost", "somewhere:80", "127.0.0.1:", "127.0.0.1:port", "unix:"})
    CHECK_MESSAGE(net::try_bind(bind) == net::bind_result::malformed, bind);
  CHECK(net::try_bind("unix:/" + std::string(200, 'x')) == net::bind_result::malformed);
  CHECK(net::try_bind("unix:/nonexistent/socket") == net::bind_result::not_allowed);
}

TEST_CASE("a port that another program holds fails, and is no fault while this node itself runs") {
  prepared p;
  const door taken;
  p.c.listener("protocol").bind = taken.at;
  const auto idle = check_listeners(p.c);
  REQUIRE(find(idle, "listener protocol") != nullptr);
  CHECK(find(idle, "listener protocol")->state == finding_state::fail);
  CHECK(find(idle, "listener protocol")->cure.find("listener.protocol.bind") != std::string::npos);
  p.c.listener("operator").bind = taken.at; // stands for the socket of a node that runs
  CHECK(all_ok(check_listeners(p.c)));
  p.c.roles = {"data-plane"};
  CHECK(find(check_listeners(p.c), "listener protocol") == nullptr);
}

TEST_CASE("certificates that end, are over, are another's or name another host are told apart") {
  prepared p;
  const auto end = read_certificate(p.folder + "/server.crt").value().not_after;
  const auto at = [&](milliseconds before_end) {
    const auto all = check_tls(p.c, fixed_clock(end - before_end));
    REQUIRE(find(all, "tls protocol") != nullptr);
    return find(all, "tls protocol")->state;
  };
  CHECK(at(std::chrono::days(22)) == finding_state::ok);
  CHECK(at(std::chrono::days(20)) == finding_state::warn);
  CHECK(at(milliseconds(0)) == finding_state::fail);
  CHECK(at(std::chrono::days(400)) == finding_state::fail); // before its time
  p.c.listener("public").tls.key_file = p.folder + "/ca.key";
  p.c.listener("signaling").tls.certificate_file = "/nonexistent.pem";
  p.c.cell.protocol_url = "https://elsewhere.example:8282";
  size_t failed = 0;
  size_t odd = 0;
  for (const auto& f : check_tls(p.c, p.clock)) {
    failed += f.state == finding_state::fail ? 1 : 0;
    odd += f.state == finding_state::warn ? 1 : 0;
  }
  CHECK(failed == 2);
  CHECK(odd == 1);
}

TEST_CASE("hosts without an address fail, private ones are worth a word unless they are allowed") {
  prepared p;
  p.c.outbound.allow_private_addresses = false;
  for (const char* url : {"https://localhost:1", "https://10.1.2.3", "https://[fd00::1]:8282/x"}) {
    p.c.cell.protocol_url = p.c.cell.signaling_url = p.c.cell.public_url = p.c.issuer = url;
    const auto found = check_hosts(p.c);
    REQUIRE(found.size() == 1);
    CHECK_MESSAGE(found[0].state == finding_state::warn, url);
  }
  p.c.cell.protocol_url = p.c.cell.signaling_url = p.c.cell.public_url = p.c.issuer = "https://192.0.2.1:8282";
  CHECK(check_hosts(p.c).at(0).state == finding_state::ok);
  p.c.issuer = "no url";
  CHECK(check_hosts(p.c).at(0).state == finding_state::fail);
}

TEST_CASE("a NATS server is one that greets, and its credentials are not shown") {
  prepared p;
  p.c.broker = "nats";
  const door silent;
  p.c.nats.url = "nats://user:hidden@" + silent.at;
  const auto found = check_partners(p.c);
  REQUIRE(find(found, "broker") != nullptr);
  CHECK(find(found, "broker")->state == finding_state::fail);
  CHECK(find(found, "broker")->detail.find("hidden") == std::string::npos);
  CHECK(find(found, "broker")->detail.find(silent.at) != std::string::npos);
}

TEST_CASE("a trusted issuer's malformed DID fails") {
  prepared p;
  p.c.trusted_issuers = {{"did:web:issuer.example", {"*"}, {}}, {"did:web:", {"*"}, {}}};
  const auto found = check_partners(p.c);
  REQUIRE(found.size() == 2);
  CHECK(found[0].state == finding_state::ok);
  CHECK(found[1].state == finding_state::fail);
}

TEST_CASE("findings are printed a line each, or as one JSON object") {
  const std::vector<finding> all{{"a", finding_state::ok, "Fine.", ""},
                                 {"b", finding_state::fail, "Broken.", "Mend it."}};
  CHECK(findings_text(all, false) == "ok    a: Fine.\nFAIL  b: Broken.\n      -> Mend it.\n");
  const auto read = json::parse(findings_text(all, true));
  REQUIRE(read.has_value());
  CHECK(json::boolean_at(read->get_object(), "ok") == false);
  const auto& checks = read->get_object().at("checks").get_array();
  REQUIRE(checks.size() == 2);
  CHECK(json::string_at(checks[1].get_object(), "state") == "fail");
  CHECK(json::string_at(checks[1].get_object(), "cure") == "Mend it.");
  CHECK_FALSE(checks[0].get_object().contains("cure"));
}
