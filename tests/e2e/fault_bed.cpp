#include "e2e/fault_bed.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr size_t cargo_bytes = 256u << 10;

} // namespace

fabric& fault_bed::whole(bed& b) {
  if (fabric_ && std::ranges::all_of(fabric_->nodes(), [](const auto& n) { return n->running(); }))
    return *fabric_;
  fabric_.reset();
  other_ = std::make_unique<counterparty>();
  fabric_options o;
  o.kind = b.kind();
  o.split = true;
  o.more = other_->trust_in_issuer() + "[cfm]\nactivity_attempts_max = 5\nactivity_silence_ms = 2000\n";
  fabric_ = std::make_unique<fabric>(b.fresh_folder(), o);
  for (const auto& n : fabric_->nodes())
    write_private(n->config_file(), replaced(read_file(n->config_file()), "did_web_http = true\n",
                                             "did_web_http = true\ndid_timeout_ms = 1000\n"));
  fabric_->start();
  harbour_ = fabric_->begin("harbour");
  globex_ = fabric_->begin("globex");
  fabric_->await_active(harbour_);
  fabric_->await_active(globex_);
  cargo_ = publish_bytes(*fabric_, harbour_, "cargo", cargo_bytes);
  return *fabric_;
}

std::string publish_bytes(fabric& f, const tenancy& t, const std::string& asset, size_t bytes) {
  const auto folder = f.files() + "/" + t.context;
  std::filesystem::create_directories(folder);
  auto contents = random_bytes(bytes);
  write_private(folder + "/" + asset, contents);
  f.publish(t, asset, folder + "/" + asset);
  return contents;
}

std::string why(const node& n, const std::string& id) { return n.ctl({"why", id}).out; }

void await_why(const node& n, const std::string& id, const std::string& sentence) {
  wait_for("why of " + id + " on node " + n.name() + " to say '" + sentence + "'",
           [&](std::string& saw) -> std::optional<bool> {
             saw = why(n, id);
             return saw.find(sentence) != std::string::npos ? std::optional(true) : std::nullopt;
           });
}

std::string orchestration_of(fabric& f, const tenancy& t) {
  constexpr std::string_view before = "It waits for the orchestration ";
  constexpr size_t uuid_chars = 36;
  return wait_for("the orchestration of " + t.name, [&](std::string& saw) -> std::optional<std::string> {
    saw = why(f.cfm(), t.profile);
    const auto at = saw.find(before);
    return at == std::string::npos ? std::nullopt : std::optional(saw.substr(at + before.size(), uuid_chars));
  });
}

void restart(fabric& f, node& n) {
  n.start();
  f.at(n).forget();
}

paused::paused(const node& n) : pid_(n.pid()) { ::kill(pid_, SIGSTOP); }

paused::~paused() { ::kill(pid_, SIGCONT); }

} // namespace fondaco::e2e
