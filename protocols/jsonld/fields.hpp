#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::limits {
/// The longest URL that a peer may give, in bytes.
inline constexpr size_t url_bytes_max = 2048;
/// The longest free text of a message (a reason, a code, a property's value), in bytes.
inline constexpr size_t text_bytes_max = 16u << 10;
/// The most items of a list of texts (reasons, profiles, labels, endpoint properties).
inline constexpr size_t list_items_max = 256;
} // namespace fondaco::limits

namespace fondaco::jsonld {

/// Why a message is not one that we take; every cure is to fix the input.
enum class message_errc : uint8_t {
  /// The body is not a JSON object. The sender must send one.
  not_an_object = 1,
  /// `@context` is not an array of strings with the protocol's URL. The sender must name the context that it speaks.
  wrong_context,
  /// `@type` is not the message that belongs here. The sender must send the named one, or to the right path.
  wrong_type,
  /// A required field is missing or empty. The sender must add it.
  missing_field,
  /// A field is not of the kind or not among the values that are allowed. The sender must correct it.
  wrong_field,
  /// Two fields exclude each other and both are there, or neither. The sender must send exactly one.
  exclusive_fields,
  /// A field is longer than its limit. The sender must shorten it.
  too_long,
};

/// The enumerator's name.
std::string_view name_of(message_errc e) noexcept;

/// A fault of this kind.
fault make_fault(message_errc e, std::string detail);

/// Whether a field must be there.
enum class need : bool { optional, required };

/// Reads the fields of one object leniently (`unwrapped`; null counts as missing) and keeps the first fault, which
/// names the field: read all, then ask `failure()` once. A fault never quotes a value.
class fields {
public:
  /// Reads from `of`, which must outlive this; `where` names the object in faults, as `ContractRequestMessage`.
  fields(const json::object& of, std::string where) : of_(of), where_(std::move(where)) {}

  /// The member with this name; null if it is missing or JSON null.
  const json::value* find(std::string_view name) const noexcept;
  /// The text of a field; empty if it is not there.
  std::string text(std::string_view name, need n, size_t bytes_max = limits::id_bytes_max);
  /// The same, and numbers and booleans as their JSON text.
  std::string scalar(std::string_view name, need n, size_t bytes_max = limits::text_bytes_max);
  /// An http or https URL without its trailing slash.
  std::string base_url(std::string_view name, need n);
  /// The place in `allowed` of the field's text, with or without the `dspace:` prefix or IRI.
  std::optional<size_t> one_of(std::string_view name, need n, std::span<const std::string_view> allowed);
  /// A list of texts: an array or one text. Items that are not strings come as their JSON text.
  std::vector<std::string> texts(std::string_view name, need n, size_t bytes_max = limits::text_bytes_max);
  /// An object, alone or as the one item of an array; null if it is not there.
  const json::object* object(std::string_view name, need n);

  /// Keeps a fault, unless there is one already.
  void refuse(message_errc e, std::string detail);
  /// Keeps a fault of a nested object, unless there is one already.
  void refuse(fault f);
  /// The first fault.
  const std::optional<fault>& failure() const noexcept { return failure_; }

private:
  std::string bounded(std::string_view name, need n, std::string_view text, size_t bytes_max);
  void missing(std::string_view name, need n, std::string_view allowed);

  const json::object& of_;
  std::string where_;
  std::optional<fault> failure_;
};

} // namespace fondaco::jsonld
