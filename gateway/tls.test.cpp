#include <cstdio>
#include <memory>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "actors/ports/log.hpp"
#include "gateway/loopback.test.hpp"

using namespace fondaco;
using namespace fondaco::gateway;
using namespace fondaco::gateway::loopback;
using actors::exchange_errc;

namespace {

template <auto F> struct freed_by {
  template <class T> void operator()(T* p) const { F(p); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using cert_ptr = std::unique_ptr<X509, freed_by<X509_free>>;

/// An authority made for one test, and what it certifies, as PEM files in a folder of its own.
class authority {
public:
  authority() : key_(EVP_EC_gen("P-256")) {
    REQUIRE(::mkdtemp(folder_.data()) != nullptr);
    cert_ = certify(key_.get(), "Test Authority", {}, days(30));
    write("ca.pem", cert_.get(), nullptr);
  }
  ~authority() {
    for (const auto& f : files_)
      ::unlink(f.c_str());
    ::rmdir(folder_.c_str());
  }
  std::string file() const { return folder_ + "/ca.pem"; }

  /// A key and a certificate for `DNS:...` or `IP:...` names; a negative time makes one that is over.
  tls_options certificate(const std::string& name, const std::string& san, long valid_seconds = days(30)) {
    const key_ptr key(EVP_EC_gen("P-256"));
    const auto cert = certify(key.get(), name, san, valid_seconds);
    write(name + ".pem", cert.get(), nullptr);
    write(name + ".key", nullptr, key.get());
    return {folder_ + '/' + name + ".pem", folder_ + '/' + name + ".key"};
  }

private:
  static constexpr long days(long n) { return n * 86'400; }

  static void extend(X509* cert, X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    REQUIRE(extension != nullptr);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
  }

  cert_ptr certify(EVP_PKEY* key, const std::string& name, const std::string& san, long valid_seconds) {
    cert_ptr cert(X509_new());
    X509_set_version(cert.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), days(-10));
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), valid_seconds);
    X509_set_pubkey(cert.get(), key);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC, text, -1, -1, 0);
    auto* issuer = cert_ ? cert_.get() : cert.get();
    X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer));
    extend(cert.get(), issuer, NID_basic_constraints, cert_ ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (!san.empty())
      extend(cert.get(), issuer, NID_subject_alt_name, san);
    REQUIRE(X509_sign(cert.get(), key_.get(), EVP_sha256()) > 0);
    return cert;
  }

  void write(const std::string& name, X509* cert, EVP_PKEY* key) {
    const auto path = folder_ + '/' + name;
    auto* f = std::fopen(path.c_str(), "w");
    REQUIRE(f != nullptr);
    if (cert != nullptr)
      PEM_write_X509(f, cert);
    if (key != nullptr)
      PEM_write_PrivateKey(f, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(f);
    files_.push_back(path);
  }

  std::string folder_ = "/tmp/fondaco-tls-XXXXXX";
  std::vector<std::string> files_;
  long serial_ = 0;
  key_ptr key_;
  cert_ptr cert_;
};

struct tls_node {
  explicit tls_node(tls_options tls) {
    listener_options o;
    o.name = "tls";
    o.bind = "127.0.0.1:0";
    o.tls = std::move(tls);
    o.header_timeout_ms = milliseconds{300};
    router r;
    r.add("GET", "/", answering("secure"));
    r.add("GET", "/stream", [](std::shared_ptr<const request>) -> task<response> {
      response out;
      out.stream = std::make_shared<pieces>(100'000, 30);
      co_return out;
    });
    r.add("GET", "/broken", [](std::shared_ptr<const request>) -> task<response> {
      response out;
      out.stream = std::make_shared<broken>();
      co_return out;
    });
    const auto bound = web.listen(o, std::move(r));
    REQUIRE(bound);
    port = std::to_string(*bound);
  }
  actors::http_result get(const std::string& host, const std::string& ca_file, const std::string& path = "/") {
    client_options o;
    o.allow_private_addresses = true;
    o.ca_file = ca_file;
    client c(web, o);
    actors::http_call what;
    what.url = "https://" + host + ':' + port + path;
    return call(c, what);
  }
  server web{2};
  std::string port;
};

} // namespace

TEST_CASE("a peer whose certificate is vouched for and carries its name is called over TLS") {
  authority ca;
  tls_node n(ca.certificate("localhost", "DNS:localhost,IP:127.0.0.1"));
  for (const std::string host : {"localhost", "LOCALHOST", "127.0.0.1"}) {
    const auto got = n.get(host, ca.file());
    REQUIRE(got);
    CHECK(got->body == "secure");
  }
  const auto streamed = n.get("localhost", ca.file(), "/stream");
  REQUIRE(streamed);
  CHECK(streamed->body.size() == 3'000'000);
}

