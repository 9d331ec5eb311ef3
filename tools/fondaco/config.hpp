#pragma once

#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/nats_broker.hpp"
#include "actors/runtime.hpp"
#include "cells/services.hpp"
#include "cfm/services.hpp"
#include "gateway/http.hpp"
#include "persistence/store.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::tools {

/// An API client that the configuration names.
struct configured_client {
  std::string id;
  /// A file that only its owner can read and that holds the secret.
  std::string secret_file;
  std::string role;
  std::string participant;
  std::vector<std::string> scopes;
};

/// Every role that a node can have.
const std::vector<std::string>& known_roles();

/// A node's configuration: what its file says, with defaults for the rest.
struct config {
  std::string name = "node-1";
  std::string group = "default";
  std::vector<std::string> roles = known_roles();
  size_t threads = 2;
  std::string log_level = "info";

  persistence::store_options store{"fondaco.db", 4, milliseconds(5000)};
  size_t reader_jobs_max = 10'000;
  std::string key_file;
  std::string key_environment;

  /// By name: protocol, management, signaling, public, internal, observability, operator.
  std::vector<gateway::listener_options> listeners;
  gateway::client_options outbound;

  std::string issuer;
  std::string audience = "fondaco";
  std::string external_issuer;
  std::string external_audience;
  std::string external_jwks_url;
  bool participant_from_sub = true;
  std::vector<configured_client> clients;

  cells::cell_settings cell;
  std::vector<identity::trusted_issuer> trusted_issuers;
  identity::resolver_options resolver;

  /// `memory` or `nats`.
  std::string broker = "memory";
  actors::nats_options nats;
  /// What is empty is filled in by `parse_config` from the node's own listeners.
  cfm::cfm_settings cfm;
  std::string agents_secret_file;

  /// A collector's OTLP/HTTP endpoint for traces; empty for none.
  std::string otlp_url;

  actors::runtime_limits limits;
  /// How long a request to an admin API or a protocol endpoint waits for its entity.
  milliseconds command_timeout_ms{10'000};
  uint32_t shards = 32;

  /// What the file itself says: the values as text by their keys, as `api_client[0].id`; to tell what changed.
  std::map<std::string, std::string> written;

  /// The options of the listener with this name.
  gateway::listener_options& listener(std::string_view listener_name);
  const gateway::listener_options& listener(std::string_view listener_name) const;
};

/// A configuration with every key at its default.
config default_config();

/// One key of the configuration, as the parser, the example and the documentation know it.
struct config_key {
  /// The path, as `listener.protocol.bind` or `api_client[].id`.
  std::string path;
  /// `string`, `integer`, `boolean` or `strings`.
  std::string type;
  /// What it means, with its unit.
  std::string help;
  /// The value that the example shows, as TOML.
  std::string example;
  /// True if the example shows the key commented out, since it has no default.
  bool optional = false;
};

/// Every key that the parser takes.
const std::vector<config_key>& config_keys();

/// The annotated example of every key, as TOML that the parser takes.
std::string config_example();

/// The keys that two configurations' files say differently, those of only one among them.
std::vector<std::string> changed_keys(const config& before, const config& after);

/// True for a key that `node::reload` acts on: the log level, trusted issuers, certificates and their keys.
bool is_reloadable(std::string_view key);

/// Reads TOML; the fault names the line, the key, what was wrong and what is allowed. An unknown key is refused with
/// its nearest neighbour.
std::expected<config, fault> parse_config(std::string_view text);

/// Reads a file.
std::expected<config, fault> load_config(const std::string& path);

} // namespace fondaco::tools
