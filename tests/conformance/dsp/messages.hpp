#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace fondaco::conformance::dsp {

namespace json = boost::json;

/// The JSON-LD context of DSP 2025-1.
inline constexpr std::string_view context_url = "https://w3id.org/dspace/2025/1/context.jsonld";
/// The participant id that the kit plays.
inline constexpr std::string_view tck_participant = "TCK_PARTICIPANT";

/// A random version 4 UUID.
std::string random_uuid();
/// The current time, UTC, as `2025-01-01T01:00:00.123456789Z`.
std::string now_instant();

/// The messages that the kit sends (dsp-tck.md, section 8): compacted, each with a random root `@id`.
json::object initial_request(std::string_view consumer_pid, std::string_view offer_id, std::string_view dataset_id,
                             std::string_view callback_address);
json::object counter_request(std::string_view provider_pid, std::string_view consumer_pid, std::string_view offer_id,
                             std::string_view dataset_id);
json::object offer_message(std::string_view provider_pid, std::string_view consumer_pid, std::string_view offer_id,
                           std::string_view dataset_id, std::string_view assignee);
json::object agreement_message(std::string_view provider_pid, std::string_view consumer_pid,
                               std::string_view agreement_id, std::string_view dataset_id, std::string_view assignee);
json::object transfer_request(std::string_view consumer_pid, std::string_view agreement_id, std::string_view format,
                              std::string_view callback_address);
json::object transfer_start(std::string_view provider_pid, std::string_view consumer_pid, bool with_address);
json::object catalog_request();
/// A message of `type` that carries the two pids and nothing else.
json::object pid_message(std::string_view type, std::string_view provider_pid, std::string_view consumer_pid);
/// ContractNegotiationEventMessage.
json::object event_message(std::string_view provider_pid, std::string_view consumer_pid, std::string_view event_type);
/// A termination or suspension: code "1", no reason.
json::object coded_message(std::string_view type, std::string_view provider_pid, std::string_view consumer_pid,
                           std::string_view code = "1");
/// ContractNegotiation or TransferProcess.
json::object process_message(std::string_view type, std::string_view provider_pid, std::string_view consumer_pid,
                             std::string_view state);

/// The bodies of the two webhooks: plain JSON.
json::object negotiation_webhook(std::string_view dataset_id, std::string_view address);
json::object transfer_webhook(std::string_view agreement_id, std::string_view format, std::string_view address);

} // namespace fondaco::conformance::dsp
