#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cfm/services.hpp"
#include "cfm/tenant_manager/participant_profile_events.hpp"
#include "gateway/http.hpp"
#include "planes/api/records.hpp"

namespace fondaco::cfm {

/// What a NewParticipantProfileDeployment asks for (CFM reference, section 4.1).
struct profile_wish {
  std::string identifier;
  std::string cell_id;
  std::vector<std::string> profile_ids;
  json::object roles;
  json::object vpa_properties;
  json::object properties;
};

/// Everything that a deployment is made from, read at once.
struct deployment_catalogue {
  std::vector<persistence::document> cells;
  std::vector<persistence::document> profiles;
  bool tenant_known = false;
};

/// The body of a request; 400 with the field that is wrong.
planes::api::result<profile_wish> read_wish(const gateway::request& r);

/// Reads what a deployment below this tenant is made from. Blocks; nothing if the store does not answer.
std::optional<deployment_catalogue> read_catalogue(cfm_services& s, const std::string& tenant_id);

/// Chooses dataspace profiles, cell and credential specifications: 404 without the tenant, 400 if none fits.
planes::api::result<profile_terms> make_terms(cfm_services& s, const deployment_catalogue& c, const profile_wish& w,
                                              const std::string& tenant_id);

} // namespace fondaco::cfm
