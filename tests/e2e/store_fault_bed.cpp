#include "e2e/store_fault_bed.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr size_t data_bytes = 4096;
// Random, so that no store makes it smaller.
constexpr size_t note_bytes = 2000;

std::string place_of(const peer_negotiation& n, const std::string& rest) {
  return "/negotiations/" + n.consumer_pid() + rest;
}

http::reply refuse_agreements(const delivery& d) {
  return d.path.ends_with("/agreement") ? http::reply{503, {}, {}, false} : peer::well()(d);
}

void check_retry(const std::string& what, const answer& got) {
  check(got.status == 503, what + " was answered " + std::to_string(got.status) + ": " + got.body);
  check(std::atoi(got.header("Retry-After").c_str()) > 0, what + " was answered 503 without a Retry-After");
}

// Whether a process, whose `status` file this is, has a tracer.
bool is_traced(const std::string& status) {
  std::ifstream lines(status);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("TracerPid:"))
      return std::atoi(line.c_str() + std::string_view("TracerPid:").size()) != 0;
  return false;
}

} // namespace

std::string shop::random_token() { return random_hex(32); }

node_options shop::options(const bed& b, const std::string& folder) {
  node_options o;
  o.name = "shop";
  o.kind = b.kind();
  o.file_roots = {folder};
  return o;
}

shop::shop(bed& b, const std::string& store_url)
    : folder_(b.fresh_folder()), node_(options(b, folder_), folder_ + "/shop"),
      acme_{node_, "acme", "did:web:acme.example", good_attributes}, admin_(node_) {
  std::filesystem::create_directories(folder_ + "/acme");
  write_private(data_file_, random_bytes(data_bytes));
  // A short deadline for commands, so that a silent store is told to its callers soon.
  auto config = replaced(read_file(node_.config_file()), "[limits]\n", "[limits]\ncommand_timeout_ms = 3000\n");
  if (!store_url.empty())
    config = replaced(config, node_.database().url(), store_url);
  write_private(node_.config_file(), replaced(config, "[store]\n", "[store]\nstatement_timeout_ms = 1000\n"));
  node_.start();
  settle();
}

void shop::settle() {
  add_organisation(admin_, acme_);
  trust(admin_, acme_, "peer", peer_identity, good_attributes, token_, random_hex(32));
  add_data_plane(admin_, acme_);
  auto members = policy("attribute.membership", "active");
  publish(admin_, acme_, "dataset-1", file_address(data_file_), members, members);
  peer_negotiation agreed({acme_.dsp(), token_}, other_);
  auto request = message("TransferRequestMessage");
  request["agreementId"] = text_at(agreed.finish("dataset-1"), "@id");
  request["consumerPid"] = "urn:uuid:" + random_uuid();
  request["format"] = transfer_type;
  request["callbackAddress"] = other_.base();
  auto got = agreed.to().post("/transfers/request", request);
  check_equal("the status of a transfer request", got.status, 201);
  transfer_pid_ = text_at(got.object(), "providerPid");
  agreed_provider_pid_ = agreed.provider_pid();
  auto started = other_.await("/transfers/" + text_at(request, "consumerPid") + "/start");
  auto where = object_at(started.message(), "dataAddress");
  pull_.endpoint = text_at(where, "endpoint");
  for (const auto& p : array_at(where, "endpointProperties"))
    if (text_at(p.as_object(), "name") == "authorization")
      pull_.authorization = text_at(p.as_object(), "value");
  other_.behave(refuse_agreements);
  owed_ = std::make_unique<peer_negotiation>(dsp_client(acme_.dsp(), token_), other_);
  owed_->begin("dataset-1");
  owed_->await("/agreement");
}

void shop::finish_owed() {
  open_peer();
  owed_->await_state("AGREED");
  check_equal("the status of the verification", owed_->verify().status, 200);
  owed_->await("/events");
  owed_->await_state("FINALIZED");
  check_one_body_per_id(other_.seen(place_of(*owed_, "/agreement")));
}

int shop::readiness() const { return send("GET", node_.url("observability") + "/api/check/readiness", {}).status; }

void shop::await_readiness(int status) const {
  wait_for("readiness to be " + std::to_string(status), [&](std::string& saw) -> std::optional<bool> {
    auto got = send("GET", node_.url("observability") + "/api/check/readiness", {});
    saw = got.body;
    return got.status == status ? std::optional(true) : std::nullopt;
  });
}

double shop::metric(const std::string& name) const {
  auto text = "\n" + send("GET", node_.url("observability") + "/metrics", {}).body;
  auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + name.size() + 2, nullptr);
}

