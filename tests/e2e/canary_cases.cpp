#include <algorithm>
#include <filesystem>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

// A secret that looks like nothing else, with its names in other clothes.
struct canary {
  std::string place;
  std::string secret;
};

// 64 hexadecimal digits, as keys and client secrets have them.
std::string distinctive() { return "cafe" + random_hex(28) + "f00d"; }

std::vector<std::string> disguises(const std::string& secret) {
  std::vector<std::string> all{secret, base64url(secret), hex(secret)};
  auto upper = secret;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  all.push_back(upper);
  if (secret.size() == 64 && secret.find_first_not_of("0123456789abcdef") == std::string::npos) {
    std::string bytes;
    for (size_t i = 0; i < secret.size(); i += 2)
      bytes += static_cast<char>(std::stoi(secret.substr(i, 2), nullptr, 16));
    all.push_back(bytes);
  }
  return all;
}

void check_absent(const std::vector<canary>& all, const std::string& where, const std::string& text) {
  for (const auto& c : all)
    for (const auto& one : disguises(c.secret))
      check(text.find(one) == std::string::npos, "the " + c.place + " shows in " + where);
}

// Two nodes of its own, one of which holds a canary at every secret's place, and everything that it ever answered.
class canary_world {
public:
  explicit canary_world(bed& b)
      : folder_(b.fresh_folder()), provider_(options(b, "provider", kek_, admin_secret_), folder_ + "/provider"),
        acme_{provider_, "acme", "did:web:acme.example", good_attributes}, admin_(provider_) {
    source_.behave([this](const delivery& d) {
      auto given = d.header("X-Api-Key");
      return given == auth_code_ ? http::reply{200, "the data", {}, false} : http::reply{401, "who?", {}, false};
    });
    provider_.start();
  }

  void publish_all() {
    add_organisation(admin_, acme_);
    trust(admin_, acme_, "peer", peer_identity, good_attributes, accepts_, presents_);
    add_data_plane(admin_, acme_);
    json::object address{{"type", "HttpData"},
                         {"baseUrl", source_.root() + "/data"},
                         {"authKey", "X-Api-Key"},
                         {"authCode", auth_code_}};
    publish(admin_, acme_, "dataset-1", address, policy("attribute.membership", "active"),
            policy("attribute.region", "eu"));
  }

  // Negotiates and transfers as a counterparty; gives what it was sent to pull with.
  access transfer() {
    peer_negotiation n({acme_.dsp(), accepts_}, other_);
    auto agreement = text_at(n.finish("dataset-1"), "@id");
    for (const auto& d : other_.seen())
      check_equal("the token that a counterparty is presented", d.authorization, "Bearer " + presents_);
    auto m = message("TransferRequestMessage");
    m["agreementId"] = agreement;
    m["consumerPid"] = "urn:uuid:" + random_uuid();
    m["format"] = transfer_type;
    m["callbackAddress"] = other_.base();
    keep(n.to().post("/transfers/request", m));
    auto start = other_.await("/transfers/" + text_at(m, "consumerPid") + "/start").message();
    auto where = object_at(start, "dataAddress");
    access a{text_at(where, "endpoint"), ""};
    for (const auto& p : array_at(where, "endpointProperties"))
      if (text_at(p.as_object(), "name") == "authorization")
        a.authorization = text_at(p.as_object(), "value");
    check(!a.authorization.empty(), "a start message has no token: " + json::serialize(start));
    pulled_with_ = a.authorization;
    auto got = send("GET", a.endpoint, {{"Authorization", a.authorization}});
    check_equal("what was pulled from the source", got.body, "the data");
    return a;
  }

  // Every kind of wrong request with a canary in it, and every read that is near one.
  void provoke(const access& a) {
    auto asset = acme_.path("/assets/dataset-1");
    for (const auto& path : {asset, acme_.path("/config"), std::string("/participants")})
      keep(admin_.send("GET", path, std::string()));
    for (const auto& path : {acme_.path("/assets/request"), acme_.path("/contractnegotiations/request"),
                             acme_.path("/contractagreements/request"), acme_.path("/transferprocesses/request")})
      keep(admin_.send("POST", path, std::string()));
    auto token_url = provider_.url("management") + "/oauth2/token";
    http::header_list form{{"Content-Type", "application/x-www-form-urlencoded"}};
    keep(send("POST", token_url, form, "grant_type=client_credentials&client_id=admin&client_secret=" + wrong_));
    keep(send("POST", token_url, form, "grant_type=password&client_id=admin&client_secret=" + admin_secret_));
    keep(send("POST", token_url, form, "client_secret=" + admin_secret_ + "&client_secret=" + admin_secret_));
    keep(send("POST", token_url, form, admin_secret_));
    for (const auto& secret : {wrong_, accepts_, admin_secret_}) {
      http::header_list bearer{{"Authorization", "Bearer " + secret}, {"Content-Type", "application/json"}};
      keep(send("GET", provider_.url("management") + "/api/management/v5beta/participants", bearer));
      keep(send("POST", acme_.dsp() + "/catalog/request", bearer, json::serialize(json::object{{"a", secret}})));
      keep(send("GET", a.endpoint, {{"Authorization", secret}}));
    }
    auto config = managed("ParticipantContextConfig");
    config["entries"] = json::object();
    config["privateEntries"] = json::object{{"some.secret", json::array{wrong_}}};
    keep(admin_.send("PATCH", acme_.path("/config"), config));
    keep(admin_.send("PATCH", acme_.path("/config"), "{\"privateEntries\":{\"a\":\"" + wrong_ + "\""));
    auto broken = managed("Asset");
    broken["@id"] = "broken";
    broken["dataAddress"] = json::object{{"type", 7}, {"authCode", wrong_}};
    keep(admin_.send("POST", acme_.path("/assets"), broken));
    keep({200, {}, send("GET", provider_.url("observability") + "/metrics", {}).body});
    for (const char* verb : {"ps", "tree"})
      kept_ += provider_.ctl({"--json", verb}).out;
    const auto rows = json::parse(provider_.ctl({"--json", "ps"}).out).as_array();
    for (const auto& row : rows)
      for (const char* verb : {"show", "history", "why"})
        kept_ += provider_.ctl({"--json", verb, text_at(row.as_object(), "id")}).out;
  }

