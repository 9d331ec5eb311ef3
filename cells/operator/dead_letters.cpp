#include "cells/operator/dead_letters.hpp"

#include <limits>
#include <set>
#include <utility>

#include "actors/ports/log.hpp"
#include "planes/api/errors.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::cells {

namespace {

using gateway::request;
using gateway::response;
using gateway::task;

json::object letter_json(const actors::dead_letter& l) {
  json::object o;
  o["id"] = l.key.id;
  o["kind"] = l.key.kind;
  o["tenant"] = l.key.owner.id();
  o["effect"] = l.effect.empty() ? json::value("start") : json::value(l.effect);
  o["attempts"] = l.attempts;
  o["first_failed_at"] = to_rfc3339(l.first_failed_at);
  o["last_failed_at"] = to_rfc3339(l.last_failed_at);
  o["next_try"] = l.next_try ? json::value(to_rfc3339(*l.next_try)) : json::value(nullptr);
  o["error"] = l.error;
  return o;
}

response answer(const std::vector<actors::dead_letter>& letters) {
  json::array out;
  for (const auto& l : letters)
    out.push_back(letter_json(l));
  return gateway::json_response(200, json::write(out));
}

std::vector<actors::dead_letter> letters_of(cell_services& s) {
  return s.runtime.dead_letters(std::numeric_limits<size_t>::max()); // the box has its own bound
}

response redrive(cell_services& s, const std::vector<actors::dead_letter>& letters) {
  std::set<persistence::entity_key> done;
  for (const auto& l : letters) {
    if (!done.insert(l.key).second)
      continue;
    if (!s.runtime.redrive(l.key, l.shard))
      return planes::api::error_response(
          503,
          {{"This node does not run the entities now; ask again, or the node that does.", "Unavailable", "", nullptr}});
    write_log({severity::info,
               "operator",
               log_category::audit,
               "an operator had what failed of an entity tried again",
               {{"entity_id", l.key.id}, {"kind", l.key.kind}, {"participant_context", l.key.owner.id()}}});
  }
  return answer(letters);
}

task<response> list(cell_services& s) { co_return answer(letters_of(s)); }

task<response> redrive_all(cell_services& s) {
  const auto letters = letters_of(s);
  co_return redrive(s, letters);
}

task<response> redrive_one(cell_services& s, std::shared_ptr<const request> r) {
  const auto& id = r->params.find("id")->second;
  auto letters = letters_of(s);
  std::erase_if(letters, [&id](const auto& l) { return l.key.id != id; });
  if (letters.empty())
    co_return planes::api::not_found("Dead letter", id);
  co_return redrive(s, letters);
}

} // namespace

void add_dead_letter_routes(gateway::router& to, cell_services& s, operator_door door) {
  to.add("GET", "/operator/dead-letters", guarded(s, door, "operator:read", [&s](auto) { return list(s); }));
  to.add("POST", "/operator/dead-letters/redrive",
         guarded(s, door, "operator:write", [&s](auto) { return redrive_all(s); }));
  to.add("POST", "/operator/dead-letters/{id}/redrive",
         guarded(s, door, "operator:write", [&s](auto r) { return redrive_one(s, std::move(r)); }));
}

} // namespace fondaco::cells
