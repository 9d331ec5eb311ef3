#include "conformance/dcp/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "conformance/dcp/crypto.hpp"
#include "conformance/dsp/settings.hpp"

namespace fondaco::conformance::dcp {

namespace {

std::string from_environment(std::string key) {
  std::ranges::transform(key, key.begin(), [](char c) {
    return c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 32) : c;
  });
  const char* value = std::getenv(key.c_str());
  return value == nullptr ? "" : value;
}

std::string without_slash(std::string s) {
  if (s.ends_with('/')) {
    s.pop_back();
  }
  return s;
}

std::expected<std::string, std::string> content_of(const std::string& path) {
  std::ifstream in(path);
  if (!in) {
    return std::unexpected("cannot read '" + path + "'");
  }
  std::string text(std::istreambuf_iterator<char>(in), {});
  text.erase(std::min(text.size(), text.find_last_not_of(" \r\n\t") + 1));
  return text;
}

} // namespace

bool settings::wants(const std::string& package) const {
  auto whole = "org.eclipse.dataspacetck.dcp.verification." + package;
  return packages.empty() ||
         std::ranges::any_of(packages, [&](const auto& p) { return whole == p || whole.starts_with(p + "."); });
}

std::expected<settings, std::string> settings::load(const std::string& path, bool preparing) {
  auto text = content_of(path);
  if (!text) {
    return std::unexpected(text.error());
  }
  auto properties = dsp::parse_properties(*text);
  auto at = [&](const std::string& key, const std::string& otherwise = "") {
    if (auto found = properties.find(key); found != properties.end()) {
      return found->second;
    }
    auto set = from_environment(key);
    return set.empty() ? otherwise : set;
  };
  settings s;
  s.callback_address = without_slash(at("dataspacetck.callback.address", "http://localhost:8083"));
  s.host = at("dataspacetck.host", "0.0.0.0");
  auto port = at("dataspacetck.port", "8083");
  if (std::from_chars(port.data(), port.data() + port.size(), s.port).ptr != port.data() + port.size() || s.port < 1 ||
      s.port > 65535) {
    return std::unexpected("dataspacetck.port: '" + port + "' is not a port (1 to 65535)");
  }
  s.did_holder = at("dataspacetck.did.holder");
  s.did_issuer = at("dataspacetck.did.issuer");
  s.did_verifier = at("dataspacetck.did.verifier");
  s.sts_url = without_slash(at("dataspacetck.sts.url"));
  s.sts_client_id = at("dataspacetck.sts.client.id");
  s.sts_client_secret = at("dataspacetck.sts.client.secret");
  s.correlation_id = at("dataspacetck.credentials.correlation.id", random_uuid());
  s.trigger_url = at("dataspacetck.vpp.trigger.endpoint");
  s.revocation_type = at("dataspacetck.revocation.type", "bitstringstatuslist");
  if (s.revocation_type != "bitstringstatuslist" && s.revocation_type != "statuslist2021") {
    return std::unexpected("dataspacetck.revocation.type: bitstringstatuslist and statuslist2021 are allowed");
  }
  std::istringstream packages(at("dataspacetck.test.package"));
  for (std::string one; std::getline(packages, one, ',');) {
    s.packages.push_back(one);
  }
  s.debug = at("dataspacetck.debug", "false") == "true";
  if (!preparing) {
    return s;
  }
  s.node.management_url = without_slash(at("fondaco.management.url"));
  s.node.protocol_url = without_slash(at("fondaco.protocol.url"));
  s.node.client_id = at("fondaco.client.id", "admin");
  s.node.dataspace_profile = at("fondaco.dataspace.profile", "dcp");
  if (s.node.management_url.empty() || s.node.protocol_url.empty()) {
    return std::unexpected("--prepare needs fondaco.management.url and fondaco.protocol.url");
  }
  auto secret = content_of(at("fondaco.client.secret.file"));
  if (!secret) {
    return std::unexpected("fondaco.client.secret.file: " + secret.error());
  }
  s.node.client_secret = *secret;
  return s;
}

} // namespace fondaco::conformance::dcp
