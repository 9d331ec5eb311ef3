#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ports/task.hpp"
#include "cells/services.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::control_plane {

/// The node's profile with this name; null if it knows none.
const cells::dataspace_profile* find_profile(const cells::cell_settings& settings, std::string_view name) noexcept;

/// The bearer token of one message to a counterparty: a self-issued one made for it and granting the profile's scopes
/// and `more_scopes`, or in a closed dataspace the one that is configured. Ask for every message and every repeat of
/// one, since a receiver takes a self-issued token once. `retry` faults are for now, others say what to configure.
actors::task<std::expected<std::string, fault>> token_for_peer(cells::cell_services& s, tenant owner,
                                                               std::string profile, std::string counterparty_id,
                                                               std::vector<std::string> more_scopes = {});

} // namespace fondaco::control_plane
