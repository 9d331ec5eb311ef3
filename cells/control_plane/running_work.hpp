#pragma once

#include <cstddef>
#include <string>

#include "cells/services.hpp"
#include "planes/api/records.hpp"

namespace fondaco::control_plane {

/// What of a participant has not come to its end, or still owes a message or a signal; counts stop at
/// `persistence::limits::read_rows_max` a kind.
struct open_work {
  size_t negotiations = 0;
  size_t transfers = 0;
  /// Only where this node is the data plane too.
  size_t flows = 0;
  bool none() const noexcept { return negotiations + transfers + flows == 0; }
};

/// In words, as `2 negotiations and 1 transfer`.
std::string in_words(const open_work& w);

/// Terminates a participant's negotiations and transfers with this reason, which their peers are told, and waits at
/// most `within` (nothing: only the orders are given) until they have ended and owe nothing; ends the data flows of
/// this node. Gives what is left; asked again, it goes on.
planes::api::task<planes::api::result<open_work>> end_work(cells::cell_services& s, tenant owner, std::string reason,
                                                           milliseconds within);

} // namespace fondaco::control_plane
