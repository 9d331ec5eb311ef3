#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace fondaco::conformance::dsp {

/// A Java properties file as the kit reads it: comments, `=`, `:` or blank as separator, continuation lines, escapes.
std::map<std::string, std::string> parse_properties(std::string_view text);

/// What the kit is configured with, under the kit's own keys and defaults (dsp-tck.md, section 5).
class settings {
public:
  /// Reads the file; the error names the file or the required key that is missing.
  static std::expected<settings, std::string> load(const std::string& path);
  /// Takes properties that were read elsewhere.
  static std::expected<settings, std::string> from(std::map<std::string, std::string> properties);

  /// The participant id of the connector under test.
  std::string agent_id;
  /// Its DSP base URL, without a trailing slash.
  std::string base_url;
  /// The URL below which `/.well-known/dspace-version` lies.
  std::string root_url;
  /// The literal `Authorization` value of every request; empty: no such header.
  std::string authorization;
  /// The webhooks that make the connector under test start a negotiation and a transfer.
  std::string negotiation_initiate_url, transfer_initiate_url;
  /// The address that is advertised as callback.
  std::string callback_address;
  std::string host;
  int port = 8083;
  /// The limit of every single wait.
  std::chrono::seconds wait{15};
  /// Print a line for each step.
  bool debug = false;
  /// Context URLs that a message may name.
  std::set<std::string> known_contexts;

  /// The value of a key of a case, as `CN_01_01_DATASETID`: property, then environment, then the given default.
  [[nodiscard]] std::string of_case(const std::string& key, const std::string& otherwise) const;

private:
  std::map<std::string, std::string> properties_;
};

} // namespace fondaco::conformance::dsp
