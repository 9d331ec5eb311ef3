#include "protocols/base/ids.hpp"

#include "protocols/base/fault.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco {
namespace {

constexpr bool hyphen_follows_byte(size_t i) { return i == 3 || i == 5 || i == 7 || i == 9; }

int nibble(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

void stamp(std::array<uint8_t, 16>& bytes, unsigned version, shard_number shard) {
  invariant(shard < limits::shards_max, "a shard number has 12 bits");
  bytes[6] = static_cast<uint8_t>(version << 4 | shard >> 8);
  bytes[7] = static_cast<uint8_t>(shard);
  bytes[8] = static_cast<uint8_t>(0x80 | (bytes[8] & 0x3f));
}

} // namespace

std::string uuid::text() const {
  const std::string digits = hex(std::string_view(reinterpret_cast<const char*>(bytes_.data()), bytes_.size()));
  std::string out;
  out.reserve(36);
  for (size_t i = 0; i < bytes_.size(); ++i) {
    out.append(digits, i * 2, 2);
    if (hyphen_follows_byte(i))
      out += '-';
  }
  return out;
}

uuid make_uuid(timepoint at, shard_number shard, uint64_t random) {
  const int64_t ms = to_epoch_ms(at);
  invariant(ms >= 0 && ms < (int64_t{1} << 48), "a version 7 UUID holds 48 bits of milliseconds since 1970");
  std::array<uint8_t, 16> bytes{};
  for (int i = 0; i < 6; ++i)
    bytes[i] = static_cast<uint8_t>(ms >> (40 - 8 * i));
  for (int i = 0; i < 8; ++i)
    bytes[8 + i] = static_cast<uint8_t>(random >> (56 - 8 * i));
  stamp(bytes, 7, shard);
  return uuid{bytes};
}

uuid derive_uuid(shard_number shard, std::initializer_list<std::string_view> parts) {
  std::string input;
  for (const auto part : parts) {
    // The length goes first, so that no two lists of parts run together into the same bytes.
    for (int shift = 56; shift >= 0; shift -= 8)
      input += static_cast<char>(static_cast<uint64_t>(part.size()) >> shift);
    input += part;
  }
  const std::string digest = sha256(input);
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(digest[i]);
  stamp(bytes, 8, shard);
  return uuid{bytes};
}

std::optional<uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36)
    return std::nullopt;
  std::array<uint8_t, 16> bytes{};
  size_t at = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int high = nibble(text[at]);
    const int low = nibble(text[at + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
    at += 2;
    if (hyphen_follows_byte(i) && text[at++] != '-')
      return std::nullopt;
  }
  return uuid{bytes};
}

shard_number shard_of(const tenant& who, uint32_t shards) {
  invariant(shards >= 1 && shards <= limits::shards_max, "a group has 1 to 4096 shards");
  const std::string digest = sha256(who.id());
  uint32_t head = 0;
  for (int i = 0; i < 4; ++i)
    head = head << 8 | static_cast<uint8_t>(digest[i]);
  return static_cast<shard_number>(head % shards);
}

} // namespace fondaco
