#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cells/services.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::cells {

/// A participant context with its configuration, as the edge needs it for one request.
struct participant {
  tenant owner;
  /// The participant's id in its dataspaces (its DID, or any id in a closed dataspace).
  std::string identity;
  /// The names of the dataspace profiles that it takes part in.
  std::vector<std::string> profiles;
  /// The public entries of its configuration.
  std::map<std::string, std::string, std::less<>> entries;
  /// The private entries, sealed by the vault.
  std::map<std::string, std::string, std::less<>> sealed_entries;
};

/// A counterparty of a closed dataspace, as the participant's configuration names it: entries
/// `fondaco.dataspace.<profile>.counterparty.<alias>.id` and `.attributes` (a JSON object), private entries
/// `.accepts` (the token that it presents to us) and `.presents` (the token that we present to it).
struct counterparty {
  std::string id;
  json::object attributes;
  /// The trace of the message that it sent, for what is judged of it; empty for none.
  std::string traceparent;
};

/// The participant context with this id, or nothing. Blocks, and throws if the store does not answer (`in_pool` then
/// gives nothing): for the reader pool; the same holds for the tokens below.
std::optional<participant> read_participant(cell_services& s, const tenant& owner);

/// The counterparty that presents this bearer token, compared in constant time; nothing if none does. Blocks (vault).
std::optional<counterparty> accept_token(cell_services& s, const participant& p, std::string_view profile,
                                         std::string_view token);

/// The token that the participant presents to a counterparty; nothing if none is configured. Blocks (vault).
std::optional<std::string> token_for(cell_services& s, const participant& p, std::string_view profile,
                                     std::string_view counterparty_id);

/// The milliseconds that a text means, from 0 to 30 days; nothing if it means none.
std::optional<milliseconds> duration_of(std::string_view text);

/// A duration entry in milliseconds (`fondaco.dsp.reaction.delay.ms`, `fondaco.dsp.send.window.ms`,
/// `fondaco.dsp.peer.silence.ms`), or the default if it is missing or not a number from 0 to 30 days.
milliseconds duration_entry(const participant& p, std::string_view name, milliseconds otherwise);

/// The DSP base URL of a participant and profile: `<protocol_url>/api/dsp/<participant context>/<profile>`.
std::string dsp_base(const cell_settings& settings, const tenant& owner, std::string_view profile);

} // namespace fondaco::cells
