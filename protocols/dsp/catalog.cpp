#include "protocols/dsp/envelope.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::dsp {

namespace {

json::object service_json(const catalog& c) {
  json::object out;
  out["@id"] = c.service_id;
  out["@type"] = "DataService";
  out["endpointURL"] = c.endpoint_url;
  return out;
}

/// A property must not pass for a member that the protocol gives meaning to.
bool is_property(std::string_view name) {
  return !name.empty() && name.front() != '@' && name != "hasPolicy" && name != "distribution" && name != "target";
}

/// The dataset is the implied target of its offers, and the schema forbids to name it.
json::object offer_json(const json::object& offer) {
  invariant(offer.contains("@id"), "an offer has an id");
  auto out = without_empty_lists(offer);
  out.erase("target");
  out["@type"] = "Offer";
  return out;
}

/// Services are embedded whole: a processor of JSON-LD reads a bare string there as a literal, not as a reference.
json::object distribution_json(const catalog& c, const distribution& d) {
  json::object out;
  out["@type"] = "Distribution";
  out["format"] = d.format;
  out["accessService"] = service_json(c);
  return out;
}

void put_dataset(json::object& out, const catalog& c, const dataset& d) {
  out["@id"] = d.id;
  out["@type"] = "Dataset";
  for (const auto& [name, v] : d.properties)
    if (is_property(name))
      out[name] = v;
  json::array offers, distributions;
  for (const auto& offer : d.offers)
    offers.push_back(offer_json(offer));
  for (const auto& one : d.distributions)
    distributions.push_back(distribution_json(c, one));
  out["hasPolicy"] = std::move(offers);
  out["distribution"] = std::move(distributions);
}

} // namespace

json::object write_catalog(const catalog& c) {
  auto out = write_root("Catalog", c.id);
  out["participantId"] = c.participant_id;
  json::array services, datasets;
  services.push_back(service_json(c));
  out["service"] = std::move(services);
  for (const auto& d : c.datasets) {
    if (d.offers.empty() || d.distributions.empty())
      continue;
    json::object o;
    put_dataset(o, c, d);
    datasets.push_back(std::move(o));
  }
  if (!datasets.empty())
    out["dataset"] = std::move(datasets);
  return out;
}

json::object write_dataset(const catalog& c, const dataset& d) {
  invariant(!d.offers.empty() && !d.distributions.empty(), "a dataset that is shown has an offer and a distribution");
  auto out = write_root("Dataset");
  put_dataset(out, c, d);
  return out;
}

std::expected<json::value, fault> read_catalog_request(const json::value& body) {
  if (const auto* o = body.if_object(); o && jsonld::is_expanded(*o)) {
    auto plain = jsonld::bare_members(*o);
    plain["@context"] = json::array{json::value(context_url)};
    return read_catalog_request(json::value(std::move(plain)));
  }
  auto root = read_root(body, "CatalogRequestMessage");
  if (!root)
    return std::unexpected(root.error());
  const auto* filter = (*root)->if_contains("filter");
  if (!filter || filter->is_null())
    return json::value(nullptr);
  if (filter->is_array())
    return json::value(*filter);
  if (const auto* o = filter->if_object()) {
    json::array one;
    // A filter without members leaves nothing out.
    if (!o->empty())
      one.push_back(*o);
    return json::value(std::move(one));
  }
  return std::unexpected(jsonld::make_fault(
      jsonld::message_errc::wrong_field, "CatalogRequestMessage: filter is neither an array nor an object; allowed is "
                                         "an array of filter objects"));
}

json::object write_catalog_request(const json::value& filter) {
  auto out = write_root("CatalogRequestMessage");
  if (filter.is_array()) {
    out["filter"] = filter;
  } else if (!filter.is_null()) {
    json::array one;
    one.push_back(filter);
    out["filter"] = std::move(one);
  }
  return out;
}

} // namespace fondaco::dsp
