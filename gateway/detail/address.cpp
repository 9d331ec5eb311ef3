#include "gateway/detail/address.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/detail/text.hpp"

namespace fondaco::gateway::detail {

namespace ip = boost::asio::ip;

namespace {

constexpr size_t host_bytes_max = 253;

struct block_v4 {
  uint32_t first;
  unsigned bits;
};

constexpr uint32_t v4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return a << 24 | b << 16 | c << 8 | d; }

constexpr std::array<block_v4, 15> special_v4{{
    {v4(0, 0, 0, 0), 8},       // this network
    {v4(10, 0, 0, 0), 8},      // private
    {v4(100, 64, 0, 0), 10},   // shared (carrier NAT)
    {v4(127, 0, 0, 0), 8},     // loopback
    {v4(169, 254, 0, 0), 16},  // link-local, cloud metadata
    {v4(172, 16, 0, 0), 12},   // private
    {v4(192, 0, 0, 0), 24},    // protocol assignments
    {v4(192, 0, 2, 0), 24},    // documentation
    {v4(192, 88, 99, 0), 24},  // 6to4 relays
    {v4(192, 168, 0, 0), 16},  // private
    {v4(198, 18, 0, 0), 15},   // benchmarks
    {v4(198, 51, 100, 0), 24}, // documentation
    {v4(203, 0, 113, 0), 24},  // documentation
    {v4(224, 0, 0, 0), 4},     // multicast
    {v4(240, 0, 0, 0), 4},     // reserved, broadcast
}};

bool is_public_v4(uint32_t a) {
  return std::ranges::none_of(special_v4, [a](const block_v4& b) { return (a ^ b.first) >> (32 - b.bits) == 0; });
}

uint32_t embedded_v4(const ip::address_v6::bytes_type& b, size_t at) {
  return v4(b[at], b[at + 1], b[at + 2], b[at + 3]);
}

template <size_t N> bool begins(const ip::address_v6::bytes_type& b, const std::array<unsigned char, N>& prefix) {
  return std::equal(prefix.begin(), prefix.end(), b.begin());
}

bool is_public_v6(const ip::address_v6::bytes_type& b) {
  constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<unsigned char, 12> nat64{0, 0x64, 0xff, 0x9b};
  constexpr std::array<unsigned char, 2> six_to_four{0x20, 0x02};
  if (begins(b, mapped) || begins(b, nat64))
    return is_public_v4(embedded_v4(b, 12));
  if (begins(b, six_to_four))
    return is_public_v4(embedded_v4(b, 2));
  // Only 2000::/3 is handed out (global unicast); loopback, unique local, link-local and multicast lie outside of it.
  if ((b[0] & 0xe0) != 0x20)
    return false;
  constexpr std::array<unsigned char, 4> teredo{0x20, 0x01, 0, 0};
  constexpr std::array<unsigned char, 4> documentation{0x20, 0x01, 0x0d, 0xb8};
  const bool protocol_assignments = b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02;
  return !begins(b, teredo) && !begins(b, documentation) && !protocol_assignments && b[0] != 0x3f;
}

bool is_url_character(char c) {
  constexpr std::string_view refused = "\"<>\\^`{|}";
  return c > 0x20 && c < 0x7f && refused.find(c) == refused.npos;
}

bool is_host_name(std::string_view s) {
  return !s.empty() && s.size() <= host_bytes_max && std::ranges::all_of(s, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

/// Splits `host`, `host:port`, `[v6]` and `[v6]:port`.
bool take_authority(std::string_view authority, url_target& out) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == authority.npos)
      return false;
    boost::system::error_code ec;
    const auto address = ip::make_address_v6(std::string(authority.substr(1, end - 1)), ec);
    if (ec || authority.substr(0, end).find('%') != authority.npos)
      return false;
    out.host = address.to_string();
    port = authority.substr(end + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    out.host = lower(authority.substr(0, colon));
    port = authority.substr(colon);
    if (!is_host_name(out.host))
      return false;
  }
  if (port.empty())
    return true;
  port.remove_prefix(1);
  const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  return bad == std::errc{} && end == port.data() + port.size() && out.port != 0;
}

} // namespace

bool is_public(const ip::address& a) {
  return a.is_v4() ? is_public_v4(a.to_v4().to_uint()) : is_public_v6(a.to_v6().to_bytes());
}

std::string url_target::authority() const {
  const auto shown = host.find(':') == host.npos ? host : '[' + host + ']';
  return port == (tls ? 443 : 80) ? shown : shown + ':' + std::to_string(port);
}

std::string url_target::key() const { return (tls ? "https:" : "http:") + host + ':' + std::to_string(port); }

std::optional<url_target> parse_url(std::string_view url) {
  if (!std::ranges::all_of(url, is_url_character))
    return std::nullopt;
  const auto scheme_end = url.find("://");
  if (scheme_end == url.npos)
    return std::nullopt;
  const auto scheme = lower(url.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https")
    return std::nullopt;
  url_target out;
  out.tls = scheme == "https";
  out.port = out.tls ? 443 : 80;
  url.remove_prefix(scheme_end + 3);
  url = url.substr(0, url.find('#'));
  const auto authority_end = std::min(url.find_first_of("/?"), url.size());
  const auto authority = url.substr(0, authority_end);
  const bool has_port_mark = authority.ends_with(':');
  if (authority.find('@') != authority.npos || has_port_mark || !take_authority(authority, out))
    return std::nullopt;
  out.target = url.substr(authority_end);
  if (!out.target.starts_with('/'))
    out.target.insert(out.target.begin(), '/');
  return out;
}

} // namespace fondaco::gateway::detail
