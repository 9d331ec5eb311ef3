#include <array>

#include "protocols/dsp/envelope.hpp"
#include "protocols/dsp/timestamp.hpp"
#include "protocols/jsonld/lenient.hpp"
#include "protocols/odrl/canonical.hpp"

namespace fondaco::dsp {

namespace {

using jsonld::fields;
using jsonld::message_errc;
using jsonld::need;

constexpr std::array<std::string_view, 2> event_types{"ACCEPTED", "FINALIZED"};

void read_policy(fields& f, const std::string& message, std::string_view member, negotiation_envelope& out) {
  const auto* raw = f.object(member, need::required);
  if (!raw)
    return;
  auto where = message + ": " + std::string(member);
  auto policy = odrl::canonical_policy(*raw);
  if (!policy) {
    policy.error().detail = where + ": " + policy.error().detail;
    f.refuse(policy.error());
    return;
  }
  const bool is_agreement = member == "agreement";
  const std::string_view type[] = {is_agreement ? "Agreement" : "Offer"};
  fields p(*policy, where);
  p.text("@id", need::required);
  p.one_of("@type", need::required, type);
  p.text("target", need::required);
  p.text("assigner", is_agreement ? need::required : need::optional);
  p.text("assignee", is_agreement ? need::required : need::optional);
  if (auto at = p.text("timestamp", need::optional); !at.empty() && !is_xsd_date_time(at))
    p.refuse(message_errc::wrong_field, "timestamp is not an XSD dateTime; allowed is one, as 2026-01-31T12:00:00Z");
  // The schema takes no empty list, and a policy without any rule demands nothing.
  const auto filled = [&policy](std::string_view name) {
    const auto* rules = json::array_at(*policy, name);
    return rules && !rules->empty();
  };
  if (!filled("permission") && !filled("prohibition"))
    p.refuse(message_errc::missing_field, "permission is missing or empty; required is permission or prohibition");
  if (p.failure())
    f.refuse(*p.failure());
  out.policy = std::move(*policy);
}

/// An opening message has a callback address, one that goes on has the receiver's pid: never both, never none.
void read_address_or_pid(fields& f, std::string_view pid_name, std::string& pid, negotiation_envelope& out) {
  const bool has_pid = f.find(pid_name) != nullptr, has_address = f.find("callbackAddress") != nullptr;
  if (has_pid == has_address) {
    f.refuse(message_errc::exclusive_fields, std::string(pid_name) + " and callbackAddress are " +
                                                 (has_pid ? "both there" : "both missing") +
                                                 "; required is exactly one: callbackAddress to open a negotiation, " +
                                                 std::string(pid_name) + " to go on with one");
    return;
  }
  pid = f.text(pid_name, has_pid ? need::required : need::optional);
  out.callback_address = f.base_url("callbackAddress", has_address ? need::required : need::optional);
}

void read_fields(fields& f, const std::string& message, negotiation_envelope& out) {
  out.message_id = f.text("@id", need::optional);
  switch (out.type) {
  case negotiation_message::request:
    out.consumer_pid = f.text("consumerPid", need::required);
    read_address_or_pid(f, "providerPid", out.provider_pid, out);
    read_policy(f, message, "offer", out);
    return;
  case negotiation_message::offer:
    out.provider_pid = f.text("providerPid", need::required);
    read_address_or_pid(f, "consumerPid", out.consumer_pid, out);
    read_policy(f, message, "offer", out);
    return;
  default: break;
  }
  out.provider_pid = f.text("providerPid", need::required);
  out.consumer_pid = f.text("consumerPid", need::required);
  if (out.type == negotiation_message::agreement)
    read_policy(f, message, "agreement", out);
  if (out.type == negotiation_message::termination) {
    out.code = f.scalar("code", need::optional);
    out.reasons = f.texts("reason", need::optional);
  }
}

std::expected<negotiation_envelope, fault> read(const json::value& body, negotiation_message type, bool either_event) {
  const std::string message(name_of(type));
  auto root = read_root(body, message);
  if (!root)
    return std::unexpected(root.error());
  fields f(**root, message);
  negotiation_envelope out;
  out.type = type;
  if (type == negotiation_message::accepted || type == negotiation_message::finalized) {
    const bool is_finalized = type == negotiation_message::finalized;
    auto allowed = either_event ? std::span<const std::string_view>(event_types)
                                : std::span<const std::string_view>(event_types).subspan(is_finalized ? 1 : 0, 1);
    auto event = f.one_of("eventType", need::required, allowed);
    if (either_event && event)
      out.type = *event == 0 ? negotiation_message::accepted : negotiation_message::finalized;
  }
  read_fields(f, message, out);
  if (f.failure())
    return std::unexpected(*f.failure());
  return out;
}

} // namespace

std::expected<negotiation_envelope, fault> read_negotiation(const json::value& body, negotiation_message expected) {
  return read(body, expected, false);
}

std::expected<negotiation_envelope, fault> read_negotiation_event(const json::value& body) {
  return read(body, negotiation_message::accepted, true);
}

} // namespace fondaco::dsp
