#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "e2e/admin.hpp"
#include "e2e/node.hpp"

namespace fondaco::e2e {

/// What a test wants of a fabric.
struct fabric_options {
  store_kind kind = store_kind::sqlite;
  /// Four processes with a database each: CFM, control group, credential group, data plane; else one with all roles.
  bool split = false;
  /// Where the CFM's messages go; empty: in the process.
  std::string nats_url;
  /// API clients of every node, besides the usual.
  std::vector<api_client> clients;
  /// Where the keys of the issuer of `fixed_tokens.hpp` are; empty: it is not trusted.
  std::string jwks_url;
  /// TOML that every node's configuration has besides.
  std::string more;
};

/// A tenant with one participant profile, as its creation answered.
struct tenancy {
  std::string name;
  std::string tenant;
  std::string profile;
  /// The participant context's id; empty until `await_active`.
  std::string context;
};

/// Everything that a dataspace stands on: the nodes, an issuer of MembershipCredential, a cell, the dataspace profiles
/// `members` (with the credential) and `guests` (without), the orchestrations that deploy and dispose of a profile.
class fabric {
public:
  /// The DSP profile whose parties present their credentials.
  static constexpr const char* dataspace = "dataspace";

  fabric(const std::string& folder, fabric_options o);

  /// Starts every process, and sets up what the operator has to.
  void start();

  node& cfm() { return *cfm_; }
  node& control() { return *control_; }
  node& credentials() { return *credentials_; }
  node& data() { return *data_; }
  /// Every process once.
  const std::vector<std::unique_ptr<node>>& nodes() const { return nodes_; }
  /// The administrator of a node: its token is asked for anew after a restart.
  admin& at(node& n) { return *admins_.at(&n); }

  std::string did(const std::string& name) const;
  /// The folder whose files the data plane serves.
  const std::string& files() const { return files_; }
  /// The CFM's id of `members` or `guests`.
  const std::string& dataspace_profile(const std::string& name) const { return dataspace_profiles_.at(name); }

  /// Makes a tenant and its participant profile in `members` or `guests`; does not wait for its agents.
  tenancy begin(const std::string& name, const std::string& dataspace_profile = "members");
  /// The state of its VPA (pending, active, error, disposing, disposed), or the status of an answer that is no 200.
  std::string state(const tenancy& t);
  /// Waits until it is active and fills in its context; fails with what `why` says if it errs.
  void await_active(tenancy& t, milliseconds within = wait_within);
  /// Asks for its disposal; does not wait.
  void dispose(const tenancy& t);
  void await_disposed(const tenancy& t, milliseconds within = wait_within);

  /// Publishes an asset, for members alone; the file is below `files()/<context>`, the tenant's own folder.
  void publish(const tenancy& t, const std::string& asset, const std::string& file);
  /// The offer for an asset in the catalog that `consumer` gets of `provider`; empty if there is none.
  json::object find_offer(const tenancy& consumer, const tenancy& provider, const std::string& asset);
  /// Begins a negotiation of an offer; gives the consumer's id of it.
  std::string negotiate(const tenancy& consumer, const tenancy& provider, const std::string& asset, json::object offer);
  /// The DSP endpoint of a tenant.
  std::string dsp(const tenancy& t) const;
  /// The state of `/contractnegotiations/<id>` or `/transferprocesses/<id>`.
  std::string process_state(const tenancy& t, const std::string& path);
  /// Waits until a process is in this state; fails when it ends in another one.
  void await_process(const tenancy& t, const std::string& path, const std::string& wanted,
                     milliseconds within = wait_within);
  /// Starts a transfer under the agreement of a negotiation; gives the consumer's id of it.
  std::string start_transfer(const tenancy& consumer, const tenancy& provider, const std::string& negotiation);
  /// Pulls what a transfer gives access to.
  answer pull(const tenancy& consumer, const std::string& transfer);
  /// The W3C traceparent of what the tenants do from now on; none if it is empty.
  void trace(std::string traceparent) { traceparent_ = std::move(traceparent); }

private:
  node& add(const std::string& name, const std::string& roles, const std::string& folder);
  void introduce();
  void make_issuer();
  void make_dataspace_profile(const std::string& name, bool members);
  void make_orchestrations();

  json::value call(const std::string& method, const std::string& path, const json::object& body = {});
  http::header_list traced() const;

  fabric_options options_;
  std::string files_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::map<const node*, std::unique_ptr<admin>> admins_;
  node* cfm_ = nullptr;
  node* control_ = nullptr;
  node* credentials_ = nullptr;
  node* data_ = nullptr;
  std::string cell_;
  std::string traceparent_;
  std::map<std::string, std::string> dataspace_profiles_;
};

} // namespace fondaco::e2e
