#pragma once

#include <functional>
#include <string>
#include <vector>

#include "e2e/role_matrix.hpp"

namespace fondaco::e2e {

/// A route that is no admin API's, and a request that is let in there. Alpha's own path is asked; `${name}` stands for
/// what an earlier row, or the preparation, has learned, `${uuid}` for a fresh id.
struct protocol_route {
  std::string method;
  /// As `fondaco ctl routes` prints it.
  std::string pattern;
  /// What stands for the pattern's parameters besides the tenant: `pid=${negotiation}`; a query as a word after a `?`.
  std::string arguments = {};
  std::string body = {};
  /// What the thing is called that a foreign tenant's owner asks for under its own path; empty if there is none.
  std::string thing = {};
  /// True if a second counterparty of alpha's must not see it either.
  bool private_to_caller = false;
  /// The status of the answer to who may, where it is no success: the caller was let in, and the state table spoke.
  int admitted = 0;
  /// What is learned from the answer: a name, and the member, or the last segment of `Location`.
  std::string learn_as = {};
  std::string learn_from = {};
};

using header_maker = std::function<http::header_list()>;

/// Who is refused whatever the request says.
struct refused_caller {
  std::string what;
  int status = 401;
  header_maker headers;
};

/// Who asks at the routes of a table.
struct protocol_callers {
  std::string listener;
  std::vector<refused_caller> refused;
  /// Who may, at alpha's path.
  header_maker right;
  /// Who may at beta's path; nothing where no path names a tenant.
  header_maker at_beta;
  /// Another who may at alpha's path.
  header_maker stranger;
};

/// Goes through the rows as `run_table` does. What is on its way to where a row needs it is asked again.
void run_protocol_table(callers& by, const protocol_callers& who, const std::vector<protocol_route>& table,
                        known_names& known);

/// The routes by plane, each in an order in which each request finds what it needs.
std::vector<protocol_route> dsp_table();
std::vector<protocol_route> signaling_table();
std::vector<protocol_route> callback_table();
std::vector<protocol_route> public_table();
std::vector<protocol_route> credential_table();

} // namespace fondaco::e2e
