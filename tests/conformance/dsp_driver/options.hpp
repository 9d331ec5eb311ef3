#pragma once

#include <expected>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace fondaco::conformance::driver {

/// What the driver is told on its command line.
struct options {
  /// The node's admin listener: `<management_url>/api/management/v5beta` is the Management API.
  std::string management_url = "http://127.0.0.1:8181";
  /// The node's protocol listener: `<protocol_url>/api/dsp/{participant context}/{profile}` is the DSP base.
  std::string protocol_url = "http://127.0.0.1:8282";
  /// Where a token is had for client credentials, with the scope that is asked for (empty: none).
  std::string token_url, client_id, secret_file, scope;
  /// Holds the token that the node expects from TCK_PARTICIPANT.
  std::string counterparty_token_file;
  std::string profile = "closed";
  std::string participant_context = "cut";
  /// The participant's id in the dataspace; empty: the same as the context's id.
  std::string identity;
  /// The data plane's signaling endpoint and its id; empty endpoint: none is registered.
  std::string data_plane_url, data_plane_id = "dsp-conformance";
  /// The kit's properties file that is written.
  std::string properties;
  /// Where the driver listens, for webhooks, DSP and data; port 0 takes a free one.
  std::string listen_host = "127.0.0.1";
  int listen_port = 0;
  /// Where the kit will listen.
  std::string kit_host = "127.0.0.1";
  int kit_port = 8083;
  /// The kit's limit for each wait, in seconds.
  int wait_seconds = 20;
  /// The node waits this long before it sends a message on its own.
  int reaction_delay_ms = 500;
  /// The limit for all preparation, in seconds.
  int prepare_seconds = 120;
  /// More entries of the participant context's config.
  std::map<std::string, std::string> config;
  /// The command that is run once all is ready; empty: serve until SIGTERM.
  std::vector<std::string> command;

  [[nodiscard]] std::string root_url() const { return protocol_url + "/api/dsp/" + participant_context; }
  [[nodiscard]] std::string base_url() const { return root_url() + "/" + profile; }
};

/// Reads the command line; the error is a sentence, or the usage for `--help`.
std::expected<options, std::string> parse_options(std::span<char*> arguments);

/// The first line of a file without its end, as secrets are kept; the error names the file.
std::expected<std::string, std::string> read_secret(const std::string& path);

} // namespace fondaco::conformance::driver
