#include "e2e/cases.hpp"
#include "e2e/fabric.hpp"

namespace fondaco::e2e {

cases onboarding_cases() { return {}; }

} // namespace fondaco::e2e
