#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "e2e/admin.hpp"
#include "e2e/role_table.hpp"

namespace fondaco::e2e {

/// What rows have learned, by name.
using known_names = std::map<std::string, std::string>;

/// The text with every `${name}` filled in; fails if one is unknown.
std::string filled(std::string text, const known_names& known);
std::vector<std::string> words_of(const std::string& text);
/// A segment of a path that holds this text.
std::string in_path(const std::string& text);

/// One caller of a node at a time, each with its own token. Of every node that these serve there have to be the clients
/// `admin`, `operator`, the participants' `alpha` and `beta`; of one with the Management API `provisioner`, too.
class callers {
public:
  explicit callers(node& n) : node_(n) {}
  /// `scope` is what it asks for; all that the client may have if it is empty.
  admin& as(const std::string& client, const std::string& scope = "");
  node& at() { return node_; }
  /// Beta's key for the Identity API, which takes one besides a token; empty if it has none.
  std::string betas_key;

private:
  node& node_;
  std::map<std::string, std::unique_ptr<admin>> known_;
};

/// A header of each kind of token that proves nothing anywhere; the first is no token at all.
struct bad_header {
  std::string what;
  http::header_list headers;
};
std::vector<bad_header> bad_headers();

/// All that a caller sees of an answer, but for an id that it asked by, and what differs from moment to moment.
std::string looks(const answer& a, const std::string& id);
/// An id of the same form as this one, that nothing has.
std::string nobodys(const std::string& id);

/// Every entity of every tenant, each with its state and the length of its history, once nothing is under way.
std::string quiet_listing(callers& by);
/// The same, as it is now.
std::string listing(callers& by);
/// Fails if anything was written since `before`.
void check_unchanged(callers& by, const std::string& what, const std::string& before);

/// Goes through the rows: who may not call is refused, and changes nothing; a foreign tenant's thing looks like
/// nobody's; then who may calls, and succeeds. An answer of 409 is asked again: the thing may be on its way to where
/// the row needs it.
void run_table(callers& by, const std::vector<guarded_route>& table, known_names& known);

} // namespace fondaco::e2e