TEST_CASE("a wrong name, an unknown authority, and a certificate that is over mean no connection") {
  authority ca;
  authority other;
  tls_node named(ca.certificate("elsewhere", "DNS:elsewhere.example,DNS:*.localhost"));
  tls_node good(ca.certificate("localhost", "DNS:localhost"));
  tls_node over(ca.certificate("late", "DNS:localhost", -3'600));
  const auto refused = [](const actors::http_result& r) { return !r && r.error() == exchange_errc::not_connected; };
  CHECK(refused(named.get("localhost", ca.file())));
  CHECK(refused(good.get("127.0.0.1", ca.file())));
  CHECK(refused(good.get("localhost", other.file())));
  CHECK(refused(good.get("localhost", "")));
  CHECK(refused(over.get("localhost", ca.file())));
  CHECK(good.get("localhost", ca.file()));
  CHECK(named.web.counters().at(0).requests == 0);
}

TEST_CASE("kept TLS connections are used again") {
  authority ca;
  tls_node n(ca.certificate("localhost", "DNS:localhost"));
  client_options o;
  o.allow_private_addresses = true;
  o.ca_file = ca.file();
  client c(n.web, o);
  actors::http_call what;
  what.url = "https://localhost:" + n.port + "/";
  for (int i = 0; i < 10; ++i)
    REQUIRE(call(c, what));
  CHECK(n.web.counters().at(0).connections == 1);
}

TEST_CASE("a stream that breaks under TLS is no answer") {
  authority ca;
  tls_node n(ca.certificate("localhost", "DNS:localhost"));
  const auto got = n.get("localhost", ca.file(), "/broken");
  REQUIRE(!got);
  CHECK(got.error() == exchange_errc::no_answer);
}

TEST_CASE("a handshake that never ends, or is none, is cut at the header's deadline") {
  authority ca;
  tls_node n(ca.certificate("localhost", "DNS:localhost"));
  auto silent = raw::to(static_cast<uint16_t>(std::stoi(n.port)));
  CHECK(silent.read_all() == "");
  CHECK(n.web.counters().at(0).timeouts == 1);
  auto plain = raw::to(static_cast<uint16_t>(std::stoi(n.port)));
  REQUIRE(plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(plain.read_all().find("HTTP/1.1 200") == std::string::npos);
}

TEST_CASE("TLS before 1.2 is not spoken, 1.3 is") {
  authority ca;
  tls_node n(ca.certificate("localhost", "DNS:localhost"));
  for (const auto& [version, works] :
       {std::pair{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}}) {
    const std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_security_level(context.get(), 0);
    const std::unique_ptr<BIO, freed_by<BIO_free_all>> connection(BIO_new_ssl_connect(context.get()));
    BIO_set_conn_hostname(connection.get(), ("127.0.0.1:" + n.port).c_str());
    CHECK((BIO_do_handshake(connection.get()) == 1) == works);
  }
}

TEST_CASE("a certificate or key that cannot be used keeps the listener shut and says which") {
  authority ca;
  const auto one = ca.certificate("one", "DNS:localhost");
  const auto two = ca.certificate("two", "DNS:localhost");
  server web(1);
  for (const auto& [cert, key, why] :
       std::vector<std::array<std::string, 3>>{{"/nonexistent.pem", one.key_file, "/nonexistent.pem"},
                                               {one.certificate_file, "/nonexistent.key", "/nonexistent.key"},
                                               {one.certificate_file, "", "key"},
                                               {one.certificate_file, two.key_file, two.key_file}}) {
    listener_options o;
    o.bind = "127.0.0.1:0";
    o.tls = {cert, key};
    const auto bound = web.listen(o, {});
    REQUIRE(!bound);
    CHECK(bound.error().detail.find(why) != std::string::npos);
  }
}

TEST_CASE("reloaded certificates count for new connections, and those that are open go on") {
  authority before;
  authority after;
  tls_node n(before.certificate("localhost", "DNS:localhost"));
  client_options o;
  o.allow_private_addresses = true;
  o.ca_file = before.file();
  client kept(n.web, o);
  actors::http_call what;
  what.url = "https://localhost:" + n.port + "/";
  REQUIRE(call(kept, what));
  REQUIRE(n.web.reload_tls({{"tls", after.certificate("localhost", "DNS:localhost")}, {"not there", {}}}));
  CHECK(call(kept, what));
  CHECK(n.web.counters().at(0).connections == 1);
  CHECK(n.get("localhost", after.file()));
  CHECK_FALSE(n.get("localhost", before.file()));
}

TEST_CASE("certificates that cannot be used are refused whole, and what was there stays") {
  authority ca;
  authority other;
  const auto good = ca.certificate("localhost", "DNS:localhost");
  tls_node n(good);
  listener_options plain;
  plain.name = "plain";
  plain.bind = "127.0.0.1:0";
  REQUIRE(n.web.listen(plain, {}));
  const auto fresh = other.certificate("localhost", "DNS:localhost");
  for (const auto& [tls, plain_now] :
       std::vector<std::pair<tls_options, tls_options>>{{{"/nonexistent.pem", good.key_file}, {}},
                                                        {{good.certificate_file, fresh.key_file}, {}},
                                                        {{}, {}},
                                                        {fresh, fresh}}) {
    const auto done = n.web.reload_tls({{"tls", tls}, {"plain", plain_now}});
    REQUIRE(!done);
    CHECK(done.error().code == "tls_refused");
    CHECK(n.get("localhost", ca.file()));
  }
}

TEST_CASE("a client with an unreadable file of authorities says so and trusts nobody new") {
  std::vector<std::string> lines;
  redirect_log([&](const log_line& l) { lines.push_back(l.message); });
  authority ca;
  {
    tls_node n(ca.certificate("localhost", "DNS:localhost"));
    const auto got = n.get("localhost", "/nonexistent.pem");
    REQUIRE(!got);
    CHECK(got.error() == exchange_errc::not_connected);
  }
  redirect_log({});
  CHECK(lines.size() == 1);
}
