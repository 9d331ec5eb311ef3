#include "protocols/dcp/scope.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/dcp/messages.hpp"

namespace fondaco::dcp {

namespace {

constexpr std::string_view type_alias = "org.eclipse.dspace.dcp.vc.type:";
constexpr std::string_view id_alias = "org.eclipse.dspace.dcp.vc.id:";
constexpr size_t scope_bytes_max = 1024;

} // namespace

std::expected<scope, fault> parse_scope(std::string_view text) {
  const auto bad = [&] {
    return std::unexpected(fault{std::string(name_of(dcp_errc::bad_scope)),
                                 "'" + std::string(cut_utf8(text, 128)) +
                                     "' is no scope: org.eclipse.dspace.dcp.vc.type:<type>[:read] or "
                                     "org.eclipse.dspace.dcp.vc.id:<id>[:read].",
                                 cure::fix_input});
  };
  scope out;
  auto rest = text;
  if (text.size() > scope_bytes_max)
    return bad();
  if (rest.starts_with(type_alias))
    rest.remove_prefix(type_alias.size());
  else if (rest.starts_with(id_alias)) {
    rest.remove_prefix(id_alias.size());
    out.by_id = true;
  } else
    return bad();
  if (rest.ends_with(":write"))
    return bad();
  for (const std::string_view operation : {":read", ":all", ":*"})
    if (rest.ends_with(operation)) {
      rest.remove_suffix(operation.size());
      break;
    }
  // Scopes stand side by side in a token, with blanks between them.
  if (rest.empty() || std::ranges::any_of(rest, [](unsigned char c) { return c <= 0x20 || c == 0x7f; }))
    return bad();
  out.discriminator = rest;
  return out;
}

std::string write_scope(const scope& s) {
  return std::string(s.by_id ? id_alias : type_alias) + s.discriminator + ":read";
}

bool covers(const scope& s, const vc::credential& c) noexcept {
  if (s.by_id)
    return !c.id.empty() && c.id == s.discriminator;
  if (std::ranges::find(c.types, s.discriminator) != c.types.end())
    return true;
  const auto hash = s.discriminator.rfind('#');
  if (hash == std::string::npos)
    return false;
  const auto wanted_context = std::string_view(s.discriminator).substr(0, hash);
  const auto wanted_type = std::string_view(s.discriminator).substr(hash + 1);
  return std::ranges::find(c.types, wanted_type) != c.types.end() &&
         std::ranges::find(c.contexts, wanted_context) != c.contexts.end();
}

} // namespace fondaco::dcp
