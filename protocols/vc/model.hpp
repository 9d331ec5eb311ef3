#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/vc/claims.hpp"
#include "protocols/vc/credential.hpp"

/// What the sources of this folder share; nothing outside includes it.
namespace fondaco::vc {

/// The base context of VCDM 1.1 and of VCDM 2.0.
inline constexpr std::string_view base_context_11 = "https://www.w3.org/2018/credentials/v1";
inline constexpr std::string_view base_context_20 = "https://www.w3.org/ns/credentials/v2";
/// The type that every credential and every presentation has.
inline constexpr std::string_view credential_type = "VerifiableCredential";
inline constexpr std::string_view presentation_type = "VerifiablePresentation";

/// A fault of this folder, as a result.
std::unexpected<fault> refuse(vc_errc e, std::string detail);

/// The member with this name; null if it is missing or JSON null, which peers write for what they leave out.
const json::value* member_of(const json::object& o, std::string_view name) noexcept;
/// The items of a member that may be one value or an array of them; none if it is not there.
std::vector<const json::value*> items_of(const json::object& o, std::string_view name);
/// True if the member is this text or an array that holds it.
bool says(const json::object& o, std::string_view name, std::string_view text);
/// The text of an optional member; empty if it is not there, a fault if it is no text.
std::expected<std::string, fault> text_of(const json::object& o, std::string_view name);
/// The text of a member that may be an object with an `id` instead (`issuer`, `holder`); empty if it is not there.
std::expected<std::string, fault> id_of(const json::object& o, std::string_view name);
/// The moment of an optional NumericDate claim.
std::expected<std::optional<timepoint>, fault> date_of(const json::object& claims, std::string_view name);
/// The later, or the earlier, of two moments that may be missing.
std::optional<timepoint> later(std::optional<timepoint> a, std::optional<timepoint> b);
std::optional<timepoint> earlier(std::optional<timepoint> a, std::optional<timepoint> b);

/// The credential that the members of either data model say, in whatever of the allowed shapes.
std::expected<credential, fault> read_model(const json::object& o, profile form);
/// The members of the form's own data model, as they are signed.
json::object write_signed_model(const credential& what);
/// The one DID that the subjects are about; nothing if there are several or none.
std::optional<std::string_view> only_subject(const credential& what);

} // namespace fondaco::vc
