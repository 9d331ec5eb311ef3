#include "load/tenants.hpp"

#include <filesystem>

#include "e2e/text.hpp"

namespace fondaco::load {

namespace {

using e2e::organisation;

e2e::node_options options(const char* name, e2e::store_kind kind, const std::string& files) {
  e2e::node_options o;
  o.name = name;
  o.kind = kind;
  o.file_roots = {files};
  o.log_level = "warning";
  return o;
}

/// The file of a provider, in the folder of its own below the node's root.
std::string data_file(const std::string& files, const std::string& provider) {
  return files + "/" + provider + "/data.bin";
}

std::string provider_id(size_t i) { return "provider-" + std::to_string(i); }

/// The same file for each provider; gives the folder.
std::string make_data(std::string files, size_t pair_count) {
  const auto data = e2e::random_bytes(data_bytes);
  for (size_t i = 0; i < pair_count; ++i) {
    std::filesystem::create_directories(files + "/" + provider_id(i));
    e2e::write_private(data_file(files, provider_id(i)), data);
  }
  return files;
}

} // namespace

tenants::tenants(const std::string& folder, e2e::store_kind kind, size_t pair_count,
                 const std::function<void(e2e::node&)>& before_start)
    : files_(make_data(folder + "/files", pair_count)), provider_(options("provider", kind, files_), folder + "/p"),
      consumer_(options("consumer", kind, files_), folder + "/c"),
      digest_(e2e::sha256_of_file(data_file(files_, provider_id(0)))) {
  for (size_t i = 0; i < pair_count; ++i) {
    const auto provider = provider_id(i), consumer = "consumer-" + std::to_string(i);
    providers_.push_back({provider_, provider, "did:web:" + provider + ".example", e2e::good_attributes});
    consumers_.push_back({consumer_, consumer, "did:web:" + consumer + ".example", e2e::good_attributes});
  }
  for (auto* n : {&provider_, &consumer_}) {
    if (before_start)
      before_start(*n);
    n->start();
  }
  settle();
}

void tenants::settle() {
  e2e::management at_providers(provider_), at_consumers(consumer_);
  for (const auto& p : providers_) {
    e2e::add_organisation(at_providers, p);
    e2e::add_data_plane(at_providers, p);
    const auto members = e2e::policy("attribute.membership", "active");
    e2e::publish(at_providers, p, offered_asset, e2e::file_address(data_file(files_, p.id)), members, members);
  }
  for (const auto& c : consumers_)
    e2e::add_organisation(at_consumers, c);
  for (const auto& p : providers_)
    for (const auto& c : consumers_) {
      const auto from_provider = e2e::random_hex(32), from_consumer = e2e::random_hex(32);
      e2e::trust(at_providers, p, c.id, c.identity, c.attributes, from_consumer, from_provider);
      e2e::trust(at_consumers, c, p.id, p.identity, p.attributes, from_provider, from_consumer);
    }
}

} // namespace fondaco::load
