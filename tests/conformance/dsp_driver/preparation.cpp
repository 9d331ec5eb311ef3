#include "conformance/dsp_driver/preparation.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fondaco::conformance::driver {

namespace {

std::vector<std::string> numbers(std::initializer_list<int> group_sizes) {
  std::vector<std::string> all;
  int group = 0;
  for (int size : group_sizes) {
    ++group;
    for (int i = 1; i <= size; ++i) {
      all.push_back("0" + std::to_string(group) + "0" + std::to_string(i));
    }
  }
  return all;
}

std::vector<std::string> asset_ids() {
  std::vector<std::string> ids{"CAT0101", "CAT0102", "ATP0101"};
  for (const auto& number : provider_negotiation_numbers()) {
    ids.push_back("ACN" + number);
  }
  return ids;
}

/// One call below the participant context.
struct step {
  std::string method, path;
  json::object body;
  bool exists_ok = false;
};

result<void> take_steps(node& n, const std::vector<step>& steps) {
  for (const auto& s : steps) {
    if (auto done = n.manage_participant(s.method, s.path, s.body, s.exists_ok); !done) {
      return std::unexpected(done.error());
    }
  }
  return {};
}

result<void> prepare_context(node& n, const options& o) {
  auto context = management_body("ParticipantContext");
  context["@id"] = o.participant_context;
  context["identity"] = o.identity;
  auto config = management_body("ParticipantContextConfig");
  json::object entries{{"fondaco.dsp.reaction.delay.ms", std::to_string(o.reaction_delay_ms)}};
  for (const auto& [key, value] : o.config) {
    entries[key] = value;
  }
  // The closed dataspace: one counterparty, with one token for both directions.
  auto counterparty = "fondaco.dataspace." + o.profile + ".counterparty.tck";
  entries[counterparty + ".id"] = "TCK_PARTICIPANT";
  entries[counterparty + ".attributes"] = "{}";
  config["entries"] = std::move(entries);
  config["privateEntries"] = json::object{{counterparty + ".accepts", n.counterparty_token()},
                                          {counterparty + ".presents", n.counterparty_token()}};
  auto association = management_body("AssociateDataspaceProfile");
  association["profiles"] = json::array{json::string(o.profile)};
  if (auto made = n.manage("POST", "/participants", context, true); !made) {
    return std::unexpected(made.error());
  }
  std::vector<step> steps{{"PUT", "/config", config}, {"PUT", "/profiles", association}};
  if (!o.data_plane_url.empty()) {
    json::object plane{{"dataplaneId", o.data_plane_id},
                       {"endpoint", o.data_plane_url},
                       {"transferTypes", json::array{"HttpData-PULL"}}};
    steps.push_back({"PUT", "/dataplanes", std::move(plane)});
  }
  return take_steps(n, steps);
}

/// Replaces what a key=value line cannot hold.
std::string escaped(const std::string& value) {
  std::string out;
  for (char c : value) {
    out += c == '\\' ? "\\\\" : c == '\n' ? "\\n" : std::string(1, c);
  }
  return out;
}

void add(std::string& text, const std::string& key, const std::string& value) {
  text += key + "=" + escaped(value) + "\n";
}

/// `CN` and `0101` to `CN_01_01_`.
std::string key_of(const std::string& group, const std::string& number) {
  return group + "_" + number.substr(0, 2) + "_" + number.substr(2) + "_";
}

result<std::string> case_properties(const kit_facts& facts) {
  std::string text;
  for (const auto& number : provider_negotiation_numbers()) {
    auto offer = facts.offers.find("ACN" + number);
    if (offer == facts.offers.end()) {
      return std::unexpected("the node's catalog does not offer ACN" + number + " to TCK_PARTICIPANT");
    }
    add(text, key_of("CN", number) + "DATASETID", offer->first);
    add(text, key_of("CN", number) + "OFFERID", offer->second);
  }
  for (const auto& number : consumer_negotiation_numbers()) {
    add(text, key_of("CN_C", number) + "DATASETID", "ACNC" + number);
  }
  for (const auto& number : transfer_numbers()) {
    add(text, key_of("TP", number) + "AGREEMENTID", facts.agreements.at("ATP" + number));
    add(text, key_of("TP", number) + "FORMAT", "HttpData-PULL");
    // The kit's own sample file gives this one case the agreement of its neighbour.
    add(text, key_of("TP_C", number) + "AGREEMENTID", "ATPC" + (number == "0105" ? std::string("0104") : number));
    add(text, key_of("TP_C", number) + "FORMAT", "HttpData-PULL");
  }
  for (const char* number : {"0101", "0102", "0103"}) {
    add(text, key_of("CAT", number) + "DATASETID", std::string("CAT") + number);
  }
  return text;
}

result<void> write_private(const std::string& path, const std::string& text) {
  http::descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  bool written = file.get() >= 0 && ::fchmod(file.get(), 0600) == 0 &&
                 ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return written ? result<void>{} : std::unexpected("writing '" + path + "': " + std::strerror(errno));
}

} // namespace

