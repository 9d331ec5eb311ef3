#include <utility>

#include "protocols/dsp/envelope.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::dsp {

namespace {

using jsonld::fields;
using jsonld::need;

template <typename State> std::vector<std::string_view> names_to(State last) {
  std::vector<std::string_view> out;
  for (uint8_t i = 0; i <= std::to_underlying(last); ++i)
    out.push_back(name_of(static_cast<State>(i)));
  return out;
}

bool is_transfer(const json::value& body) {
  const auto* o = body.if_object();
  const auto* type = o ? o->if_contains("@type") : nullptr;
  auto name = type ? jsonld::text_of(*type) : std::nullopt;
  return name && jsonld::bare_dspace(*name) == "TransferProcess";
}

} // namespace

std::expected<process_view, fault> read_process(const json::value& body) {
  const bool transfer = is_transfer(body);
  const std::string type = transfer ? "TransferProcess" : "ContractNegotiation";
  auto root = read_root(body, type);
  if (!root)
    return std::unexpected(root.error());
  fields f(**root, type);
  process_view out;
  out.consumer_pid = f.text("consumerPid", need::required);
  out.provider_pid = f.text("providerPid", need::required);
  auto names = transfer ? names_to(transfer_state::terminated) : names_to(negotiation_state::terminated);
  if (auto state = f.one_of("state", need::required, names))
    out.state = names[*state];
  if (f.failure())
    return std::unexpected(*f.failure());
  return out;
}

} // namespace fondaco::dsp
