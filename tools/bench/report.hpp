#pragma once

#include <expected>
#include <string>
#include <vector>

namespace fondaco::bench {

/// A value, or one sentence that says why it could not be measured.
template <class T> using measured = std::expected<T, std::string>;

/// A figure with the reference that ran beside it.
struct figure {
  /// As `append on SQLite`.
  std::string name;
  /// As `events/s`.
  std::string unit;
  double value = 0;
  /// What the reference did.
  std::string reference;
  std::string reference_unit;
  double reference_value = 0;
  /// The figure as a multiple of the reference; a median of its own, so not always the quotient of the two medians.
  double ratio = 0;
  /// The ratio that the project aims at, 0 for none.
  double ratio_aim = 0;
  /// More that was measured on the way, a line each.
  std::vector<std::string> notes;
  /// The command that measures it again.
  std::string command;
};

/// The processor's model and the count of cores.
std::string machine();

/// The middle one of the values; they must not be none.
double median(std::vector<double> values);

/// The value that this part of the values (0 to 1) does not exceed; they must not be none.
double percentile(std::vector<double> values, double part);

/// The number with as many digits as tell something.
std::string rounded(double value);

/// Prints a figure on standard output, or on standard error why it could not be measured; gives true if it could.
bool print(const std::string& name, const measured<figure>& f);

} // namespace fondaco::bench
