#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "protocols/base/fault.hpp"
#include "protocols/vc/credential.hpp"

namespace fondaco::dcp {

/// A scope of DCP: which credentials may be read (DCP reference, section 3.2).
struct scope {
  /// True for `org.eclipse.dspace.dcp.vc.id`, false for `...vc.type`.
  bool by_id = false;
  /// A credential type (`MembershipCredential`, or `<context>#MembershipCredential`) or a credential's id.
  std::string discriminator;
  bool operator==(const scope&) const = default;
};

/// Reads `org.eclipse.dspace.dcp.vc.type:MembershipCredential[:read]`; `write` alone grants nothing and is refused.
std::expected<scope, fault> parse_scope(std::string_view text);

/// The three-part form that verifiers send.
std::string write_scope(const scope& s);

/// True if the credential is one that the scope names.
bool covers(const scope& s, const vc::credential& c) noexcept;

} // namespace fondaco::dcp
