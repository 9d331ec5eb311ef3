#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/dsp/counterparty.hpp"

namespace fondaco::conformance::dsp {

/// One active case of the kit under the kit's own id and name.
struct conformance_case {
  std::string id, name;
  /// Runs the steps; throws `failure` or `illegal_state` if one does not hold.
  std::function<void(environment&)> run;
};

/// Makes a case whose steps run on a `Runner`; no handler of it is left behind.
template <class Runner, class Steps>
conformance_case make_case(std::string_view id, std::string_view name, Steps steps) {
  return {std::string(id), std::string(name), [steps](environment& env) {
            Runner runner(env);
            struct cleaner {
              callback_endpoint& callbacks;
              ~cleaner() { callbacks.clear(); }
            } clean{env.callbacks};
            steps(runner);
          }};
}

/// One list of several.
std::vector<conformance_case> joined(std::vector<std::vector<conformance_case>> parts);

/// The parts of the suite (dsp-tck.md, section 9).
std::vector<conformance_case> catalog_cases();
std::vector<conformance_case> provider_negotiation_cases();
std::vector<conformance_case> consumer_negotiation_cases();
std::vector<conformance_case> provider_transfer_cases();
std::vector<conformance_case> consumer_transfer_cases();

/// All 65, in the order of their sections.
std::vector<conformance_case> all_cases();

} // namespace fondaco::conformance::dsp
