#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cells/participants/directory.hpp"
#include "cells/services.hpp"
#include "cells/span.hpp"
#include "persistence/documents.hpp"
#include "protocols/json/json.hpp"
#include "protocols/odrl/policy.hpp"

/// What catalogs and offers share: a tenant's policy definitions and assets selectors. All of it blocks: for the reader
/// pool.
namespace fondaco::control_plane {

/// What a read gave, or why the store gave nothing.
template <class T> using read_result = std::expected<T, persistence::query_error>;

/// Judges a tenant's policy for one asker in a scope, as `catalog`; one that cannot be read refuses. A span of the
/// asker's trace.
odrl::verdict judge_policy(const cells::cell_services& s, const tenant& owner, const cells::counterparty& asker,
                           const json::object& policy, const char* scope);

/// Reads a tenant's policy definitions, each once, and judges them for one asker, each once; all of that is one span.
/// For one request; what it was made from outlives it.
class policy_reader {
public:
  policy_reader(cells::cell_services& s, const tenant& owner, const cells::counterparty& asker)
      : s_(s), owner_(owner), asker_(asker), span_(s, "policy.evaluation", asker.traceparent) {}
  ~policy_reader();

  /// The policy of a definition; null if there is none.
  read_result<const json::object*> read(const std::string& id);

  /// What the access policy with this id says to the asker; a missing one refuses.
  read_result<odrl::verdict> access(const std::string& id);

private:
  cells::cell_services& s_;
  const tenant& owner_;
  const cells::counterparty& asker_;
  std::map<std::string, std::optional<json::object>> policies_;
  std::map<std::string, odrl::verdict> access_;
  cells::work_span span_;
};

/// The rules of a policy, without what is said of its place and parties.
json::object rules_of(const json::object& policy);

/// True if a policy has a permission or a prohibition, without which nothing is offered.
bool has_rules(const json::object& policy);

/// A contract definition's selector as criteria over asset documents, empty for all assets; nothing if it cannot be
/// read, so that it selects none.
std::optional<std::vector<persistence::criterion>> read_selector(const json::object& definition, const tenant& owner);

/// True if the criteria select the asset.
read_result<bool> selects(cells::cell_services& s, const tenant& owner,
                          const std::vector<persistence::criterion>& selector, const std::string& asset_id);

} // namespace fondaco::control_plane
