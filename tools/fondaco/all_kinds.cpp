#include "tools/fondaco/all_kinds.hpp"

#include <utility>

#include "cells/control_plane/kinds.hpp"
#include "cells/credential_service/routes.hpp"
#include "cells/data_plane/kinds.hpp"
#include "cells/identity/kinds.hpp"
#include "cells/issuer_service/routes.hpp"
#include "cells/participants/kinds.hpp"
#include "cfm/onboarding/routes.hpp"
#include "cfm/provision_manager/routes.hpp"
#include "cfm/tenant_manager/routes.hpp"

namespace fondaco::tools {

namespace {

template <class Services> Services& none() { throw broken_invariant("an effect was run while a history is folded"); }

std::map<std::string, actors::entity_kind> make_kinds() {
  std::map<std::string, actors::entity_kind> out;
  const cells::services_ref cell = none<cells::cell_services>;
  const cfm::services_ref managers = none<cfm::cfm_services>;
  for (auto& part :
       {cells::participant_kinds(), cells::control_plane_kinds(cell), cells::data_plane_kinds(cell),
        cells::identity_kinds(), cells::credential_service_kinds(cell), cells::issuer_service_kinds(cell),
        cfm::tenant_manager_kinds(managers), cfm::provision_manager_kinds(managers), cfm::onboarding_kinds(managers)})
    for (auto& k : part)
      out.emplace(k.name, k);
  return out;
}

} // namespace

const std::map<std::string, actors::entity_kind>& all_kinds() {
  static const auto kinds = make_kinds();
  return kinds;
}

} // namespace fondaco::tools
