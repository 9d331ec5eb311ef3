#pragma once

#include <optional>
#include <string>

#include "e2e/fabric.hpp"

namespace fondaco::e2e {

/// How a tenant's VPA was found.
struct sight {
  /// pending, active, error, disposing, disposed; `no VPA`.
  std::string state;
  /// What the profile says of an error.
  std::string detail;
};

/// The operator of a fabric whose processes may die at any moment: it asks until it is answered, and makes everything
/// under an Idempotency-Key.
class insistent_operator {
public:
  explicit insistent_operator(fabric& f) : fabric_(f) {}

  /// Makes a tenant and its participant profile in `members`; does not wait for its agents.
  tenancy begin(const std::string& name);
  /// A look at a tenant; fills in its context as soon as it is active.
  sight look(tenancy& t);
  /// Has the disposal of a tenant taken.
  void dispose(tenancy& t);

private:
  answer insist(const std::string& method, const std::string& path, const json::object& body = {},
                const http::header_list& more = {});
  std::optional<answer> attempt(const std::string& method, const std::string& path, const json::object& body,
                                const http::header_list& more, std::string& saw);
  std::string make(const std::string& path, const json::object& body, const std::string& idempotency_key);

  fabric& fabric_;
};

} // namespace fondaco::e2e