void shop::check_refused_everywhere(bool reads_too) {
  auto asset = managed("Asset");
  asset["properties"] = json::object{{"name", "refused"}, {"note", random_hex(10 * note_bytes)}};
  check_retry("a new asset", admin_.send("POST", acme_.path("/assets"), asset));
  dsp_client dsp(acme_.dsp(), token_);
  auto end = message("TransferTerminationMessage", "urn:uuid:" + random_uuid(), transfer_pid_);
  end["code"] = "refused";
  auto query = managed("QuerySpec");
  if (!reads_too) {
    check_equal("the status of an asset that can be read",
                admin_.send("GET", acme_.path("/assets/dataset-1"), std::string()).status, 200);
    check_equal("the status of a catalog that can be read",
                dsp.post("/catalog/request", message("CatalogRequestMessage")).status, 200);
    return;
  }
  check_retry("the end of a transfer", dsp.post("/transfers/" + transfer_pid_ + "/termination", end));
  check_retry("an asset", admin_.send("GET", acme_.path("/assets/dataset-1"), std::string()));
  check_retry("a list of assets", admin_.send("POST", acme_.path("/assets/request"), query));
  check_retry("a list of negotiations", admin_.send("POST", acme_.path("/contractnegotiations/request"), query));
  check_retry("a participant context", admin_.send("GET", acme_.path(""), std::string()));
  check_retry("a catalog", dsp.post("/catalog/request", message("CatalogRequestMessage")));
  check_retry("a negotiation", dsp.get("/negotiations/" + agreed_provider_pid_));
  check_retry("a pull", send("GET", pull_.endpoint, {{"Authorization", pull_.authorization}}));
  const auto signaling = node_.url("signaling");
  check_retry("a data flow", send("GET", signaling + "/api/dataplane/acme/dataflows/" + random_uuid() + "/status", {}));
  const auto transfer = transfer_pid_.substr(transfer_pid_.rfind(':') + 1);
  check_retry("an agreement for a data plane",
              send("GET", signaling + "/api/signaling/transfers/" + transfer + "/agreement", {}));
  const std::string form = "grant_type=client_credentials&client_id=nobody&client_secret=nothing";
  check_retry("a token for a client in the store", send("POST", node_.url("management") + "/oauth2/token",
                                                        {{"Content-Type", "application/x-www-form-urlencoded"}}, form));
}

writers::writers(shop& at, size_t count) : shop_(at), token_(at.admin().token()) {
  for (size_t i = 0; i < count; ++i)
    callers_.emplace_back([this, i] { write(i); });
}

writers::~writers() {
  ending_.store(true);
  for (auto& c : callers_)
    if (c.joinable())
      c.join();
}

void writers::write(size_t caller) {
  const auto url = shop_.at().url("management") + "/api/management/v5beta" + shop_.acme().path("/assets");
  for (size_t i = 0; !ending_.load(); ++i) {
    const auto id = "kept-" + std::to_string(caller) + "-" + std::to_string(i);
    const auto note = random_hex(note_bytes / 2);
    auto asset = managed("Asset");
    asset["@id"] = id;
    asset["properties"] = json::object{{"note", note}};
    std::string wrong;
    try {
      auto got = send("POST", url, {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + token_}},
                      json::serialize(asset));
      const bool retry = got.status == 503 && std::atoi(got.header("Retry-After").c_str()) > 0;
      if (got.status == 200) {
        const std::lock_guard lock(mutex_);
        kept_.emplace(id, note);
        ++acknowledged_;
      } else if (retry) {
        ++refused_;
      } else {
        wrong = "an asset was answered " + std::to_string(got.status) + ": " + got.body;
      }
    } catch (const failed& f) {
      wrong = f.what();
    }
    if (!wrong.empty()) {
      const std::lock_guard lock(mutex_);
      wrong_.push_back(std::move(wrong));
      return;
    }
  }
}

void writers::await(const char* what, const std::atomic<size_t>& count, size_t more) {
  const auto from = count.load();
  wait_for(what, [&](std::string& saw) -> std::optional<bool> {
    {
      const std::lock_guard lock(mutex_);
      check(wrong_.empty(), wrong_.empty() ? "" : wrong_.front());
    }
    saw = std::to_string(count.load() - from) + " of " + std::to_string(more);
    return count.load() >= from + more ? std::optional(true) : std::nullopt;
  });
}

void writers::await_more(size_t acknowledgements) {
  await("more assets to be acknowledged", acknowledged_, acknowledgements);
}

void writers::await_refused(size_t refusals) { await("more assets to be refused", refused_, refusals); }

void writers::finish() {
  ending_.store(true);
  for (auto& c : callers_)
    c.join();
  check(wrong_.empty(), wrong_.empty() ? "" : wrong_.front());
}

void writers::check_kept() {
  for (const auto& [id, note] : kept_) {
    auto got = shop_.admin().send("GET", shop_.acme().path("/assets/" + id), std::string());
    check(got.status == 200 && got.body.find(note) != std::string::npos,
          "the asset " + id + " was acknowledged, but is answered " + std::to_string(got.status) + ": " + got.body);
  }
}

full_disk::full_disk(const std::vector<pid_t>& of, const std::vector<std::string>& files, const std::string& log) {
  const std::string calls = "pwrite64,pwritev,write,fallocate,ftruncate";
  std::vector<std::string> words{"strace", "-f", "-qq", "-o", log};
  words.insert(words.end(), {"-e", "trace=" + calls, "-e", "inject=" + calls + ":error=ENOSPC"});
  for (auto process : of)
    words.insert(words.end(), {"-p", std::to_string(process)});
  for (const auto& f : files)
    words.insert(words.end(), {"-P", f});
  tracer_.start(words, log + ".said");
  for (auto process : of)
    wait_for("strace to hold process " + std::to_string(process), [&](std::string& saw) -> std::optional<bool> {
      saw = read_file(log + ".said");
      const auto status = "/proc/" + std::to_string(process) + "/status";
      const bool gone = !std::filesystem::exists(status);
      return gone || is_traced(status) ? std::optional(true) : std::nullopt;
    });
}

full_disk::~full_disk() {
  try {
    tracer_.end(SIGINT);
  } catch (const failed&) {
    // it was ended by SIGKILL then, and what it traced goes on
  }
}

} // namespace fondaco::e2e
