#include "cells/operator/door.hpp"

#include <optional>
#include <utility>

#include "gateway/auth.hpp"

namespace fondaco::cells {

namespace {

using gateway::request;
using gateway::response;

gateway::task<response> behind_token(cell_services& s, std::shared_ptr<const request> r, std::string scope,
                                     operator_route inner) {
  std::optional<tenant> nobody;
  auto admitted = co_await gateway::admit(s.tokens, r, std::move(scope), std::move(nobody));
  if (!admitted)
    co_return gateway::to_response(admitted.error());
  co_return co_await inner(std::move(r));
}

} // namespace

operator_route guarded(cell_services& s, operator_door door, std::string scope, operator_route inner) {
  if (door == operator_door::socket)
    return inner;
  return [&s, scope, inner](auto r) { return behind_token(s, std::move(r), scope, inner); };
}

} // namespace fondaco::cells
