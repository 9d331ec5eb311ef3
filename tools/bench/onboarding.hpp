#pragma once

#include <string>

#include "protocols/base/time.hpp"
#include "tools/bench/report.hpp"

namespace fondaco::bench {

namespace limits {
/// The tenants that are deployed one after the other, and then as many by `deployed_at_once`.
inline constexpr size_t deployed_tenants = 40;
inline constexpr size_t deployed_at_once = 8;
/// The creations of a record that stand for a tenant's deployment in the reference.
inline constexpr int records_per_tenant = 20;
} // namespace limits

/// Milliseconds from the POST of a participant profile until the tenant's participant agents answer, its credential
/// issued, as a ratio to as many creations of a plain record by the same API. SQLite if the server's URL is empty.
measured<figure> measure_onboarding(const std::string& program, const std::string& folder,
                                    const std::string& server_url);

/// Negotiations a second in which each message presents a credential that is verified, as a ratio to negotiations in a
/// closed dataspace with pre-shared tokens. SQLite if the server's URL is empty.
measured<figure> measure_verified_negotiations(const std::string& program, const std::string& folder,
                                               const std::string& server_url, milliseconds length);

} // namespace fondaco::bench
