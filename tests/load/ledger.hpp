#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "load/tenants.hpp"

namespace fondaco::load {

/// A node's Management API, asked until it answers: the node may be dead, or not be ready yet. One thread's.
class insistent {
public:
  explicit insistent(const e2e::node& n) : admin_(n) {}
  /// The first answer that is a decision: no 5xx, no 429; a token of an earlier life is replaced. Fails after
  /// `answer_within_ms`.
  e2e::answer send(const std::string& method, const std::string& path, const e2e::json::object& body = {},
                   const e2e::http::header_list& more = {});

private:
  e2e::admin admin_;
};

/// A command that was acknowledged.
struct acknowledged {
  const e2e::organisation* who;
  /// Below the participant: `/contractnegotiations/<id>`.
  std::string path;
};

/// What the load generator was promised, and what it finds of it at the end.
class ledger {
public:
  /// A process that was acknowledged: it has to end.
  void began(const e2e::organisation& who, std::string path);
  /// An asset that was acknowledged and not removed: it has to be there.
  void created(const e2e::organisation& who, std::string path);
  /// An asset whose removal was acknowledged: it has to be gone.
  void removed(const e2e::organisation& who, const std::string& path);

  size_t processes() const;
  size_t documents() const;
  /// Every process ended, both sides agree; every asset is there or gone as was said. Each sentence is a finding.
  std::vector<std::string> check(tenants& t);

private:
  mutable std::mutex mutex_;
  std::vector<acknowledged> processes_;
  /// True if it has to be there.
  std::map<std::pair<const e2e::organisation*, std::string>, bool> documents_;
};

} // namespace fondaco::load
