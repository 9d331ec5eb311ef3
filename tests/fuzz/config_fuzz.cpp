#include <algorithm>

#include "tests/fuzz/fuzz.hpp"
#include "tools/fondaco/config.hpp"

// The configuration: a text gives a configuration whose values keep their bounds, or a fault that says where; and no
// unknown key is passed over.

namespace {

using namespace fondaco;
using fuzz::demand;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// The line that the fault names; 0 if it names none.
size_t line_of(std::string_view detail) {
  if (!detail.starts_with("line "))
    return 0;
  size_t line = 0;
  for (const char c : detail.substr(5)) {
    if (c < '0' || c > '9')
      break;
    line = line * 10 + static_cast<size_t>(c - '0');
  }
  return line;
}

void check_fault(std::string_view text, const fault& why) {
  demand(why.code == "config_invalid", "a refused configuration is config_invalid");
  fuzz::demand_sentence(why.detail);
  const auto lines = static_cast<size_t>(std::ranges::count(text, '\n')) + 1;
  const auto line = line_of(why.detail);
  demand(line <= lines, "a fault names a line that there is");
  constexpr std::string_view places[] = {"vault",  "api_client '", "dataspace_profile '", "trusted_issuer '",
                                         "agents", "auth"};
  demand(line > 0 || contains(why.detail, "key '") ||
             std::ranges::any_of(places, [&](auto place) { return why.detail.starts_with(place); }),
         "a fault names a line, a key or a section");
}

void check_config(const tools::config& c) {
  demand(c.threads >= 1 && c.threads <= 256, "the threads keep their bounds");
  demand(c.store.readers >= 1 && c.store.readers <= 64, "the readers keep their bounds");
  demand(c.shards >= 1 && c.shards <= 4096, "the shards keep their bounds");
  demand(c.command_timeout_ms.count() >= 100 && c.command_timeout_ms.count() <= 120'000, "a timeout keeps its bounds");
  demand(c.key_file.empty() != c.key_environment.empty(), "the vault has one key");
  demand(c.listeners.size() == tools::default_config().listeners.size(), "every listener has its options");
  for (const auto& l : c.listeners)
    demand(l.body_bytes_max >= 1024 && l.body_bytes_max <= 64u << 20, "a body's limit keeps its bounds");
  for (const auto& role : c.roles)
    demand(std::ranges::find(tools::known_roles(), role) != tools::known_roles().end(), "a node has known roles");
  for (const auto& client : c.clients)
    demand(!client.id.empty() && !client.secret_file.empty() && !client.role.empty(), "an API client is whole");
  demand(tools::changed_keys(c, c).empty(), "a configuration does not differ from itself");
  const auto changed = tools::changed_keys(c, tools::default_config());
  demand(changed.size() == c.written.size(), "all that is written differs from a file that says nothing");
  for (const auto& key : changed)
    if (tools::is_reloadable(key))
      demand(key == "node.log_level" || key.starts_with("trusted_issuer[") || contains(key, ".tls_"),
             "only what reload acts on is reloadable");
}

} // namespace

void fuzz::config_target(std::string_view input) {
  const auto c = tools::parse_config(input);
  if (!c) {
    check_fault(input, c.error());
    return;
  }
  check_config(*c);
  const auto commented = tools::parse_config(std::string(input) + "\n# no more\n");
  demand(commented && commented->written == c->written, "a comment at the end changes nothing");
  const auto unknown = tools::parse_config(std::string(input) + "\n[not_a_section]\nnot_a_key = 1\n");
  demand(!unknown && contains(unknown.error().detail, "not_a_section.not_a_key"), "an unknown key is refused by name");
}
