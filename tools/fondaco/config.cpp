#include "tools/fondaco/config.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "tools/fondaco/config_table.hpp"
#include "tools/fondaco/toml.hpp"

namespace fondaco::tools {

namespace {

struct listener_default {
  const char* name;
  const char* bind;
};

constexpr listener_default listener_defaults[] = {{"protocol", "127.0.0.1:8282"},   {"management", "127.0.0.1:8181"},
                                                  {"signaling", "127.0.0.1:8182"},  {"public", "127.0.0.1:8185"},
                                                  {"internal", "127.0.0.1:8186"},   {"observability", "127.0.0.1:8180"},
                                                  {"operator", "unix:fondaco.sock"}};

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      auto up = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = up;
    }
  }
  return row[b.size()];
}

fault wrong(std::string where, std::string what) {
  auto detail = std::move(where) + ": " + std::move(what);
  // A quoted key and the parser's own sentences may repeat what a terminal would act on.
  std::ranges::replace_if(detail, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return fault{"config_invalid", std::move(detail), cure::fix_input};
}

fault unknown(const std::string& path, const toml::node& node) {
  const auto& table = config_entries();
  auto nearest = std::min_element(table.begin(), table.end(), [&](const auto& a, const auto& b) {
    return distance(a.key.path, path) < distance(b.key.path, path);
  });
  return wrong("line " + std::to_string(node.source().begin.line) + ", key '" + path + "'",
               "there is no such key; did you mean '" + nearest->key.path + "'?");
}

std::optional<config_value> value_of(const toml::node& node, const std::string& type) {
  if (type == "string")
    if (auto v = node.value_exact<std::string>())
      return *v;
  if (type == "integer")
    if (auto v = node.value_exact<int64_t>())
      return *v;
  if (type == "boolean")
    if (auto v = node.value_exact<bool>())
      return *v;
  if (type == "strings" && node.is_array()) {
    std::vector<std::string> out;
    for (const auto& item : *node.as_array()) {
      auto text = item.value_exact<std::string>();
      if (!text)
        return std::nullopt;
      out.push_back(*text);
    }
    return out;
  }
  return std::nullopt;
}

std::string text_of(const std::string& v) { return v; }
std::string text_of(bool v) { return v ? "true" : "false"; }
std::string text_of(int64_t v) { return std::to_string(v); }
std::string text_of(const std::vector<std::string>& v) {
  std::string out;
  for (const auto& one : v)
    out += std::to_string(one.size()) + ":" + one;
  return out;
}

std::string with_index(std::string path, size_t index) {
  if (const auto list = path.find("[]"); list != std::string::npos)
    path.insert(list + 1, std::to_string(index));
  return path;
}

std::optional<fault> apply(config& c, const std::string& path, size_t index, const toml::node& node);

std::optional<fault> walk(config& c, const std::string& prefix, size_t index, const toml::table& table) {
  for (const auto& [key, node] : table) {
    auto path = prefix + std::string(key.str());
    std::optional<fault> wrong_here;
    if (const auto* inner = node.as_table()) {
      wrong_here = walk(c, path + ".", index, *inner);
    } else if (const auto* list = node.as_array(); list && !list->empty() && list->get(0)->is_table()) {
      size_t i = 0;
      for (const auto& item : *list) {
        if (!item.is_table())
          return wrong("key '" + path + "'", "must be tables only");
        if ((wrong_here = walk(c, path + "[].", i++, *item.as_table())))
          break;
      }
    } else {
      wrong_here = apply(c, path, index, node);
    }
    if (wrong_here)
      return wrong_here;
  }
  return std::nullopt;
}

std::optional<fault> apply(config& c, const std::string& path, size_t index, const toml::node& node) {
  const auto& table = config_entries();
  auto found = std::find_if(table.begin(), table.end(), [&](const auto& e) { return e.key.path == path; });
  if (found == table.end())
    return unknown(path, node);
  auto where = "line " + std::to_string(node.source().begin.line) + ", key '" + path + "'";
  auto value = value_of(node, found->key.type);
  if (!value)
    return wrong(where, "must be of type " + found->key.type + ", as " + found->key.example);
  c.written[with_index(path, index)] = std::visit([](const auto& v) { return text_of(v); }, *value);
  if (auto why = found->apply(c, index, *value))
    return wrong(where, *why);
  return std::nullopt;
}

std::optional<fault> check_whole(const config& c) {
  if (c.key_file.empty() == c.key_environment.empty())
    return wrong("vault", "set exactly one of vault.key_file and vault.key_environment");
  std::set<std::string> ids;
  for (const auto& client : c.clients) {
    if (client.id.empty() || client.secret_file.empty() || client.role.empty())
      return wrong("api_client '" + client.id + "'", "needs id, secret_file and role");
    if ((client.role == "participant") == client.participant.empty())
      return wrong("api_client '" + client.id + "'", "a participant context is named by the role participant alone");
    if (!ids.insert(client.id).second)
      return wrong("api_client '" + client.id + "'", "the id is used twice");
  }
  std::set<std::string> profiles;
  for (const auto& p : c.cell.profiles)
    if (p.name.empty() || !profiles.insert(p.name).second)
      return wrong("dataspace_profile '" + p.name + "'", "needs a name that no other profile has");
  for (const auto& i : c.trusted_issuers)
    if (!i.did.starts_with("did:web:") || i.types.empty())
      return wrong("trusted_issuer '" + i.did + "'", "needs a did (did:web:...) and types");
  if (c.cfm.client_id.empty() != c.agents_secret_file.empty())
    return wrong("agents", "client_id and secret_file go together");
  if (c.external_issuer.empty() != c.external_jwks_url.empty())
    return wrong("auth", "external_issuer and external_jwks_url go together");
  return std::nullopt;
}

// The agents work on this node unless the configuration names others.
void fill_in_agents(config& c) {
  auto& a = c.cfm;
  a.separate_credential_service = !a.credential_service_url.empty() && a.credential_service_url != a.control_plane_url;
  const auto own = [](std::string& url, const std::string& otherwise) {
    if (url.empty())
      url = otherwise;
    while (url.ends_with('/'))
      url.pop_back();
  };
  for (auto* url : {&a.control_plane_url, &a.credential_service_url, &a.issuer_service_url, &a.tenant_manager_url})
    own(*url, c.issuer);
  own(a.data_plane_signaling_url, c.cell.signaling_url);
  own(a.control_plane_protocol_url, c.cell.protocol_url);
  own(a.credential_service_protocol_url, c.cell.protocol_url);
  if (a.dataspace_profile.empty() && !c.cell.profiles.empty())
    a.dataspace_profile = c.cell.profiles.front().name;
}

} // namespace

