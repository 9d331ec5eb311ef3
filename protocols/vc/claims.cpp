#include "protocols/vc/claims.hpp"

namespace fondaco::vc {

std::string_view name_of(vc_errc e) noexcept {
  switch (e) {
  case vc_errc::malformed: return "malformed";
  case vc_errc::unsupported: return "unsupported";
  case vc_errc::contradictory: return "contradictory";
  case vc_errc::not_yet_valid: return "not_yet_valid";
  case vc_errc::expired: return "expired";
  case vc_errc::revoked: return "revoked";
  case vc_errc::schema_violated: return "schema_violated";
  case vc_errc::wrong_audience: return "wrong_audience";
  }
  return "malformed";
}

std::string_view name_of(profile p) noexcept { return p == profile::vc11_jwt ? "vc11-sl2021/jwt" : "vc20-bssl/jwt"; }

std::string_view edc_name_of(profile p) noexcept { return p == profile::vc11_jwt ? "VC1_0_JWT" : "VC2_0_JOSE"; }

std::optional<profile> parse_profile(std::string_view name) noexcept {
  if (name == "vc11-sl2021/jwt" || name == "vc10-sl2021/jwt" || name == "VC1_0_JWT")
    return profile::vc11_jwt;
  if (name == "vc20-bssl/jwt" || name == "VC2_0_JOSE")
    return profile::vc20_jose;
  return std::nullopt;
}

fault make_fault(vc_errc e, std::string detail) {
  return {std::string(name_of(e)), std::move(detail), cure::fix_input};
}

std::vector<std::string> texts_at(const json::object& o, std::string_view name) {
  std::vector<std::string> out;
  const auto* v = o.if_contains(name);
  const auto take = [&out](const json::value& one) {
    if (one.is_string())
      out.emplace_back(std::string_view(one.get_string()));
  };
  if (v && v->is_array())
    for (const auto& item : v->get_array())
      take(item);
  else if (v)
    take(*v);
  return out;
}

} // namespace fondaco::vc
