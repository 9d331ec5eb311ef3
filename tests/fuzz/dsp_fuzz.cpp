#include <array>
#include <expected>

#include "protocols/dsp/envelope.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/json/json.hpp"
#include "protocols/odrl/policy.hpp"
#include "tests/fuzz/fuzz.hpp"

// DSP: a message that is read is written to one that reads as the same; what it says keeps its limits.

namespace {

using namespace fondaco;
using fuzz::demand;

constexpr std::array negotiations{
    dsp::negotiation_message::request,      dsp::negotiation_message::offer,     dsp::negotiation_message::accepted,
    dsp::negotiation_message::agreement,    dsp::negotiation_message::finalized, dsp::negotiation_message::termination,
    dsp::negotiation_message::verification,
};
constexpr std::array transfers{dsp::transfer_message::request, dsp::transfer_message::start,
                               dsp::transfer_message::suspension, dsp::transfer_message::completion,
                               dsp::transfer_message::termination};

void check_ids(const std::string& message_id, const std::string& consumer_pid, const std::string& provider_pid,
               const std::string& callback_address) {
  for (const auto* id : {&message_id, &consumer_pid, &provider_pid})
    demand(id->size() <= limits::id_bytes_max, "an id keeps its limit");
  demand(callback_address.size() <= limits::url_bytes_max, "a URL keeps its limit");
}

void check_reasons(const std::string& code, const std::vector<std::string>& reasons) {
  demand(code.size() <= limits::text_bytes_max && reasons.size() <= limits::list_items_max, "a cause keeps its limits");
  for (const auto& r : reasons)
    demand(r.size() <= limits::text_bytes_max, "a reason keeps its limit");
}

/// A policy that can be judged is written to one that demands the same.
void check_policy(const json::object& body) {
  const auto policy = odrl::read_policy(body);
  if (!policy)
    return fuzz::demand_sentence(policy.error().detail);
  const auto written = odrl::write_policy(*policy);
  const auto again = odrl::read_policy(written);
  demand(again && odrl::same_rules(*policy, *again), "a policy is written to one that demands the same");
  demand(odrl::write_policy(*again) == written, "a policy is written again as the same");
}

void check(const std::expected<dsp::negotiation_envelope, fault>& read) {
  if (!read)
    return fuzz::demand_sentence(read.error().detail);
  check_ids(read->message_id, read->consumer_pid, read->provider_pid, read->callback_address);
  check_reasons(read->code, read->reasons);
  check_policy(read->policy);
  const auto written = dsp::write_negotiation(*read);
  const auto again = dsp::read_negotiation(written, read->type);
  demand(again.has_value(), "a negotiation message that is written is one that is read");
  auto expected = *read;
  // The schema takes no empty list, so none is written.
  expected.policy = dsp::without_empty_lists(read->policy);
  demand(*again == expected, "a negotiation message is written to one that reads as the same");
}

void check(const std::expected<dsp::transfer_envelope, fault>& read) {
  if (!read)
    return fuzz::demand_sentence(read.error().detail);
  check_ids(read->message_id, read->consumer_pid, read->provider_pid, read->callback_address);
  check_reasons(read->code, read->reasons);
  const auto again = dsp::read_transfer(dsp::write_transfer(*read), read->type);
  demand(again && *again == *read, "a transfer message is written to one that reads as the same");
}

void check_views(const json::value& body) {
  if (const auto view = dsp::read_process(body)) {
    const bool transfer = dsp::parse_transfer_state(view->state).has_value();
    demand(transfer || dsp::parse_negotiation_state(view->state), "a process is in a state that there is");
    const auto again = dsp::read_process(dsp::write_negotiation_process(*view));
    demand(again ? *again == *view : transfer, "a process is written to one that reads as the same");
  }
  if (const auto address = dsp::read_data_address(body)) {
    const auto again = dsp::read_data_address(json::value(dsp::write_data_address(*address)));
    demand(again && *again == *address, "an address is written to one that reads as the same");
    demand(address->properties.size() <= limits::list_items_max, "an address keeps its limit of properties");
  }
  if (const auto filter = dsp::read_catalog_request(body)) {
    const auto again = dsp::read_catalog_request(dsp::write_catalog_request(*filter));
    demand(again && *again == *filter, "a catalog's filter is written to one that reads as the same");
  }
}

} // namespace

void fuzz::dsp_target(std::string_view input) {
  const auto body = json::parse(input);
  if (!body)
    return;
  for (const auto type : negotiations)
    check(dsp::read_negotiation(*body, type));
  check(dsp::read_negotiation_event(*body));
  for (const auto type : transfers)
    check(dsp::read_transfer(*body, type));
  check_views(*body);
  if (const auto* o = body->if_object())
    check_policy(*o);
}
