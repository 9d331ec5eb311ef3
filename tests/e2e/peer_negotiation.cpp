#include <atomic>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

size_t peer_negotiation::serial() {
  static std::atomic<size_t> last{0};
  return ++last;
}

json::object peer_negotiation::offer(const std::string& asset) const {
  auto got = to_.post("/catalog/request", message("CatalogRequestMessage"));
  check(got.status == 200, "the catalog was answered " + std::to_string(got.status) + ": " + got.body);
  for (const auto& d : array_at(got.object(), "dataset")) {
    auto offers = array_at(d.as_object(), "hasPolicy");
    if (text_at(d.as_object(), "@id") != asset || offers.empty())
      continue;
    auto found = offers.front().as_object();
    check(!found.contains("target"), "an offer in a catalog has a target: " + json::serialize(found));
    found["@type"] = "Offer";
    found["target"] = asset;
    return found;
  }
  throw failed("the catalog has no offer for " + asset + ": " + got.body);
}

json::object peer_negotiation::request(const std::string& asset) const {
  auto m = message("ContractRequestMessage");
  m["consumerPid"] = consumer_pid_;
  m["callbackAddress"] = callbacks_.base();
  m["offer"] = offer(asset);
  return m;
}

void peer_negotiation::begin(const std::string& asset) {
  auto got = to_.post("/negotiations/request", request(asset));
  check(got.status == 201, "a contract request was answered " + std::to_string(got.status) + ": " + got.body);
  auto process = got.object();
  check_equal("@type", text_at(process, "@type"), "ContractNegotiation");
  check_equal("consumerPid", text_at(process, "consumerPid"), consumer_pid_);
  check_equal("state", text_at(process, "state"), "REQUESTED");
  provider_pid_ = text_at(process, "providerPid");
  check(!provider_pid_.empty(), "the answer to a contract request has no providerPid");
}

delivery peer_negotiation::await(const std::string& path_end, size_t count) const {
  return callbacks_.await("/negotiations/" + consumer_pid_ + path_end, count);
}

answer peer_negotiation::send(std::string_view type, const std::string& rest, const json::object& more) const {
  auto m = message(type, consumer_pid_, provider_pid_);
  for (const auto& [name, value] : more)
    m[name] = value;
  return to_.post("/negotiations/" + provider_pid_ + rest, m);
}

json::object peer_negotiation::finish(const std::string& asset) {
  begin(asset);
  auto agreement = object_at(await("/agreement").message(), "agreement");
  await_state("AGREED");
  auto verified = verify();
  check(verified.status == 200, "the verification was answered " + std::to_string(verified.status));
  auto event = await("/events").message();
  check_equal("eventType", text_at(event, "eventType"), "FINALIZED");
  await_state("FINALIZED");
  return agreement;
}

std::string peer_negotiation::state() const {
  auto got = to_.get("/negotiations/" + provider_pid_);
  check(got.status == 200, "a negotiation's state was answered " + std::to_string(got.status) + ": " + got.body);
  return text_at(got.object(), "state");
}

void peer_negotiation::await_state(const std::string& expected) const {
  wait_for("the provider's negotiation to be " + expected, [&](std::string& saw) -> std::optional<bool> {
    saw = state();
    return saw == expected ? std::optional(true) : std::nullopt;
  });
}

} // namespace fondaco::e2e
