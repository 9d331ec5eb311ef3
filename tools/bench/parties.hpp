#pragma once

#include <map>
#include <string>
#include <vector>

#include "protocols/json/json.hpp"
#include "tools/bench/negotiator.hpp"
#include "tools/bench/report.hpp"
#include "tools/fondaco/demo_http.hpp"
#include "tools/fondaco/demo_node.hpp"

namespace fondaco::bench {

/// Providers with an offer each on one node and consumers on another, who trust in pairs: the real program in two
/// processes, driven over their Management APIs. Negotiations may be started and looked at from several threads at
/// once.
class parties final : public negotiating_parties {
public:
  /// Two nodes in this folder on these databases; SQLite files in the folder if they are empty. The providers, one or
  /// as many as the consumers, are taken in turn.
  parties(const std::string& folder, const std::string& provider_store, const std::string& consumer_store,
          size_t providers, size_t consumers);

  /// Starts the nodes.
  measured<void> start(const std::string& program);
  /// Sets these consumers and their providers up, up to the offer in each consumer's hands.
  measured<void> set_up(size_t from, size_t to);
  /// Both, for all consumers.
  measured<void> set_up(const std::string& program);
  /// A fresh token for each node.
  measured<void> get_tokens();

  /// Posts a consumer's request for the offer; gives the negotiation's id.
  measured<std::string> request(size_t consumer) override;

  /// The state of a consumer's negotiation.
  measured<std::string> state(size_t consumer, const std::string& id) override;

  /// Why a negotiation ended, as its consumer's node says.
  std::string reason(size_t consumer, const std::string& id) override;

  /// Gets the provider's liveness: a plain HTTP exchange that touches no entity and no database.
  measured<void> liveness();

  /// Where the nodes' logs are.
  std::string logs() const { return provider_.log_file() + " " + consumer_.log_file(); }

private:
  struct party {
    tools::demo_node& node;
    std::string id;
    std::string identity;
  };

  measured<json::object> call(tools::demo_node& n, const std::string& method, const std::string& path,
                              const json::object& body = {});
  measured<void> get_token(tools::demo_node& n);
  measured<void> add_party(const party& p);
  measured<void> introduce(const party& a, const party& b);
  measured<void> trust(const party& who, const party& whom, const std::string& accepts, const std::string& presents);
  const party& provider_of(size_t consumer) const { return providers_[consumer % providers_.size()]; }
  measured<void> set_up_one(size_t consumer);
  measured<void> publish(const party& provider);
  measured<std::string> find_offer(const party& consumer, const party& provider);
  std::string dsp_of(const party& provider) const;

  tools::demo_node provider_;
  tools::demo_node consumer_;
  std::vector<party> providers_;
  std::vector<party> consumers_;
  tools::demo_http http_;
  std::map<std::string, std::string> tokens_;
  /// Of each provider, once it is set up: the request for what it offers.
  std::vector<std::string> request_bodies_;
};

} // namespace fondaco::bench
