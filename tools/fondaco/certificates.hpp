#pragma once

#include <expected>
#include <string>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::tools {

namespace limits {
/// How long the authority that `fondaco init` makes is good for.
inline constexpr std::chrono::days authority_valid{3650};
/// How long a certificate of it is good for.
inline constexpr std::chrono::days certificate_valid{397};
} // namespace limits

/// A certificate and its private key, as PEM texts.
struct key_and_certificate {
  std::string certificate;
  std::string key;
};

/// An authority of an installation's own and one certificate of it, good for these host names and IP addresses; both
/// are valid from a day before `now`, so that clocks need not agree.
struct made_certificates {
  key_and_certificate authority;
  /// Its `certificate` holds the authority's after its own.
  key_and_certificate server;
};

/// Makes both, on fresh P-256 keys; a fault names what the cryptographic library refused, as a malformed host.
std::expected<made_certificates, fault> make_certificates(const std::string& name,
                                                          const std::vector<std::string>& hosts, timepoint now);

/// What a certificate file says of its first certificate.
struct certificate_facts {
  timepoint not_before;
  timepoint not_after;
};

/// Reads a PEM file; a fault if it cannot be read or its first certificate is none.
std::expected<certificate_facts, fault> read_certificate(const std::string& path);

/// True if the first certificate of a file is good for a host name or IP address.
bool certificate_names(const std::string& path, const std::string& host);

/// True if the private key in `key_path` belongs to the first certificate in `path`.
bool key_belongs(const std::string& path, const std::string& key_path);

} // namespace fondaco::tools
