#pragma once

namespace fondaco::conformance::dsp {

/// Checks the suite's own tools without a connector: validators, retry rules, state machines, properties, callback
/// server. Prints each finding; gives the number of failed checks.
int self_check();

} // namespace fondaco::conformance::dsp
