#pragma once

#include <expected>
#include <string>
#include <vector>

namespace fondaco::conformance::dcp {

/// What the program needs to prepare a node by its public APIs (`fondaco.*` keys of the same file).
struct node_settings {
  /// `fondaco.management.url` and `fondaco.protocol.url`: the listeners, without a trailing slash.
  std::string management_url, protocol_url;
  /// `fondaco.client.id` and the content of the file `fondaco.client.secret.file`: an API client with admin scopes.
  std::string client_id, client_secret;
  /// `fondaco.dataspace.profile`: the profile with credentials that the verifier joins; `dcp` by default.
  std::string dataspace_profile;
};

/// What the suite is configured with, under the kit's own keys and defaults (dcp-tck.md, section 3.3).
struct settings {
  /// Reads the file; `preparing` says that the `fondaco.*` keys are needed. The error names the key.
  static std::expected<settings, std::string> load(const std::string& path, bool preparing);

  /// True if the cases of this package (`presentation.cs`) are to run.
  [[nodiscard]] bool wants(const std::string& package) const;

  /// The base URL of the program's server, in DIDs and URLs.
  std::string callback_address;
  std::string host;
  int port = 8083;
  /// The DIDs of the component under test, one for each role; empty: that role is not tested.
  std::string did_holder, did_issuer, did_verifier;
  /// The holder's STS without `/token`, and its client.
  std::string sts_url, sts_client_id, sts_client_secret;
  /// The `holderPid` of every message.
  std::string correlation_id;
  /// What makes the verifier under test ask for a presentation.
  std::string trigger_url;
  /// `bitstringstatuslist` or `statuslist2021`: the list that is served.
  std::string revocation_type;
  /// Java packages of the cases to run; empty: all.
  std::vector<std::string> packages;
  bool debug = false;
  node_settings node;
};

} // namespace fondaco::conformance::dcp
