#include <algorithm>

#include "protocols/base/ids.hpp"
#include "protocols/base/text.hpp"
#include "protocols/did/document.hpp"

namespace fondaco::did {

namespace {

constexpr std::string_view prefix = "did:web:";
constexpr std::string_view file = "/did.json";
constexpr std::string_view well_known = "/.well-known";
constexpr int port_max = 65535;

int digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// One segment, its escapes resolved once.
std::optional<std::string> decoded(std::string_view segment) {
  std::string out;
  for (size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      out += segment[i];
      continue;
    }
    if (i + 2 >= segment.size() || digit(segment[i + 1]) < 0 || digit(segment[i + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(digit(segment[i + 1]) * 16 + digit(segment[i + 2]));
    i += 2;
  }
  return out;
}

bool is_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || text.front() == '0')
    return false;
  int port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return false;
    port = port * 10 + (c - '0');
  }
  return port <= port_max;
}

// A name or an address (IPv6 in brackets), with or without a port: nothing that could hold user information or a path.
bool is_authority(std::string_view text) noexcept {
  size_t host_end = 0;
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos || bracket < 3)
      return false;
    if (!std::ranges::all_of(text.substr(1, bracket - 1), [](char c) { return digit(c) >= 0 || c == ':' || c == '.'; }))
      return false;
    host_end = bracket + 1;
  } else {
    host_end = std::min(text.find(':'), text.size());
    const auto host = text.substr(0, host_end);
    const auto fits = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; };
    if (host.empty() || host.starts_with('.') || host.find("..") != std::string_view::npos ||
        !std::ranges::all_of(host, fits))
      return false;
  }
  return host_end == text.size() || (text[host_end] == ':' && is_port(text.substr(host_end + 1)));
}

// A segment of a path as DID and URL both write it; never one that reaches another folder.
bool is_segment(std::string_view segment) {
  const auto fits = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_' || c == '%'; };
  if (!std::ranges::all_of(segment, fits))
    return false;
  const auto plain = decoded(segment);
  return plain && !plain->empty() && *plain != "." && *plain != ".." &&
         std::ranges::none_of(*plain, [](unsigned char c) { return c == '/' || c == '\\' || c < 0x20 || c == 0x7f; });
}

std::unexpected<fault> malformed(std::string_view did) {
  return std::unexpected(
      fault{std::string(name_of(did_errc::malformed_did)),
            "'" + std::string(cut_utf8(did, 128)) + "' is no did:web: `did:web:<host>[%3A<port>][:<path>...]`.",
            cure::fix_input});
}

} // namespace

std::expected<std::string, fault> web_url(std::string_view did, bool plain_http) {
  if (!did.starts_with(prefix) || did.ends_with(':') || did.size() > fondaco::limits::id_bytes_max)
    return malformed(did);
  auto rest = did.substr(prefix.size());
  const auto colon = std::min(rest.find(':'), rest.size());
  const auto authority = decoded(rest.substr(0, colon));
  if (!authority || !is_authority(*authority))
    return malformed(did);
  rest.remove_prefix(colon);
  std::string path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto segment = rest.substr(0, std::min(rest.find(':'), rest.size()));
    if (!is_segment(segment))
      return malformed(did);
    // The URL keeps the escapes: decoded, they could mean something else in it.
    path += "/" + std::string(segment);
    rest.remove_prefix(segment.size());
  }
  if (path.empty())
    path = well_known;
  return (plain_http ? "http://" : "https://") + *authority + path + std::string(file);
}

std::optional<std::string> web_did(std::string_view host, std::string_view path) {
  if (host.size() + path.size() > 2 * fondaco::limits::id_bytes_max || !path.ends_with(file))
    return std::nullopt;
  std::string out(prefix);
  for (const char c : host) {
    if (c == ':')
      out += "%3A";
    else if (c == '[')
      out += "%5B";
    else if (c == ']')
      out += "%5D";
    else
      out += c;
  }
  const auto folder = path.substr(0, path.size() - file.size());
  if (folder != well_known)
    for (const char c : folder)
      out += c == '/' ? ':' : c;
  // Whatever else the host and the path hold, it is the DID's URL only if the DID leads back to it.
  if (web_url(out, false) != "https://" + std::string(host) + std::string(path))
    return std::nullopt;
  return out;
}

} // namespace fondaco::did
