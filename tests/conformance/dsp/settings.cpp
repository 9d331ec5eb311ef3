#include "conformance/dsp/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "conformance/dsp/messages.hpp"

namespace fondaco::conformance::dsp {

namespace {

constexpr std::string_view blanks = " \t\f";

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::string unescape(std::string_view in) {
  std::string out;
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '\\' || i + 1 == in.size()) {
      out += in[i];
      continue;
    }
    char c = in[++i];
    unsigned code = 0;
    if (c == 'u' && i + 4 < in.size() + 0U && std::from_chars(&in[i + 1], &in[i] + 5, code, 16).ptr == &in[i] + 5) {
      append_utf8(out, code);
      i += 4;
    } else {
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'f' ? '\f' : c;
    }
  }
  return out;
}

bool continues(std::string_view line) {
  auto last = line.find_last_not_of('\\');
  auto backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

void take_entry(std::map<std::string, std::string>& into, std::string_view line) {
  size_t end = 0;
  while (end < line.size() && std::string_view("=: \t\f").find(line[end]) == std::string_view::npos) {
    end += line[end] == '\\' ? 2 : 1;
  }
  end = std::min(end, line.size());
  auto value = std::min(line.size(), line.find_first_not_of(blanks, end));
  if (value < line.size() && (line[value] == '=' || line[value] == ':')) {
    value = std::min(line.size(), line.find_first_not_of(blanks, value + 1));
  }
  into[unescape(line.substr(0, end))] = unescape(line.substr(value));
}

std::optional<std::string> from_environment(std::string key) {
  std::ranges::transform(key, key.begin(), [](char c) {
    return c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 32) : c;
  });
  const char* value = std::getenv(key.c_str());
  bool blank = value == nullptr || std::string_view(value).find_first_not_of(' ') == std::string_view::npos;
  return blank ? std::nullopt : std::optional<std::string>(value);
}

std::string without_slash(std::string s) {
  if (s.ends_with('/')) {
    s.pop_back();
  }
  return s;
}

/// The URIs of `dataspacetck.dsp.jsonld.context.<id>.path` + `.uri` pairs.
std::set<std::string> contexts_of(const std::map<std::string, std::string>& p) {
  std::set<std::string> known{std::string(context_url), "https://w3id.org/dspace/2025/1/odrl-profile.jsonld"};
  constexpr std::string_view prefix = "dataspacetck.dsp.jsonld.context.";
  for (const auto& [key, value] : p) {
    if (key.starts_with(prefix) && key.ends_with(".uri") && p.contains(key.substr(0, key.size() - 4) + ".path")) {
      known.insert(value);
    }
  }
  return known;
}

} // namespace

std::map<std::string, std::string> parse_properties(std::string_view text) {
  std::map<std::string, std::string> out;
  std::string pending;
  bool continued = false;
  while (!text.empty()) {
    auto end = std::min(text.size(), text.find_first_of("\r\n"));
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(blanks)));
    if (!continued && (line.empty() || line[0] == '#' || line[0] == '!')) {
      continue;
    }
    continued = continues(line);
    pending += continued ? line.substr(0, line.size() - 1) : line;
    if (!continued) {
      take_entry(out, std::exchange(pending, {}));
    }
  }
  if (!pending.empty()) {
    take_entry(out, pending);
  }
  return out;
}

std::string settings::of_case(const std::string& key, const std::string& otherwise) const {
  if (auto found = properties_.find(key); found != properties_.end()) {
    return found->second;
  }
  return from_environment(key).value_or(otherwise);
}

std::expected<settings, std::string> settings::load(const std::string& path) {
  std::ifstream in(path);
  if (!in) {
    return std::unexpected("cannot read the properties file '" + path + "'");
  }
  return from(parse_properties(std::string(std::istreambuf_iterator<char>(in), {})));
}

std::expected<settings, std::string> settings::from(std::map<std::string, std::string> properties) {
  settings s;
  s.properties_ = std::move(properties);
  const std::pair<const char*, std::string*> required[] = {
      {"dataspacetck.dsp.connector.agent.id", &s.agent_id},
      {"dataspacetck.dsp.connector.http.url", &s.base_url},
      {"dataspacetck.dsp.connector.http.base.url", &s.root_url},
      {"dataspacetck.dsp.connector.negotiation.initiate.url", &s.negotiation_initiate_url},
      {"dataspacetck.dsp.connector.transfer.initiate.url", &s.transfer_initiate_url}};
  for (const auto& [key, into] : required) {
    *into = s.of_case(key, "");
    if (into->empty()) {
      return std::unexpected(std::string("required configuration not set: ") + key);
    }
  }
  auto own = [&](const char* key, const char* otherwise) {
    auto found = s.properties_.find(key);
    return found == s.properties_.end() ? std::string(otherwise) : found->second;
  };
  s.base_url = without_slash(s.base_url);
  s.authorization = s.of_case("dataspacetck.dsp.connector.http.headers.authorization", "");
  s.callback_address = s.of_case("dataspacetck.callback.address", "http://localhost:8083");
  s.host = own("dataspacetck.host", "0.0.0.0");
  auto port = own("dataspacetck.port", "8083");
  auto wait = s.of_case("dataspacetck.dsp.default.wait", "15");
  int wait_seconds = 0;
  if (std::from_chars(port.data(), port.data() + port.size(), s.port).ptr != port.data() + port.size() || s.port < 1 ||
      s.port > 65535) {
    return std::unexpected("dataspacetck.port: '" + port + "' is not a port (1 to 65535)");
  }
  if (std::from_chars(wait.data(), wait.data() + wait.size(), wait_seconds).ptr != wait.data() + wait.size() ||
      wait_seconds < 1) {
    return std::unexpected("dataspacetck.dsp.default.wait: '" + wait + "' is not a number of seconds");
  }
  s.wait = std::chrono::seconds(wait_seconds);
  s.debug = s.of_case("dataspacetck.debug", "false") == "true";
  s.known_contexts = contexts_of(s.properties_);
  return s;
}

} // namespace fondaco::conformance::dsp
