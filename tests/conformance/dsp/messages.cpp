#include "conformance/dsp/messages.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <random>

namespace fondaco::conformance::dsp {

namespace {

json::object base(std::string_view type) {
  json::object m;
  m["@context"] = json::array{json::string(context_url)};
  m["@id"] = random_uuid();
  m["@type"] = type;
  return m;
}

json::object with_pids(std::string_view type, std::string_view provider_pid, std::string_view consumer_pid) {
  auto m = base(type);
  m["providerPid"] = provider_pid;
  m["consumerPid"] = consumer_pid;
  return m;
}

json::object policy(std::string_view type, std::string_view id, std::string_view target) {
  json::object p;
  p["@id"] = id;
  p["@type"] = type;
  p["target"] = target;
  p["permission"] = json::array{json::object{{"action", "use"}}};
  return p;
}

} // namespace

std::string random_uuid() {
  static std::mutex guard;
  static std::mt19937_64 source{std::random_device{}()};
  std::lock_guard lock(guard);
  auto high = (source() & ~0xf000ULL) | 0x4000ULL;
  auto low = (source() & ~(3ULL << 62)) | (1ULL << 63);
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>((high >> 16) & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text.data();
}

std::string now_instant() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::array<char, 48> text{};
  auto n = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + n, text.size() - n, ".%09ldZ", now.tv_nsec);
  return text.data();
}

json::object initial_request(std::string_view consumer_pid, std::string_view offer_id, std::string_view dataset_id,
                             std::string_view callback_address) {
  auto m = base("ContractRequestMessage");
  m["consumerPid"] = consumer_pid;
  m["offer"] = policy("Offer", offer_id, dataset_id);
  m["callbackAddress"] = callback_address;
  return m;
}

json::object counter_request(std::string_view provider_pid, std::string_view consumer_pid, std::string_view offer_id,
                             std::string_view dataset_id) {
  auto m = with_pids("ContractRequestMessage", provider_pid, consumer_pid);
  auto offer = policy("Offer", offer_id, dataset_id);
  offer["assignee"] = tck_participant;
  m["offer"] = std::move(offer);
  return m;
}

json::object offer_message(std::string_view provider_pid, std::string_view consumer_pid, std::string_view offer_id,
                           std::string_view dataset_id, std::string_view assignee) {
  auto m = with_pids("ContractOfferMessage", provider_pid, consumer_pid);
  auto offer = policy("Offer", offer_id, dataset_id);
  offer["assignee"] = assignee;
  offer["assigner"] = tck_participant;
  m["offer"] = std::move(offer);
  return m;
}

json::object agreement_message(std::string_view provider_pid, std::string_view consumer_pid,
                               std::string_view agreement_id, std::string_view dataset_id, std::string_view assignee) {
  auto m = with_pids("ContractAgreementMessage", provider_pid, consumer_pid);
  auto agreement = policy("Agreement", agreement_id, dataset_id);
  agreement["timestamp"] = now_instant();
  agreement["assignee"] = assignee;
  agreement["assigner"] = tck_participant;
  m["agreement"] = std::move(agreement);
  return m;
}

json::object transfer_request(std::string_view consumer_pid, std::string_view agreement_id, std::string_view format,
                              std::string_view callback_address) {
  auto m = base("TransferRequestMessage");
  m["consumerPid"] = consumer_pid;
  m["agreementId"] = agreement_id;
  m["format"] = format;
  m["callbackAddress"] = callback_address;
  return m;
}

json::object transfer_start(std::string_view provider_pid, std::string_view consumer_pid, bool with_address) {
  auto m = with_pids("TransferStartMessage", provider_pid, consumer_pid);
  if (with_address) {
    m["dataAddress"] = json::object{{"@type", "DataAddress"},
                                    {"endpoint", "http://example.com"},
                                    {"endpointType", "https://w3id.org/idsa/v4.1/HTTP"}};
  }
  return m;
}

json::object catalog_request() { return base("CatalogRequestMessage"); }

json::object pid_message(std::string_view type, std::string_view provider_pid, std::string_view consumer_pid) {
  return with_pids(type, provider_pid, consumer_pid);
}

json::object event_message(std::string_view provider_pid, std::string_view consumer_pid, std::string_view event_type) {
  auto m = with_pids("ContractNegotiationEventMessage", provider_pid, consumer_pid);
  m["eventType"] = event_type;
  return m;
}

json::object coded_message(std::string_view type, std::string_view provider_pid, std::string_view consumer_pid,
                           std::string_view code) {
  auto m = with_pids(type, provider_pid, consumer_pid);
  m["code"] = code;
  return m;
}

json::object process_message(std::string_view type, std::string_view provider_pid, std::string_view consumer_pid,
                             std::string_view state) {
  auto m = with_pids(type, provider_pid, consumer_pid);
  m["state"] = state;
  return m;
}

json::object negotiation_webhook(std::string_view dataset_id, std::string_view address) {
  return {{"providerId", tck_participant},
          {"offerId", "offer" + std::string(dataset_id)},
          {"datasetId", dataset_id},
          {"connectorAddress", address}};
}

json::object transfer_webhook(std::string_view agreement_id, std::string_view format, std::string_view address) {
  return {{"providerId", tck_participant},
          {"agreementId", agreement_id},
          {"format", format},
          {"connectorAddress", address}};
}

} // namespace fondaco::conformance::dsp