const std::vector<std::string>& known_roles() {
  static const std::vector<std::string> roles{"control-plane",  "data-plane",     "credential-service",
                                              "issuer-service", "tenant-manager", "provision-manager",
                                              "agents",         "onboarding"};
  return roles;
}

gateway::listener_options& config::listener(std::string_view listener_name) {
  return const_cast<gateway::listener_options&>(std::as_const(*this).listener(listener_name));
}

const gateway::listener_options& config::listener(std::string_view listener_name) const {
  auto found = std::find_if(listeners.begin(), listeners.end(), [&](const auto& l) { return l.name == listener_name; });
  invariant(found != listeners.end(), "every listener has its options");
  return *found;
}

config default_config() {
  config c;
  for (const auto& d : listener_defaults) {
    gateway::listener_options l;
    l.name = d.name;
    l.bind = d.bind;
    c.listeners.push_back(std::move(l));
  }
  c.issuer = "http://127.0.0.1:8181";
  c.cell.protocol_url = "http://127.0.0.1:8282";
  c.cell.signaling_url = "http://127.0.0.1:8182";
  c.cell.public_url = "http://127.0.0.1:8185";
  return c;
}

const std::vector<config_key>& config_keys() {
  static const auto keys = [] {
    std::vector<config_key> out;
    for (const auto& e : config_entries())
      out.push_back(e.key);
    return out;
  }();
  return keys;
}

std::string config_example() {
  std::string out = "# Every key of a node's configuration, with its default or, commented out, an example.\n";
  std::string section;
  for (const auto& key : config_keys()) {
    auto dot = key.path.rfind('.');
    auto table = key.path.substr(0, dot);
    if (table != section) {
      section = table;
      auto list = table.find("[]");
      out += list == std::string::npos ? "\n[" + table + "]\n" : "\n[[" + table.substr(0, list) + "]]\n";
    }
    out += "# " + key.help + "\n" + (key.optional ? "# " : "") + key.path.substr(dot + 1) + " = " + key.example + "\n";
  }
  return out;
}

std::vector<std::string> changed_keys(const config& before, const config& after) {
  std::set<std::string> changed;
  const auto missing_in = [&changed](const auto& other, const auto& one) {
    for (const auto& [key, value] : one)
      if (auto found = other.find(key); found == other.end() || found->second != value)
        changed.insert(key);
  };
  missing_in(before.written, after.written);
  missing_in(after.written, before.written);
  return {changed.begin(), changed.end()};
}

bool is_reloadable(std::string_view key) {
  return key == "node.log_level" || key.starts_with("trusted_issuer[") ||
         (key.starts_with("listener.") && (key.ends_with(".tls_certificate") || key.ends_with(".tls_key")));
}

std::expected<config, fault> parse_config(std::string_view text) {
  auto parsed = toml::parse(text);
  if (!parsed)
    return std::unexpected(
        wrong("line " + std::to_string(parsed.error().source().begin.line), std::string(parsed.error().description())));
  auto c = default_config();
  if (auto why = walk(c, "", 0, parsed.table()))
    return std::unexpected(std::move(*why));
  if (auto why = check_whole(c))
    return std::unexpected(std::move(*why));
  if (c.external_audience.empty())
    c.external_audience = c.audience;
  fill_in_agents(c);
  return c;
}

std::expected<config, fault> load_config(const std::string& path) {
  std::ifstream in(path);
  if (!in)
    return std::unexpected(
        fault{"config_unreadable", "The configuration '" + path + "' cannot be read.", cure::fix_input});
  std::ostringstream text;
  text << in.rdbuf();
  auto c = parse_config(text.str());
  if (!c)
    c.error().detail = path + ", " + c.error().detail;
  return c;
}

} // namespace fondaco::tools
