#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "actors/ports/task.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/services.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::control_plane {

namespace limits {
/// The most data planes whose access tokens are remembered; beyond it all are fetched afresh.
inline constexpr size_t plane_tokens_max = 1000;
/// How long a token is used if its endpoint does not say.
inline constexpr milliseconds plane_token_age_ms{60'000};
/// How long before its end a token is not used any more.
inline constexpr milliseconds plane_token_margin_ms{10'000};
} // namespace limits

/// The `authorization` of a data plane with `oauth2_client_credentials` (DPS reference, section 9.1), opened.
struct plane_credentials {
  std::string token_endpoint;
  std::string client_id;
  std::string client_secret;
};

/// The access tokens for data planes, until they end. Any thread may call.
class plane_tokens {
public:
  /// The token for a plane's credentials, if it is still good.
  std::optional<std::string> find(const tenant& owner, const plane_credentials& with, timepoint now);
  /// Remembers a token until a moment.
  void keep(const tenant& owner, const plane_credentials& with, std::string token, timepoint until);
  /// Forgets a token that the plane did not take.
  void drop(const tenant& owner, const plane_credentials& with);

private:
  struct entry {
    std::string token;
    timepoint until;
  };
  using entry_key = std::tuple<tenant, std::string, std::string>;
  std::mutex mutex_;
  std::map<entry_key, entry> entries_;
};

/// Sends a signal of a transfer to its data plane and gives the outcome, `signal_taken` with the plane's address sealed
/// or `signal_failed`. A start says in `metadata.dataAddress` where the asset's data is. If a signal that may have been
/// sent before is refused, the flow's state decides whether it was taken then (DPS reference, section 2.3).
actors::task<transfer_process::command> signal_plane(cells::cell_services& s, std::shared_ptr<plane_tokens> tokens,
                                                     tenant owner, std::string transfer_id, transfer_process::effect e,
                                                     bool repeated);

/// Has the data planes of a participant that is being removed erase what they have of it: its flows, their sources and
/// tokens. Gives a sentence on a plane that has to be asked again; nothing if there is none. A plane that does not know
/// the request (404, 405, 501, other 4xx) has nothing that could be erased so.
actors::task<std::optional<std::string>> leave_planes(cells::cell_services& s, tenant owner);

} // namespace fondaco::control_plane
