#include "protocols/dsp/envelope.hpp"

namespace fondaco::dsp {

namespace {

using jsonld::fields;
using jsonld::need;

void read_address(fields& f, const std::string& message, transfer_envelope& out) {
  const auto* o = f.object("dataAddress", need::optional);
  if (!o)
    return;
  auto address = read_data_address(*o, message + ": dataAddress");
  if (address)
    out.address = std::move(*address);
  else
    f.refuse(address.error());
}

void read_request(fields& f, const std::string& message, transfer_envelope& out) {
  out.consumer_pid = f.text("consumerPid", need::required);
  out.agreement_id = f.text("agreementId", need::required);
  out.format = f.text("format", need::required);
  out.callback_address = f.base_url("callbackAddress", need::required);
  read_address(f, message, out);
}

void read_follow_up(fields& f, const std::string& message, transfer_envelope& out) {
  out.provider_pid = f.text("providerPid", need::required);
  out.consumer_pid = f.text("consumerPid", need::required);
  if (out.type == transfer_message::start)
    read_address(f, message, out);
  if (out.type == transfer_message::suspension || out.type == transfer_message::termination) {
    out.code = f.scalar("code", need::optional);
    out.reasons = f.texts("reason", need::optional);
  }
}

} // namespace

std::expected<transfer_envelope, fault> read_transfer(const json::value& body, transfer_message expected) {
  const std::string message(name_of(expected));
  auto root = read_root(body, message);
  if (!root)
    return std::unexpected(root.error());
  fields f(**root, message);
  transfer_envelope out;
  out.type = expected;
  out.message_id = f.text("@id", need::optional);
  if (expected == transfer_message::request)
    read_request(f, message, out);
  else
    read_follow_up(f, message, out);
  if (f.failure())
    return std::unexpected(*f.failure());
  return out;
}

} // namespace fondaco::dsp