  void check_all() {
    check_absent(all(), "an answer or a page of metrics", kept_);
    check_absent(all(), "the log", provider_.log());
    check(provider_.log().find("\"category\":\"dsp\"") != std::string::npos, "the log has no line about a DSP message");
    auto arguments = read_file("/proc/" + std::to_string(provider_.pid()) + "/cmdline");
    check_absent(all(), "the process's arguments", arguments);
    check_absent(all(), "the database", provider_.database().contents());
    auto agreed = provider_.database().contents().find("dataset-1");
    check(agreed != std::string::npos, "the database's contents were not read");
    check_equal("the exit code of the node", provider_.stop(), 0);
    check_absent(all(), "the database after the end", provider_.database().contents());
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_)) {
      auto name = file.path().filename().string();
      if (file.is_regular_file() && name != "fondaco.key" && !name.ends_with(".secret"))
        check_absent(all(), "the file " + name, read_file(file.path().string()));
    }
  }

private:
  static node_options options(const bed& b, const std::string& name, const std::string& key,
                              const std::string& secret) {
    node_options o;
    o.name = name;
    o.kind = b.kind();
    o.log_level = "debug";
    o.key = key;
    o.admin_secret = secret;
    return o;
  }
  void keep(const answer& a) {
    for (const auto& [name, value] : a.headers)
      kept_ += name + ": " + value + "\n";
    kept_ += a.body + "\n";
  }
  std::vector<canary> all() const {
    std::vector<canary> out{{"key-encryption key", kek_},
                            {"secret of the client admin", admin_secret_},
                            {"token that a counterparty presents", accepts_},
                            {"token that a counterparty is presented", presents_},
                            {"source's authCode", auth_code_},
                            {"secret in a wrong request", wrong_}};
    if (!pulled_with_.empty())
      out.push_back({"token of a pull", pulled_with_});
    return out;
  }

  std::string folder_;
  std::string kek_ = distinctive();
  std::string admin_secret_ = distinctive();
  std::string accepts_ = distinctive();
  std::string presents_ = distinctive();
  std::string auth_code_ = "canary-authcode-" + random_hex(16);
  std::string wrong_ = "canary-wrong-" + random_hex(24);
  std::string pulled_with_;
  std::string kept_;
  peer source_;
  peer other_;
  node provider_;
  organisation acme_;
  management admin_;
};

void hide_secrets(bed& b) {
  canary_world w(b);
  w.publish_all();
  auto a = w.transfer();
  w.provoke(a);
  w.check_all();
}

// The consumer's side: what it received is a secret too.
void hide_received(bed& b) {
  auto& w = b.shared();
  auto agreement = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, "dataset-1")), "@id");
  auto transfer = start_transfer(w, w.globex, w.acme, agreement);
  auto a = access_of(w, w.globex, transfer);
  check_equal("the status of a pull", running_pull(a.endpoint, a.authorization).status(), 200);
  std::vector<canary> all{{"token of a pull", a.authorization},
                          {"token that a counterparty is presented", w.peer_is_presented},
                          {"consumer's key-encryption key", w.consumer.key()},
                          {"provider's key-encryption key", w.provider.key()},
                          {"secret of the consumer's admin", w.consumer.secret("admin")},
                          {"secret of the provider's admin", w.provider.secret("admin")},
                          {"management token", w.consumer_admin.token()}};
  for (const auto* n : {&w.consumer, &w.provider}) {
    check_absent(all, "the log of the " + n->name(), n->log());
    check_absent(all, "the database of the " + n->name(), n->database().contents());
    check_absent(all, "the metrics of the " + n->name(), send("GET", n->url("observability") + "/metrics", {}).body);
  }
  for (const char* verb : {"show", "history", "why"})
    check_absent(all, std::string("ctl ") + verb, w.consumer.ctl({"--json", verb, transfer}).out);
  auto shown = w.consumer_admin.send("GET", w.globex.path("/transferprocesses/" + transfer), std::string());
  check_absent(all, "the transfer as the management API shows it", shown.body);
}

} // namespace

cases canary_cases() {
  return {{"a canary at every secret's place shows in no answer, log, metric, argument or database", hide_secrets},
          {"a token that a consumer received shows in no log, metric or database of either side", hide_received}};
}

} // namespace fondaco::e2e