std::vector<std::string> provider_negotiation_numbers() { return numbers({4, 7, 4}); }
std::vector<std::string> consumer_negotiation_numbers() { return numbers({4, 6, 6}); }
std::vector<std::string> transfer_numbers() { return numbers({5, 5, 6}); }

result<void> prepare_participant(node& n, const options& o, const std::string& data_url) {
  if (auto context = prepare_context(n, o); !context) {
    return context;
  }
  for (const auto& id : asset_ids()) {
    auto asset = management_body("Asset");
    asset["@id"] = id;
    asset["properties"] = json::object{{"name", "conformance dataset " + id}, {"contenttype", "text/plain"}};
    asset["dataAddress"] = json::object{{"type", "HttpData"}, {"baseUrl", data_url + "/" + id}};
    if (auto made = n.manage_participant("POST", "/assets", asset, true); !made) {
      return std::unexpected(made.error());
    }
  }
  auto policy = management_body("PolicyDefinition");
  policy["@id"] = "P123";
  policy["policy"] = json::object{{"@type", "Set"}, {"permission", json::array{json::object{{"action", "use"}}}}};
  auto definition = management_body("ContractDefinition");
  definition["@id"] = "CD123";
  definition["accessPolicyId"] = "P123";
  definition["contractPolicyId"] = "P123";
  definition["assetsSelector"] = json::array{};
  return take_steps(n,
                    {{"POST", "/policydefinitions", policy, true}, {"POST", "/contractdefinitions", definition, true}});
}

result<std::map<std::string, std::string>> read_offers(node& n, const options& o) {
  auto catalog = n.send(o.base_url() + "/catalog/request",
                        {{"@context", json::array{"https://w3id.org/dspace/2025/1/context.jsonld"}},
                         {"@id", random_uuid()},
                         {"@type", "CatalogRequestMessage"}});
  if (!catalog) {
    return std::unexpected(catalog.error());
  }
  std::map<std::string, std::string> offers;
  auto take = [&](const json::value& dataset) {
    const auto* policies = dataset.is_object() ? dataset.get_object().if_contains("hasPolicy") : nullptr;
    if (policies != nullptr && policies->is_array() && !policies->get_array().empty()) {
      offers[text_of(dataset, "@id")] = text_of(policies->get_array().front(), "@id");
    }
  };
  const auto* datasets = catalog->is_object() ? catalog->get_object().if_contains("dataset") : nullptr;
  if (datasets != nullptr && datasets->is_array()) {
    for (const auto& dataset : datasets->get_array()) {
      take(dataset);
    }
  }
  for (const auto& id : asset_ids()) {
    if (!offers.contains(id)) {
      auto dataset = n.read(o.base_url() + "/catalog/datasets/" + id);
      if (!dataset) {
        return std::unexpected("the catalog lacks " + id + ": " + dataset.error());
      }
      take(*dataset);
    }
  }
  return offers;
}

result<void> write_properties(const node& n, const options& o, const kit_facts& facts) {
  auto cases = case_properties(facts);
  if (!cases) {
    return std::unexpected(cases.error());
  }
  std::string text;
  const std::string dsp = "dataspacetck.dsp.";
  add(text, "dataspacetck.ansi", "false");
  add(text, "dataspacetck.host", o.kit_host);
  add(text, "dataspacetck.port", std::to_string(o.kit_port));
  add(text, "dataspacetck.callback.address", "http://" + o.kit_host + ":" + std::to_string(o.kit_port));
  add(text, dsp + "default.wait", std::to_string(o.wait_seconds));
  add(text, dsp + "connector.agent.id", o.identity);
  add(text, dsp + "connector.http.url", o.base_url());
  add(text, dsp + "connector.http.base.url", o.root_url());
  add(text, dsp + "connector.http.headers.authorization", n.counterparty_authorization());
  add(text, dsp + "connector.negotiation.initiate.url", facts.webhook_url + "/negotiations/requests");
  add(text, dsp + "connector.transfer.initiate.url", facts.webhook_url + "/transfers/requests");
  return write_private(o.properties, text + *cases);
}

} // namespace fondaco::conformance::driver
