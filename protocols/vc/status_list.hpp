#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "protocols/vc/credential.hpp"

namespace fondaco::vc {

namespace limits {
/// The bits of a list that we publish (W3C Bitstring Status List 1.0, "minimum length").
inline constexpr uint64_t status_list_bits = 131'072;
/// The longest list that is inflated, in bytes.
inline constexpr size_t status_list_bytes_max = 16u << 20;
} // namespace limits

/// The bits of a status list; bit 0 is the most significant of byte 0.
class status_bits {
public:
  /// So many bits, all clear, rounded up to whole bytes.
  explicit status_bits(uint64_t bits = limits::status_list_bits) : bytes_((bits + 7) / 8, '\0') {}
  /// The list that `encodedList` holds: multibase base64url (`u`) or base64 of GZIP (RFC 1952).
  static std::expected<status_bits, fault> decode(std::string_view encoded_list);
  /// `u` and the base64url of the GZIP.
  std::string encode() const;
  uint64_t size() const noexcept { return bytes_.size() * 8; }
  /// The bit; one outside the list is a fault.
  std::expected<bool, fault> at(uint64_t index) const;
  /// Sets a bit inside the list.
  void set(uint64_t index, bool value);

private:
  std::string bytes_;
};

/// The purpose and bits of a status list credential (`BitstringStatusListCredential` or `StatusList2021Credential`).
struct status_list {
  std::string purpose;
  status_bits bits;
};
/// Reads them from a credential; its signature and times are the caller's business.
std::expected<status_list, fault> read_status_list(const credential& list);

/// The list as a credential: subject `<url>#list`, the given purpose; a `BitstringStatusListCredential` in both forms,
/// as peers expect (DCP reference, section 4.1).
credential make_status_list(profile form, const std::string& url, const std::string& issuer, const std::string& purpose,
                            const status_bits& bits, timepoint now, milliseconds valid_for);

} // namespace fondaco::vc
