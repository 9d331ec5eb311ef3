#pragma once

#include <map>
#include <string>
#include <vector>

namespace fondaco::e2e {

/// What a caller's scope has to allow at least.
enum class access_level : char { read, write, admin };

/// A route of an admin API, and a request that succeeds there. In paths and bodies `${name}` stands for what an earlier
/// row, or the preparation, has learned.
struct guarded_route {
  std::string method;
  /// As `fondaco ctl routes` prints it.
  std::string pattern;
  access_level level = access_level::read;
  /// Who succeeds: `admin`, or the participant context that its path names.
  std::string caller = "admin";
  /// What stands for the pattern's parameters: `id=${key} p=alpha`; a query after a `?` as the last word.
  std::string arguments = {};
  std::string body = {};
  /// What is learned from the answer: a name, and the member of the answer (of its first element if it is a list).
  std::string learn_as = {};
  std::string learn_from = {};
  /// The id of the thing that the request is about, where its arguments have no `id`.
  std::string thing = {};
};

/// The routes of issue areas in an order in which each request finds what it needs.
std::vector<guarded_route> identity_table();
std::vector<guarded_route> issuer_table();
std::vector<guarded_route> cfm_table();
std::vector<guarded_route> onboarding_table();
std::vector<guarded_route> management_table();
std::vector<guarded_route> operator_table();

/// The routes behind /operator that have a row in the table of the operator's scopes: method and path.
std::vector<std::string> operator_scope_rows();

} // namespace fondaco::e2e
