#include "conformance/dsp_driver/options.hpp"

#include <charconv>
#include <fstream>
#include <functional>

namespace fondaco::conformance::driver {

namespace {

constexpr const char* usage =
    "usage: dsp_driver --token-url URL --client-id ID --secret-file FILE --counterparty-token-file FILE\n"
    "                  --properties OUT [options] [--run COMMAND ARGUMENTS...]\n"
    "Prepares a running node through its public APIs for the DSP conformance kit and serves the kit's webhooks.\n"
    "  --management-url URL       admin listener (http://127.0.0.1:8181)\n"
    "  --protocol-url URL         protocol listener (http://127.0.0.1:8282)\n"
    "  --scope SCOPE              scope of the token request (none)\n"
    "  --profile NAME             dataspace profile in token mode (closed)\n"
    "  --participant-context ID   the participant context under test (cut)\n"
    "  --identity ID              its id in the dataspace (the context's id)\n"
    "  --data-plane-url URL       signaling endpoint of the data plane to register (none)\n"
    "  --data-plane-id ID         its id (dsp-conformance)\n"
    "  --config KEY=VALUE         one more entry of the context's config; repeatable\n"
    "  --reaction-delay-ms N      delay of the node's own messages (500)\n"
    "  --listen HOST:PORT         where the driver listens (127.0.0.1:0)\n"
    "  --kit HOST:PORT            where the kit will listen (127.0.0.1:8083)\n"
    "  --wait SECONDS             the kit's limit for each wait (20)\n"
    "  --prepare-seconds N        limit of the preparation (120)\n"
    "  --run COMMAND ...          run this when ready and pass its exit code on; else serve until SIGTERM\n";

using outcome = std::expected<void, std::string>;

outcome read_number(const std::string& name, const std::string& text, int& into, int from, int to) {
  int n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < from || n > to) {
    return std::unexpected(name + ": '" + text + "' is not a number from " + std::to_string(from) + " to " +
                           std::to_string(to));
  }
  into = n;
  return {};
}

outcome read_address(const std::string& name, const std::string& text, std::string& host, int& port) {
  auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return std::unexpected(name + ": '" + text + "' is not HOST:PORT");
  }
  host = text.substr(0, colon);
  return read_number(name, text.substr(colon + 1), port, 0, 65535);
}

/// Takes one option with its value; the error is empty if there is no such option.
outcome take(options& o, const std::string& name, const std::string& value) {
  const std::map<std::string, std::string*> texts{{"--management-url", &o.management_url},
                                                  {"--protocol-url", &o.protocol_url},
                                                  {"--token-url", &o.token_url},
                                                  {"--client-id", &o.client_id},
                                                  {"--secret-file", &o.secret_file},
                                                  {"--scope", &o.scope},
                                                  {"--counterparty-token-file", &o.counterparty_token_file},
                                                  {"--profile", &o.profile},
                                                  {"--participant-context", &o.participant_context},
                                                  {"--identity", &o.identity},
                                                  {"--data-plane-url", &o.data_plane_url},
                                                  {"--data-plane-id", &o.data_plane_id},
                                                  {"--properties", &o.properties}};
  constexpr int day_seconds = 86'400;
  if (auto text = texts.find(name); text != texts.end()) {
    *text->second = value;
    return {};
  }
  if (name == "--listen") {
    return read_address(name, value, o.listen_host, o.listen_port);
  }
  if (name == "--kit") {
    return read_address(name, value, o.kit_host, o.kit_port);
  }
  if (name == "--wait") {
    return read_number(name, value, o.wait_seconds, 1, day_seconds);
  }
  if (name == "--prepare-seconds") {
    return read_number(name, value, o.prepare_seconds, 1, day_seconds);
  }
  if (name == "--reaction-delay-ms") {
    return read_number(name, value, o.reaction_delay_ms, 0, day_seconds);
  }
  if (auto equals = value.find('='); name == "--config" && equals != std::string::npos) {
    o.config[value.substr(0, equals)] = value.substr(equals + 1);
    return {};
  }
  return std::unexpected(name == "--config" ? "--config: '" + value + "' is not KEY=VALUE" : "");
}

outcome demand(const options& o) {
  const std::pair<const char*, const std::string&> required[] = {
      {"--token-url", o.token_url},
      {"--client-id", o.client_id},
      {"--secret-file", o.secret_file},
      {"--counterparty-token-file", o.counterparty_token_file},
      {"--properties", o.properties}};
  for (const auto& [name, value] : required) {
    if (value.empty()) {
      return std::unexpected(std::string(name) + " is missing\n" + usage);
    }
  }
  return {};
}

} // namespace

std::expected<options, std::string> parse_options(std::span<char*> arguments) {
  options o;
  for (size_t i = 1; i < arguments.size(); ++i) {
    std::string name = arguments[i];
    if (name == "--run") {
      o.command.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      if (o.command.empty()) {
        return std::unexpected("--run: the command is missing");
      }
      break;
    }
    if (name == "--help" || i + 1 == arguments.size()) {
      return std::unexpected(name == "--help" ? usage : "'" + name + "' is not an option, or its value is missing");
    }
    if (auto taken = take(o, name, arguments[++i]); !taken) {
      return std::unexpected(taken.error().empty() ? "'" + name + "' is not an option\n" + usage : taken.error());
    }
  }
  if (auto complete = demand(o); !complete) {
    return std::unexpected(complete.error());
  }
  for (auto* url : {&o.management_url, &o.protocol_url}) {
    while (url->ends_with('/')) {
      url->pop_back();
    }
  }
  o.identity = o.identity.empty() ? o.participant_context : o.identity;
  return o;
}

std::expected<std::string, std::string> read_secret(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line) || line.empty()) {
    return std::unexpected("cannot read a secret from the first line of '" + path + "'");
  }
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  return line;
}

} // namespace fondaco::conformance::driver
