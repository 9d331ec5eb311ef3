#include <algorithm>
#include <initializer_list>

#include "protocols/jose/jwt.hpp"
#include "protocols/vc/model.hpp"
#include "protocols/vc/presentation.hpp"

namespace fondaco::vc {

namespace {

constexpr std::string_view enveloped_presentation = "EnvelopedVerifiablePresentation";
constexpr std::string_view enveloped_credential = "EnvelopedVerifiableCredential";

using step = std::expected<void, fault>;

/// The compact JWS in an enveloping object's `id`, which is a data URL of this media type.
std::expected<std::string_view, fault> unwrap(const json::object& o, std::string_view type, std::string_view media) {
  const auto what = "the " + std::string(type);
  const auto prefix = "data:" + std::string(media) + ",";
  const auto url = json::string_at(o, "id");
  if (!url || !url->starts_with(prefix))
    return refuse(vc_errc::malformed, what + "'s 'id' does not start with " + prefix);
  const auto compact = url->substr(prefix.size());
  if (compact.find(';') != compact.npos)
    return refuse(vc_errc::unsupported, what + "'s 'id' holds several tokens; send one in each entry");
  return compact;
}

std::expected<std::vector<std::string>, fault> read_audiences(const json::object& claims) {
  std::vector<std::string> out;
  for (const auto* item : items_of(claims, "aud")) {
    const auto* text = item->if_string();
    if (!text)
      return refuse(vc_errc::malformed, "'aud' is neither a text nor an array of texts");
    out.emplace_back(text->data(), text->size());
  }
  // An audience that names nobody is no missing one.
  if (out.empty() && member_of(claims, "aud"))
    return refuse(vc_errc::malformed, "'aud' is an empty array");
  return out;
}

/// Takes a holder that one more place names; all have to name the same.
step agree_on_holder(signed_presentation& p, std::expected<std::string, fault> named, std::string_view where) {
  if (!named)
    return std::unexpected(std::move(named.error()));
  if (named->empty())
    return {};
  if (p.holder.empty())
    p.holder = std::move(*named);
  else if (p.holder != *named)
    return refuse(vc_errc::contradictory, "'" + std::string(where) + "' names another holder");
  return {};
}

/// The claims of the token that the holder's signature covers. `sub` is the holder too where it is there.
step read_claims(signed_presentation& p, const json::object& claims) {
  for (const char* name : {"iss", "sub"})
    if (auto agreed = agree_on_holder(p, text_of(claims, name), name); !agreed)
      return agreed;
  auto jti = text_of(claims, "jti");
  auto audiences = read_audiences(claims);
  const auto issued_at = date_of(claims, "iat");
  const auto not_before = date_of(claims, "nbf");
  const auto expires_at = date_of(claims, "exp");
  for (const fault* f : std::initializer_list<const fault*>{
           jti ? nullptr : &jti.error(), audiences ? nullptr : &audiences.error(),
           issued_at ? nullptr : &issued_at.error(), not_before ? nullptr : &not_before.error(),
           expires_at ? nullptr : &expires_at.error()})
    if (f)
      return std::unexpected(*f);
  if (!jti->empty())
    p.jti = std::move(*jti);
  p.audiences = std::move(*audiences);
  p.issued_at = *issued_at;
  p.not_before = *not_before;
  p.expires_at = *expires_at;
  return {};
}

std::expected<std::string_view, fault> compact_of(const json::value& item, profile form) {
  const auto* text = item.if_string();
  const auto* o = item.if_object();
  if (form == profile::vc11_jwt && text)
    return std::string_view(text->data(), text->size());
  if (form == profile::vc20_jose && o && says(*o, "type", enveloped_credential))
    return unwrap(*o, enveloped_credential, "application/vc+jwt");
  return refuse(vc_errc::unsupported, form == profile::vc11_jwt
                                          ? "'verifiableCredential' holds something other than compact JWS"
                                          : "'verifiableCredential' holds something other than enveloped credentials");
}

/// Reads one presentation object into what was read of others.
step read_model_into(signed_presentation& p, const json::object& vp) {
  if (!says(vp, "type", presentation_type))
    return refuse(vc_errc::malformed, "the presentation's 'type' is not VerifiablePresentation");
  if (auto agreed = agree_on_holder(p, id_of(vp, "holder"), "holder"); !agreed)
    return agreed;
  for (const auto* item : items_of(vp, "verifiableCredential")) {
    const auto compact = compact_of(*item, p.form);
    if (!compact)
      return std::unexpected(compact.error());
    if (p.credentials.size() == limits::presentation_credentials_max)
      return refuse(vc_errc::malformed, "the presentation holds more than " +
                                            std::to_string(limits::presentation_credentials_max) + " credentials");
    p.credentials.emplace_back(*compact);
  }
  return {};
}

step read_content(signed_presentation& p, const json::object& claims) {
  const auto* vp = member_of(claims, "vp");
  const bool is_model_itself = member_of(claims, "verifiableCredential") || says(claims, "type", presentation_type);
  if (vp && is_model_itself)
    return refuse(vc_errc::contradictory, "the payload is a presentation and has another in its 'vp' claim");
  if (!vp) {
    p.form = profile::vc20_jose;
    if (!says(claims, "@context", base_context_20))
      return refuse(vc_errc::malformed,
                    "there is no 'vp' claim, and '@context' does not hold " + std::string(base_context_20));
    return read_model_into(p, claims);
  }
  const auto models = items_of(claims, "vp");
  if (models.empty())
    return refuse(vc_errc::malformed, "the 'vp' claim is an empty array");
  for (const auto* model : models) {
    if (!model->is_object())
      return refuse(vc_errc::malformed, "the 'vp' claim is neither an object nor an array of objects");
    if (auto good = read_model_into(p, model->get_object()); !good)
      return good;
  }
  return {};
}

std::expected<signed_presentation, fault> read_inner(jose::jwt token) {
  signed_presentation p;
  p.envelope = std::move(token.envelope);
  if (auto good = read_claims(p, token.claims); !good)
    return std::unexpected(std::move(good.error()));
  if (auto good = read_content(p, token.claims); !good)
    return std::unexpected(std::move(good.error()));
  if (p.holder.empty())
    return refuse(vc_errc::malformed, "neither 'iss' nor 'holder' names the presentation's holder");
  return p;
}

/// What the outer token of a double wrap says besides. Only the inner signature is the caller's to check, so the outer
/// claims can shorten what the inner ones say and never stand in for a missing one: anybody could write them.
step restrict(signed_presentation& p, const jose::jwt& outer) {
  signed_presentation said;
  said.holder = p.holder;
  if (auto good = read_claims(said, outer.claims); !good)
    return good;
  if (outer.envelope.kid != p.envelope.kid)
    return refuse(vc_errc::contradictory, "the presentation and its wrapping are signed with different keys");
  if (!p.audiences.empty() && !said.audiences.empty()) {
    std::erase_if(p.audiences,
                  [&](const auto& a) { return std::ranges::find(said.audiences, a) == said.audiences.end(); });
    if (p.audiences.empty())
      return refuse(vc_errc::contradictory, "the presentation and its wrapping are meant for different audiences");
  }
  p.issued_at = later(p.issued_at, said.issued_at);
  p.not_before = later(p.not_before, said.not_before);
  if (p.expires_at)
    p.expires_at = earlier(p.expires_at, said.expires_at);
  return {};
}

std::expected<jose::jwt, fault> parse(std::string_view compact) {
  if (compact.size() > limits::presentation_bytes_max)
    return refuse(vc_errc::malformed,
                  "the presentation has more than " + std::to_string(limits::presentation_bytes_max) + " bytes");
  auto token = jose::parse_jwt(compact);
  if (!token)
    return refuse(token.error().code == jose::jwt_errc::malformed ? vc_errc::malformed : vc_errc::unsupported,
                  token.error().detail);
  return std::move(*token);
}

std::expected<signed_presentation, fault> read_compact(std::string_view compact) {
  auto outer = parse(compact);
  if (!outer)
    return std::unexpected(std::move(outer.error()));
  if (!says(outer->claims, "type", enveloped_presentation))
    return read_inner(std::move(*outer));
  const auto wrapped = unwrap(outer->claims, enveloped_presentation, "application/vp+jwt");
  if (!wrapped)
    return std::unexpected(wrapped.error());
  auto token = parse(*wrapped);
  if (!token)
    return std::unexpected(std::move(token.error()));
  auto p = read_inner(std::move(*token));
  if (!p)
    return p;
  if (auto good = restrict(*p, *outer); !good)
    return std::unexpected(std::move(good.error()));
  return p;
}

} // namespace

std::expected<signed_presentation, fault> read_presentation(const json::value& entry) {
  if (const auto* text = entry.if_string())
    return read_compact(std::string_view(text->data(), text->size()));
  const auto* o = entry.if_object();
  if (!o || !says(*o, "type", enveloped_presentation))
    return refuse(vc_errc::unsupported,
                  "a presentation is neither a compact JWS nor an EnvelopedVerifiablePresentation object");
  const auto compact = unwrap(*o, enveloped_presentation, "application/vp+jwt");
  if (!compact)
    return std::unexpected(compact.error());
  return read_compact(*compact);
}

} // namespace fondaco::vc
