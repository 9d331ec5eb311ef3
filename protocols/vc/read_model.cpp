#include <charconv>
#include <initializer_list>

#include "protocols/jsonld/fields.hpp"
#include "protocols/jsonld/lenient.hpp"
#include "protocols/vc/model.hpp"

namespace fondaco::vc {

namespace {

constexpr std::string_view bitstring_entry = "BitstringStatusListEntry";
constexpr std::string_view list2021_entry = "StatusList2021Entry";

/// Reads the members of one object and keeps the first fault: read all, then ask `failure()` once.
class model_reader {
public:
  explicit model_reader(const json::object& o) : of_(o) {}

  std::string text(std::string_view name) { return take(text_of(of_, name)); }
  std::string id(std::string_view name) { return take(id_of(of_, name)); }

  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> out;
    for (const auto* item : items_of(of_, name)) {
      const auto* text = item->if_string();
      if (!text || text->empty())
        refuse(vc_errc::malformed, "'" + std::string(name) + "' holds something other than non-empty texts");
      else
        out.emplace_back(text->data(), text->size());
    }
    return out;
  }

  /// Contexts that are objects say nothing to a reader that expands no JSON-LD, and are left out.
  std::vector<std::string> contexts() {
    std::vector<std::string> out;
    for (const auto* item : items_of(of_, "@context"))
      if (const auto* url = item->if_string())
        out.emplace_back(url->data(), url->size());
      else if (!item->is_object())
        refuse(vc_errc::malformed, "'@context' holds something other than texts and objects");
    return out;
  }

  /// What all these names say together: a credential that dates itself twice is valid only while both hold.
  std::optional<timepoint> moment(std::initializer_list<std::string_view> names,
                                  std::optional<timepoint> (*of_both)(std::optional<timepoint>,
                                                                      std::optional<timepoint>)) {
    std::optional<timepoint> out;
    for (const auto name : names) {
      const auto written = text(name);
      if (!member_of(of_, name))
        continue;
      const auto at = parse_rfc3339(written);
      if (!at)
        refuse(vc_errc::malformed, "'" + std::string(name) + "' is not an RFC 3339 date-time");
      out = of_both(out, at);
    }
    return out;
  }

  std::vector<const json::object*> objects(std::string_view name) {
    std::vector<const json::object*> out;
    for (const auto* item : items_of(of_, name))
      if (const auto* o = item->if_object())
        out.push_back(o);
      else
        refuse(vc_errc::malformed, "'" + std::string(name) + "' holds something other than objects");
    return out;
  }

  /// The one type of a nested object.
  std::string only_type() {
    auto types = texts("type");
    if (types.size() == 1)
      return std::move(types.front());
    refuse(vc_errc::malformed, "'type' is not one text");
    return {};
  }

  std::string required(std::string_view name) {
    auto out = text(name);
    if (out.empty())
      refuse(vc_errc::malformed, "'" + std::string(name) + "' is missing or empty");
    return out;
  }

  template <typename T> T take(std::expected<T, fault> r) {
    if (r)
      return std::move(*r);
    if (!failure_)
      failure_ = std::move(r.error());
    return {};
  }
  void refuse(vc_errc e, std::string detail) {
    if (!failure_)
      failure_ = make_fault(e, std::move(detail));
  }
  const std::optional<fault>& failure() const noexcept { return failure_; }

private:
  const json::object& of_;
  std::optional<fault> failure_;
};

std::unexpected<fault> within(std::string_view where, const fault& f) {
  return std::unexpected(fault{f.code, std::string(where) + ": " + f.detail, f.remedy});
}

/// W3C writes the index as a text, EDC as a number.
std::optional<uint64_t> read_count(const json::value* v) {
  if (!v)
    return std::nullopt;
  if (const auto* n = v->if_uint64())
    return *n;
  if (const auto* n = v->if_int64())
    return *n >= 0 ? std::optional<uint64_t>(*n) : std::nullopt;
  const auto* text = v->if_string();
  uint64_t n = 0;
  if (!text)
    return std::nullopt;
  const auto* end = text->data() + text->size();
  const auto [stop, failed] = std::from_chars(text->data(), end, n);
  return failed == std::errc() && stop == end ? std::optional(n) : std::nullopt;
}

std::expected<status_entry, fault> read_status(const json::object& o) {
  model_reader in(o);
  status_entry out;
  out.id = in.text("id");
  out.type = in.only_type();
  if (!in.failure() && out.type != bitstring_entry && out.type != list2021_entry)
    in.refuse(vc_errc::unsupported, "its type is neither BitstringStatusListEntry nor StatusList2021Entry");
  out.purpose = in.required("statusPurpose");
  out.list_url = in.required("statusListCredential");
  if (out.list_url.size() > fondaco::limits::url_bytes_max)
    in.refuse(vc_errc::malformed,
              "'statusListCredential' has more than " + std::to_string(fondaco::limits::url_bytes_max) + " bytes");
  const auto index = read_count(member_of(o, "statusListIndex"));
  if (!index)
    in.refuse(vc_errc::malformed, "'statusListIndex' is not a whole number of 0 or more");
  if (const auto* size = member_of(o, "statusSize"); size && read_count(size) != 1)
    in.refuse(vc_errc::unsupported, "'statusSize' is not 1");
  if (in.failure())
    return within("'credentialStatus'", *in.failure());
  out.index = *index;
  return out;
}

std::expected<schema_reference, fault> read_schema(const json::object& o) {
  model_reader in(o);
  schema_reference out{in.required("id"), in.only_type()};
  if (in.failure())
    return within("'credentialSchema'", *in.failure());
  return out;
}

std::expected<json::object, fault> read_subject(const json::object& o) {
  model_reader in(o);
  json::object out = o;
  if (in.text("id").empty())
    out.erase("id");
  if (in.failure())
    return within("'credentialSubject'", *in.failure());
  return out;
}

/// Names and descriptions in several languages are for people who read the credential itself.
std::string display_text(const json::object& o, std::string_view name) {
  const auto* v = member_of(o, name);
  const auto text = v ? jsonld::text_of(*v) : std::nullopt;
  return text ? std::string(*text) : std::string();
}

} // namespace

std::expected<credential, fault> read_model(const json::object& o, profile form) {
  model_reader in(o);
  credential out;
  out.form = form;
  out.contexts = in.contexts();
  out.id = in.text("id");
  out.types = in.texts("type");
  if (out.types.empty())
    in.refuse(vc_errc::malformed, "'type' is missing or empty");
  out.issuer = in.id("issuer");
  out.valid_from = in.moment({"issuanceDate", "issued", "validFrom"}, later);
  out.valid_until = in.moment({"expirationDate", "validUntil"}, earlier);
  for (const auto* s : in.objects("credentialSubject"))
    out.subjects.push_back(in.take(read_subject(*s)));
  if (out.subjects.empty())
    in.refuse(vc_errc::malformed, "'credentialSubject' is missing or empty");
  for (const auto* s : in.objects("credentialStatus"))
    out.statuses.push_back(in.take(read_status(*s)));
  for (const auto* s : in.objects("credentialSchema"))
    out.schemas.push_back(in.take(read_schema(*s)));
  out.name = display_text(o, "name");
  out.description = display_text(o, "description");
  if (in.failure())
    return std::unexpected(*in.failure());
  return out;
}

std::expected<credential, fault> from_model(const json::object& model, profile form) {
  auto out = read_model(model, form);
  if (out && out->issuer.empty())
    return refuse(vc_errc::malformed, "'issuer' is missing or empty");
  return out;
}

} // namespace fondaco::vc
