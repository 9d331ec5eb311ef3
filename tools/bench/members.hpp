#pragma once

#include <memory>
#include <string>

#include "tools/bench/negotiator.hpp"
#include "tools/fondaco/journey_console.hpp"
#include "tools/fondaco/journey_world.hpp"

namespace fondaco::bench {

/// A node with all roles, and what an operator set up on it: the issuer, the cell, a dataspace of members. Tenants come
/// by the CFM and get their credential; the first one offers a dataset to members alone.
class members final : public negotiating_parties {
public:
  /// A node in this folder on this database; a SQLite file in the folder if it is empty.
  members(const std::string& program, const std::string& folder, const std::string& store);

  /// Starts the node and sets it up.
  measured<void> set_up();

  /// A tenant on its way: the CFM's ids.
  struct newcomer {
    std::string name;
    std::string tenant;
    std::string profile;
  };
  /// Makes a tenant without a participant profile.
  measured<newcomer> add_tenant();
  /// Posts its participant profile and waits until its participant agents answer: the profile is active, its
  /// credential is there, and its DSP endpoint gives its version document. Gives its participant context.
  measured<std::string> deploy(newcomer& n);
  /// As many durable commands as one: creates and shows nothing but a tenant's record.
  measured<void> write_record();

  /// Publishes as one participant, and finds the offer as another, who asks for it from now on.
  measured<void> offer(const std::string& provider, const std::string& consumer, const newcomer& who);

  measured<std::string> request(size_t consumer) override;
  measured<std::string> state(size_t consumer, const std::string& id) override;
  std::string reason(size_t consumer, const std::string& id) override;

  /// Gets a new token: one lives for five minutes. Not while others call.
  void renew_token();
  std::string log() const { return world_->control().log_file(); }

private:
  measured<tools::demo_answer> call(const std::string& method, const std::string& path, const json::object& body = {});

  tools::journey_options options_;
  std::unique_ptr<tools::journey_world> world_;
  tools::journey_console console_{tools::journey_console::voice::silent};
  std::string token_;
  std::string dataspace_;
  std::string consumer_;
  std::string request_body_;
  std::atomic<size_t> count_ = 0;
};

} // namespace fondaco::bench
