#include "protocols/dsp/envelope.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::dsp {

using jsonld::fields;
using jsonld::message_errc;
using jsonld::need;

namespace {

void check_type(fields& f, std::string_view type) {
  const std::string_view allowed[] = {type};
  f.one_of("@type", need::optional, allowed);
}

void read_properties(fields& f, const std::string& where, data_address& out) {
  const auto* v = f.find("endpointProperties");
  if (!v)
    return;
  const auto* list = v->if_array();
  std::span<const json::value> items =
      list ? std::span<const json::value>(list->data(), list->size()) : std::span<const json::value>(v, 1);
  if (items.size() > limits::list_items_max)
    f.refuse(message_errc::too_long, "endpointProperties has " + std::to_string(items.size()) + " items; allowed are " +
                                         std::to_string(limits::list_items_max));
  for (const auto& item : items) {
    if (f.failure())
      return;
    const auto* o = item.if_object();
    if (!o) {
      f.refuse(message_errc::wrong_field, "endpointProperties holds " + std::string(jsonld::kind_of(item)) +
                                              "; allowed are EndpointProperty objects");
      return;
    }
    fields property(*o, where + ".endpointProperties[" + std::to_string(out.properties.size()) + "]");
    check_type(property, "EndpointProperty");
    auto name = property.text("name", need::required, limits::url_bytes_max);
    if (!property.find("value"))
      property.refuse(message_errc::missing_field, "value is missing; required is a string");
    auto value = property.scalar("value", need::optional);
    if (property.failure())
      f.refuse(*property.failure());
    out.properties.emplace_back(std::move(name), std::move(value));
  }
}

} // namespace

std::expected<data_address, fault> read_data_address(const json::object& o, std::string where) {
  fields f(o, where);
  data_address out;
  check_type(f, "DataAddress");
  out.endpoint_type = f.text("endpointType", need::required, limits::url_bytes_max);
  out.endpoint = f.text("endpoint", need::optional, limits::url_bytes_max);
  read_properties(f, where, out);
  if (f.failure())
    return std::unexpected(*f.failure());
  return out;
}

std::expected<data_address, fault> read_data_address(const json::value& body) {
  const auto* o = body.if_object();
  if (!o)
    return std::unexpected(
        make_fault(message_errc::not_an_object,
                   "DataAddress is " + std::string(jsonld::kind_of(body)) + "; allowed is an object"));
  return read_data_address(*o, "DataAddress");
}

json::object write_data_address(const data_address& a) {
  invariant(!a.endpoint_type.empty(), "a data address has an endpoint type");
  json::object out;
  out["@type"] = "DataAddress";
  out["endpointType"] = a.endpoint_type;
  put(out, "endpoint", a.endpoint);
  json::array properties;
  for (const auto& [name, value] : a.properties) {
    json::object property;
    property["@type"] = "EndpointProperty";
    property["name"] = name;
    property["value"] = value;
    properties.push_back(std::move(property));
  }
  if (!properties.empty())
    out["endpointProperties"] = std::move(properties);
  return out;
}

} // namespace fondaco::dsp
