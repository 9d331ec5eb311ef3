#include <algorithm>
#include <iterator>

#include "conformance/dsp/cases.hpp"
#include "conformance/dsp/messages.hpp"

namespace fondaco::conformance::dsp {

namespace {

std::string dataset_of(environment& env) { return env.config.of_case(env.key_prefix + "_DATASETID", random_uuid()); }

void verify_metadata(environment& env) {
  auto text = get(env, env.config.root_url + "/.well-known/dspace-version").raw.body;
  boost::system::error_code ec;
  auto body = json::parse(text, ec);
  const auto* items = !ec && body.is_object() ? body.get_object().if_contains("protocolVersions") : nullptr;
  if (items == nullptr || !items->is_array()) {
    throw failure("the version document has no array protocolVersions: " + text);
  }
  auto fits = [](const json::value& v) {
    const auto* o = v.if_object();
    const auto* version = o == nullptr ? nullptr : o->if_contains("version");
    auto present = [&](std::string_view key) { return o->contains(key) && !o->at(key).is_null(); };
    return version != nullptr && *version == "2025-1" && present("path") && present("binding");
  };
  if (std::ranges::none_of(items->get_array(), fits)) {
    throw failure("no entry has version 2025-1 with path and binding: " + text);
  }
  for (const auto& wrong : version_violations(body)) {
    env.log.note("version document: " + wrong);
  }
}

void verify_catalog(environment& env) {
  auto wanted = dataset_of(env);
  auto answer = post(env, env.config.base_url + "/catalog/request", catalog_request());
  auto catalog = accept_body(env, answer.raw.body, "Catalog");
  const auto* datasets = catalog.if_contains("dataset");
  if (datasets == nullptr || !datasets->is_array() || datasets->get_array().empty()) {
    throw failure("the catalog has no dataset");
  }
  if (std::ranges::none_of(datasets->get_array(), [&](const json::value& d) {
        return d.is_object() && id_of(d.get_object(), "@id") == wanted;
      })) {
    throw failure("the first page of the catalog does not contain the dataset '" + wanted + "'");
  }
}

void verify_dataset(environment& env) {
  auto wanted = dataset_of(env);
  auto answer = get(env, env.config.base_url + "/catalog/datasets/" + wanted);
  auto dataset = accept_body(env, answer.raw.body, "Dataset");
  if (auto id = id_of(dataset, "@id"); id != wanted) {
    throw failure("expected the dataset '" + wanted + "', got '" + id + "'");
  }
}

void verify_unknown_dataset(environment& env) {
  auto answer = get(env, env.config.base_url + "/catalog/datasets/" + dataset_of(env), true);
  auto error = accept_body(env, answer.raw.body, "CatalogError");
  if (error.at("@type") != "CatalogError") {
    throw failure("expected a CatalogError, got " + json::serialize(error));
  }
  if (answer.status != 404) {
    env.log.note("an unknown dataset was answered with " + std::to_string(answer.status) + ", not 404");
  }
}

} // namespace

std::vector<conformance_case> catalog_cases() {
  return {{"MET:01-01", "Verify metadata request", verify_metadata},
          {"CAT:01-01", "Verify catalog request", verify_catalog},
          {"CAT:01-02", "Verify dataset request", verify_dataset},
          {"CAT:01-03", "Verify dataset request not found", verify_unknown_dataset}};
}

std::vector<conformance_case> joined(std::vector<std::vector<conformance_case>> parts) {
  std::vector<conformance_case> all;
  for (auto& part : parts) {
    std::ranges::move(part, std::back_inserter(all));
  }
  return all;
}

std::vector<conformance_case> all_cases() {
  return joined({catalog_cases(), provider_negotiation_cases(), consumer_negotiation_cases(), provider_transfer_cases(),
                 consumer_transfer_cases()});
}

} // namespace fondaco::conformance::dsp
