#include "cells/participants/directory.hpp"

#include <charconv>
#include <stdexcept>

#include "protocols/base/hash.hpp"

namespace fondaco::cells {

namespace {

// Ends a job of the reader pool, whose caller then answers that it may be asked again.
using store_silent = std::runtime_error;

using entries = std::map<std::string, std::string, std::less<>>;

void read_entries(const json::object& body, const char* member, entries& into) {
  if (const auto* o = json::object_at(body, member))
    for (const auto& e : *o)
      if (e.value().is_string())
        into.emplace(std::string(e.key()), std::string(e.value().get_string()));
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    auto comma = text.find(',');
    auto part = text.substr(0, comma);
    while (part.starts_with(' '))
      part.remove_prefix(1);
    while (part.ends_with(' '))
      part.remove_suffix(1);
    if (!part.empty())
      out.emplace_back(part);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return out;
}

std::string prefix_of(std::string_view profile) {
  return "fondaco.dataspace." + std::string(profile) + ".counterparty.";
}

// Calls `use(alias, value)` for every entry `<prefix><alias><suffix>`; `use` ends the walk by returning true.
template <class F> void each_alias(const entries& from, const std::string& prefix, std::string_view suffix, F use) {
  for (auto it = from.lower_bound(prefix); it != from.end() && it->first.starts_with(prefix); ++it) {
    std::string_view rest = std::string_view(it->first).substr(prefix.size());
    if (rest.size() > suffix.size() && rest.ends_with(suffix) &&
        use(std::string(rest.substr(0, rest.size() - suffix.size())), it->second))
      return;
  }
}

counterparty read_counterparty(const participant& p, const std::string& prefix, const std::string& alias) {
  counterparty out;
  if (auto id = p.entries.find(prefix + alias + ".id"); id != p.entries.end())
    out.id = id->second;
  if (auto text = p.entries.find(prefix + alias + ".attributes"); text != p.entries.end())
    if (auto parsed = json::parse(text->second); parsed && parsed->is_object())
      out.attributes = parsed->get_object();
  return out;
}

} // namespace

std::optional<participant> read_participant(cell_services& s, const tenant& owner) {
  auto context = s.documents.get({owner, kinds::participant_context, owner.id()});
  if (!context)
    throw store_silent("the participant context cannot be read");
  if (!*context)
    return std::nullopt;
  auto body = json::parse((*context)->body);
  if (!body || !body->is_object())
    return std::nullopt;
  participant p{owner, std::string(json::string_at(body->get_object(), "identity").value_or("")), {}, {}, {}};
  auto config = s.documents.get({owner, kinds::participant_config, owner.id()});
  if (!config)
    throw store_silent("the participant's configuration cannot be read");
  if (*config) {
    if (auto parsed = json::parse((*config)->body); parsed && parsed->is_object()) {
      read_entries(parsed->get_object(), "entries", p.entries);
      read_entries(parsed->get_object(), "privateEntries", p.sealed_entries);
    }
  }
  if (auto csv = p.entries.find("edc.dataspace.profiles"); csv != p.entries.end())
    p.profiles = split(csv->second);
  return p;
}

std::optional<counterparty> accept_token(cell_services& s, const participant& p, std::string_view profile,
                                         std::string_view token) {
  if (token.empty())
    return std::nullopt;
  auto prefix = prefix_of(profile);
  std::optional<counterparty> found;
  // Every configured token is compared, so that the time tells nothing about which one matched.
  each_alias(p.sealed_entries, prefix, ".accepts", [&](const std::string& alias, const std::string& sealed) {
    auto expected = s.vault.open(p.owner, sealed);
    if (!expected && expected.error() == persistence::vault_errc::unavailable)
      throw store_silent("the vault cannot be read");
    if (expected && constant_time_equal(sha256(*expected), sha256(token)) && !found)
      found = read_counterparty(p, prefix, alias);
    return false;
  });
  return found && !found->id.empty() ? found : std::nullopt;
}

std::optional<std::string> token_for(cell_services& s, const participant& p, std::string_view profile,
                                     std::string_view counterparty_id) {
  auto prefix = prefix_of(profile);
  std::optional<std::string> found;
  each_alias(p.entries, prefix, ".id", [&](const std::string& alias, const std::string& id) {
    if (id != counterparty_id)
      return false;
    auto sealed = p.sealed_entries.find(prefix + alias + ".presents");
    if (sealed == p.sealed_entries.end())
      return false;
    auto opened = s.vault.open(p.owner, sealed->second);
    if (!opened && opened.error() == persistence::vault_errc::unavailable)
      throw store_silent("the vault cannot be read");
    if (opened)
      found = std::move(*opened);
    return true;
  });
  return found;
}

std::optional<milliseconds> duration_of(std::string_view text) {
  constexpr int64_t longest_ms = 30LL * 24 * 3'600'000;
  int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < 0 || n > longest_ms)
    return std::nullopt;
  return milliseconds(n);
}

milliseconds duration_entry(const participant& p, std::string_view name, milliseconds otherwise) {
  auto found = p.entries.find(name);
  return found == p.entries.end() ? otherwise : duration_of(found->second).value_or(otherwise);
}

std::string dsp_base(const cell_settings& settings, const tenant& owner, std::string_view profile) {
  return settings.protocol_url + "/api/dsp/" + owner.id() + "/" + std::string(profile);
}

} // namespace fondaco::cells
