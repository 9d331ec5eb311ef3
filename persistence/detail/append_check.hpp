#pragma once

#include <span>
#include <string>
#include <string_view>

#include "persistence/journal.hpp"

namespace fondaco::persistence {

namespace limits {
/// The longest public name in bytes.
inline constexpr size_t name_bytes_max = 1024;
/// The longest cause of an event in bytes.
inline constexpr size_t cause_bytes_max = 1024;
/// The longest view of an entity in bytes.
inline constexpr size_t view_bytes_max = 1u << 18;
} // namespace limits

namespace detail {

/// True if the bytes are UTF-8 (RFC 3629) without U+0000: what every store can keep as text.
bool is_storable_text(std::string_view bytes) noexcept;

/// True if JSON text holds the escape of U+0000, which PostgreSQL's jsonb cannot keep.
bool has_escaped_nul(std::string_view json) noexcept;

/// True if every journal can keep this append: within the limits, well-formed text, no U+0000. All journals ask this
/// first, so that they refuse the same.
bool is_storable(const entity_append& a);

/// True if every journal can keep these marks of a claim.
bool is_storable_claim(const tenant& owner, std::span<const seen_mark> marks);

/// True if an id stands twice among the marks.
bool names_twice(std::span<const seen_mark> marks);

/// True if every journal can be asked about these kinds of a tenant.
bool is_storable_scope(const tenant& owner, std::span<const std::string> kinds);

/// The view as it is stored: an empty one is `{}`.
std::string_view view_of(const entity_append& a) noexcept;

/// The name by which a shard's row knows its owner: the node and this incarnation of it.
std::string owner_name(std::string_view node, std::string_view incarnation);

/// A random name for this life of a process: a node that was restarted is another owner.
std::string make_incarnation();

/// The length of what `owner_name` puts behind the node's name.
inline constexpr int incarnation_suffix_bytes = 17;

} // namespace detail
} // namespace fondaco::persistence
