#pragma once

#include <map>
#include <string>
#include <vector>

#include "conformance/dsp_driver/node.hpp"

namespace fondaco::conformance::driver {

/// The numbers of the cases of a group, as `0101`: the kit's ids without colon and dash.
std::vector<std::string> provider_negotiation_numbers();
std::vector<std::string> consumer_negotiation_numbers();
std::vector<std::string> transfer_numbers();

/// Creates the participant context with its config, profile and data plane, the assets (their data at `data_url`), the
/// policy and the contract definition. What an earlier run made is kept.
result<void> prepare_participant(node& n, const options& o, const std::string& data_url);

/// The offer id of every dataset that the node's catalog shows to TCK_PARTICIPANT.
result<std::map<std::string, std::string>> read_offers(node& n, const options& o);

/// What the kit's properties are made of.
struct kit_facts {
  /// Dataset id to offer id.
  std::map<std::string, std::string> offers;
  /// `ATP0101` and so on to the id of the agreement that was made for it.
  std::map<std::string, std::string> agreements;
  /// The base URL of the webhooks.
  std::string webhook_url;
};

/// Writes the kit's properties file, readable by the owner only, since it holds TCK_PARTICIPANT's token.
result<void> write_properties(const node& n, const options& o, const kit_facts& facts);

} // namespace fondaco::conformance::driver
