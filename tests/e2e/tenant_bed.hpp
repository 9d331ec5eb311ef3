#pragma once

#include <string>

#include "e2e/cases.hpp"
#include "e2e/role_matrix.hpp"

namespace fondaco::e2e {

/// A peer that publishes the keys of the issuer of `fixed_tokens.hpp`.
void serve_keys(peer& p);

/// A node with the tenants alpha and beta, whom everything is refused of each other, and two that alpha deals with:
/// partner, who shares `dataset-1`, and slow, who shares the same but reacts to a message only after an hour. Alpha and
/// beta share `cargo`, and alpha alone `alphas`. The test itself is their counterparty, with a token for each, and one
/// as a stranger for alpha.
class tenant_bed {
  const std::string folder_;

public:
  explicit tenant_bed(bed& b);

  peer keys;
  peer other_side;
  node at;
  management admin;
  callers by;
  organisation alpha, beta, partner, slow;
  /// What the test presents to alpha and to beta, what alpha presents to the test, and what a stranger presents to
  /// alpha.
  std::string to_alpha, to_beta, from_alpha, stranger_to_alpha;
  static constexpr const char* stranger_identity = "did:web:stranger.example";

  /// The offer of an asset that `consumer` gets from `provider`, ready to be asked for.
  json::object offer(const organisation& consumer, const organisation& provider, const std::string& asset);
  /// Negotiates to FINALIZED; gives the consumer's id of the negotiation.
  std::string agree(const organisation& consumer, const organisation& provider, const std::string& asset);
  /// Lets alpha begin a negotiation with the test, which provides; gives the consumer's id of it.
  std::string buy(const json::object& offer);
  /// The test's offer of a thing.
  static json::object own_offer();
  /// The test consumes from a tenant: it agrees, and gets access to `cargo`.
  struct provided_access {
    std::string transfer;
    std::string agreement;
    std::string flow;
    std::string authorization;
  };
  provided_access consume(const organisation& provider, const std::string& token);
  /// Waits until a negotiation or transfer of a tenant has this state.
  void await(const organisation& who, const std::string& path, const std::string& state);
  /// A member of what a route of a tenant answers.
  std::string member(const organisation& who, const std::string& path, const char* name);

private:
  void settle();
  void share(const organisation& o, const std::string& asset);
};

} // namespace fondaco::e2e
