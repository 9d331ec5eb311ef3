#include "persistence/detail/append_check.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "protocols/base/hash.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::persistence::detail {

namespace {

using uchar = unsigned char;

// The length of the well-formed sequence that begins here, 0 if there is none (RFC 3629, section 4).
size_t sequence_bytes(std::string_view s) noexcept {
  const auto at = [s](size_t i) { return i < s.size() ? static_cast<uchar>(s[i]) : uchar{0}; };
  const auto tail = [&at](size_t i) { return (at(i) & 0xc0) == 0x80; };
  const uchar lead = at(0), next = at(1);
  if (lead < 0x80)
    return 1;
  if (lead >= 0xc2 && lead <= 0xdf)
    return tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool overlong = lead == 0xe0 && next < 0xa0, surrogate = lead == 0xed && next > 0x9f;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool overlong = lead == 0xf0 && next < 0x90, beyond = lead == 0xf4 && next > 0x8f;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool is_text(std::string_view s, size_t bytes_max) noexcept { return s.size() <= bytes_max && is_storable_text(s); }

bool is_name(std::string_view s, size_t bytes_max) noexcept { return !s.empty() && is_text(s, bytes_max); }

bool is_storable_event(const event_record& e) noexcept {
  return is_name(e.type, fondaco::limits::id_bytes_max) && e.version <= 0x7fff && static_cast<uchar>(e.format) < 0x80 &&
         e.format != '\0' && e.payload.size() <= limits::payload_bytes_max &&
         (e.format != 'j' || is_storable_text(e.payload)) && is_text(e.cause, limits::cause_bytes_max);
}

bool is_storable_document(const document_write& d) {
  if (!is_name(d.kind, fondaco::limits::id_bytes_max) || !is_name(d.id, fondaco::limits::id_bytes_max))
    return false;
  return !d.body || (d.body->size() <= limits::payload_bytes_max && json::parse(*d.body).has_value());
}

bool is_view(std::string_view v) noexcept {
  return v.empty() ||
         (v.front() == '{' && v.back() == '}' && is_text(v, limits::view_bytes_max) && !has_escaped_nul(v));
}

} // namespace

bool is_storable_text(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (const auto c = static_cast<uchar>(bytes.front()); c != 0 && c < 0x80) {
      bytes.remove_prefix(1);
      continue;
    }
    const size_t n = sequence_bytes(bytes);
    if (n == 0 || bytes.front() == '\0')
      return false;
    bytes.remove_prefix(n);
  }
  return true;
}

bool has_escaped_nul(std::string_view json) noexcept {
  for (size_t at = json.find("\\u0000"); at != std::string_view::npos; at = json.find("\\u0000", at + 1)) {
    size_t before = at;
    while (before > 0 && json[before - 1] == '\\')
      --before;
    if ((at - before) % 2 == 0)
      return true;
  }
  return false;
}

bool is_storable(const entity_append& a) {
  constexpr size_t id_max = fondaco::limits::id_bytes_max;
  return is_name(a.key.owner.id(), id_max) && is_name(a.key.kind, id_max) && is_name(a.key.id, id_max) &&
         a.expected_seq >= 0 && !a.events.empty() && a.events.size() <= limits::append_events_max &&
         is_text(a.status, id_max) && is_view(a.view) && std::ranges::all_of(a.events, is_storable_event) &&
         std::ranges::all_of(a.seen, [](const seen_mark& m) { return is_name(m.id, limits::name_bytes_max); }) &&
         std::ranges::all_of(
             a.names,
             [](const name_claim& n) { return is_name(n.space, id_max) && is_name(n.name, limits::name_bytes_max); }) &&
         std::ranges::all_of(a.documents, is_storable_document);
}

bool is_storable_claim(const tenant& owner, std::span<const seen_mark> marks) {
  return is_name(owner.id(), fondaco::limits::id_bytes_max) && marks.size() <= limits::claim_marks_max &&
         std::ranges::all_of(marks, [](const seen_mark& m) { return is_name(m.id, limits::name_bytes_max); });
}

bool names_twice(std::span<const seen_mark> marks) {
  std::set<std::string_view> ids;
  return !std::ranges::all_of(marks, [&](const seen_mark& m) { return ids.insert(m.id).second; });
}

bool is_storable_scope(const tenant& owner, std::span<const std::string> kinds) {
  constexpr size_t id_max = fondaco::limits::id_bytes_max;
  return is_name(owner.id(), id_max) &&
         std::ranges::all_of(kinds, [](const std::string& k) { return is_name(k, id_max); });
}

std::string_view view_of(const entity_append& a) noexcept { return a.view.empty() ? "{}" : std::string_view(a.view); }

std::string owner_name(std::string_view node, std::string_view incarnation) {
  return std::string(node).append("#").append(incarnation);
}

std::string make_incarnation() {
  std::random_device source;
  std::string bytes;
  for (int i = 0; i < 8; ++i)
    bytes.push_back(static_cast<char>(source()));
  return hex(bytes);
}

} // namespace fondaco::persistence::detail
