#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocols/base/time.hpp"

namespace fondaco {

/// The participant context that a thing belongs to; there is no default, so no key or query can forget it.
class tenant {
public:
  /// Names the tenant with this `participant_context_id`.
  explicit tenant(std::string participant_context_id) : id_(std::move(participant_context_id)) {}
  /// The `participant_context_id`.
  const std::string& id() const noexcept { return id_; }
  auto operator<=>(const tenant&) const = default;

private:
  std::string id_;
};

/// The number of a shard inside its group, 0 to 4095.
using shard_number = uint16_t;

namespace limits {
/// The count of shard numbers that an id can carry (12 bits).
inline constexpr uint32_t shards_max = 4096;
/// The longest id that a peer or an operator may choose, in bytes.
inline constexpr size_t id_bytes_max = 512;
} // namespace limits

/// A UUID that carries its shard: version 7 (time ordered) or 8 (derived), with the 12 bits after the version as shard.
class uuid {
public:
  /// The nil UUID.
  constexpr uuid() = default;
  /// The UUID with these 16 bytes in network order.
  explicit constexpr uuid(const std::array<uint8_t, 16>& bytes) : bytes_(bytes) {}
  /// The 16 bytes in network order.
  constexpr const std::array<uint8_t, 16>& bytes() const noexcept { return bytes_; }
  /// The shard in the 12 bits that follow the version.
  constexpr shard_number shard() const noexcept {
    return static_cast<shard_number>(((bytes_[6] & 0x0f) << 8) | bytes_[7]);
  }
  /// The version nibble.
  constexpr unsigned version() const noexcept { return bytes_[6] >> 4; }
  /// The canonical 36 lower-case characters.
  std::string text() const;
  auto operator<=>(const uuid&) const = default;

private:
  std::array<uint8_t, 16> bytes_{};
};

/// A version 7 UUID of this moment and shard; `random` fills the 62 bits after the variant (RFC 9562, section 5.7).
uuid make_uuid(timepoint at, shard_number shard, uint64_t random);

/// A version 8 UUID that is a function of the shard and the parts (SHA-256 over their lengths and bytes): a repeated
/// first message finds the entity that the first one made, without a look-up.
uuid derive_uuid(shard_number shard, std::initializer_list<std::string_view> parts);

/// The UUID that 36 characters name, in either case; nothing if they name none.
std::optional<uuid> parse_uuid(std::string_view text);

/// The shard that a tenant's entities live in: the first 32 bits of SHA-256 over its id, modulo the group's shards.
shard_number shard_of(const tenant& who, uint32_t shards);

} // namespace fondaco

template <> struct std::hash<fondaco::tenant> {
  size_t operator()(const fondaco::tenant& t) const noexcept { return std::hash<std::string>{}(t.id()); }
};
