#pragma once

#include <map>
#include <string>

#include "tools/fondaco/journey_console.hpp"
#include "tools/fondaco/journey_world.hpp"

namespace fondaco::tools {

/// An organisation on its way.
struct journey_member {
  std::string name;
  std::string did;
  std::string application;
  std::string tenant;
  std::string profile;
  /// The participant context's id.
  std::string context;
};

/// The stages of the journey, each after the one before; every one throws `broken_journey` if it does not go as it
/// should.
class journey_stages {
public:
  journey_stages(const journey_options& o, journey_world& w, journey_console& c);

  /// Starts the processes.
  void start();
  /// The operator's part: the issuer, the dataspace profiles, the cell, the orchestrations.
  void prepare();
  /// Stage 1: three organisations apply.
  void apply();
  /// Stage 2: two are approved, one is not.
  void verify();
  /// Stage 3: the CFM provisions their tenants (and the operator hosts the third one all the same).
  void provision();
  /// Stage 4: the members' credentials are there.
  void receive_credentials();
  /// Stage 5: the provider publishes.
  void configure();
  /// Stage 6: the consumer finds, negotiates, transfers, pulls.
  void participate();
  /// Who has no credential is refused, and both sides say why.
  void refuse_stranger();
  /// Everything is taken down; nothing of the tenants stays readable.
  void dispose();

private:
  void make_issuer();
  void make_profile(const std::string& name, bool members);
  void make_orchestrations();
  void provision_stranger();
  std::string profile_state(const journey_member& m);
  json::object find_offer(const journey_member& who);
  std::string request_contract(const journey_member& who, json::object offer);
  std::string negotiation_state(const journey_member& who, const std::string& id);
  void negotiate(json::object offer);
  void crash_in_negotiation();
  void transfer();
  void pull_and_compare();
  void crash_in_pull(const std::string& endpoint, const std::string& token);
  void check_effects_once(demo_node& n, const std::string& id, const std::vector<std::string>& events);
  void restart(demo_node& n);
  void check_gone();
  std::string management(const journey_member& m, const std::string& path) const;
  std::string provider_dsp() const;

  const journey_options& options_;
  journey_world& world_;
  journey_console& console_;
  journey_member acme_{"acme", "", "", "", "", ""};
  journey_member globex_{"globex", "", "", "", "", ""};
  journey_member umbrella_{"umbrella", "", "", "", "", ""};
  std::map<std::string, std::string> dataspace_profiles_;
  std::string cell_;
  json::object offer_;
  std::string negotiation_;
  std::string transfer_;
};

} // namespace fondaco::tools
