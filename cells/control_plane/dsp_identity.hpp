#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/runtime.hpp"
#include "cells/participants/directory.hpp"
#include "cells/services.hpp"
#include "gateway/http.hpp"
#include "protocols/dsp/messages.hpp"

namespace fondaco::control_plane {

/// A request as routes get it.
using request_ptr = std::shared_ptr<const gateway::request>;

/// The parts of the protocol; each has its own error body (DSP reference, section 9).
enum class dsp_part : uint8_t { catalog, negotiation, transfer };

/// The process ids that an error names; an unknown one stays empty.
struct process_pids {
  std::string consumer_pid;
  std::string provider_pid;
};

/// Who asks whom: the participant of the path, the profile, and the counterparty that its token proved.
struct dsp_caller {
  cells::participant self;
  std::string profile;
  cells::counterparty peer;
  /// True if the token was self-issued and proven, and the credentials verified, not a configured one.
  bool by_credentials = false;
};

/// What a caller of a DCP profile has to prove: who it is, and its credentials too unless it ends a process of its own.
/// Whoever lost its membership may still say that it goes, so that the other side does not wait for it.
enum class dsp_proof : uint8_t { credentials, identity };

/// A caller that was not let in.
struct dsp_rejection {
  gateway::response answer;
  /// The DID that its self-issued token proved; empty if it proved none.
  std::string proven_id;
  /// Why, for both sides.
  std::vector<std::string> reasons;
};

/// The first part of every protocol route but the version document: a known participant that takes part in the path's
/// profile (else 404, whatever the token), then a token that it accepts (else 401 with `WWW-Authenticate`). In a
/// profile of DCP that is a self-issued token for the participant's DID, and credentials for all of the profile's
/// scopes: the caller is its DID with the attribute `vc`, a list of its verified credentials (no attribute if `proof`
/// is `identity`); 503 if that cannot be told now.
gateway::task<std::expected<dsp_caller, dsp_rejection>> enter_dsp(cells::cell_services& s, request_ptr r, dsp_part part,
                                                                  dsp_proof proof = dsp_proof::credentials);

/// The token of an Authorization header `Bearer <token>`, the scheme in any case; nothing if it is missing, there are
/// two, or it has another scheme.
std::optional<std::string> dsp_bearer(const gateway::request& r);

/// CatalogError, ContractNegotiationError or TransferError with `code` as the status; 429 and 503 carry Retry-After.
gateway::response dsp_error(dsp_part part, int status, const std::vector<std::string>& reasons,
                            const process_pids& pids = {});
/// The same with one reason.
gateway::response dsp_error(dsp_part part, int status, const std::string& reason, const process_pids& pids = {});

/// 503: too many reads wait, or the store does not answer.
gateway::response dsp_unavailable(dsp_part part, const process_pids& pids = {});

/// The answer to a command that a decider did not take: 404 for unknown, 409 for an agreement that does not hold, else
/// 400; 429, 421 or 503 if it was not decided on.
gateway::response dsp_refusal(dsp_part part, const actors::ask_error& e, const process_pids& pids);

/// The body as JSON: 415 for another media type than `application/json` and `application/ld+json`, 400 for what is not
/// acceptable JSON.
std::expected<json::value, gateway::response> read_dsp_body(const gateway::request& r, dsp_part part);

/// The process ids that a body names, for errors.
process_pids pids_of(const json::value& body);

/// The value of a `{name}` segment of the path.
const std::string& path_param(const gateway::request& r, std::string_view name);

/// 200 without a body, as updates are answered (DSP reference, section 5.3).
gateway::response dsp_done();

/// True if the participant takes part in a profile that this node knows.
bool takes_part(const cells::cell_settings& settings, const cells::participant& p, std::string_view profile);

/// Writes the log line of a message that came in and gives its answer on.
gateway::response noted(gateway::response out, const gateway::request& r, const std::string& message,
                        const std::string& counterparty, const std::string& entity_id);

} // namespace fondaco::control_plane
