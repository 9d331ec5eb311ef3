#include "cells/operator/explain.hpp"

#include "cells/control_plane/refused_requests.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::cells {

namespace {

json::object view_of(const persistence::entity_row& row) {
  auto parsed = json::parse(row.view);
  return parsed && parsed->is_object() ? parsed->get_object() : json::object{};
}

std::string seconds_between(timepoint from, timepoint to) {
  auto s = (to - from).count() / 1000;
  return std::to_string(s) + (s == 1 ? " second" : " seconds");
}

} // namespace

std::string waiting_on(const persistence::entity_row& row) {
  return std::string(json::string_at(view_of(row), "waitingOn").value_or(""));
}

bool explains_itself(const persistence::entity_row& row) { return row.key.kind == kinds::refused_request; }

std::vector<std::string> explain(const persistence::entity_row& row, timepoint now, const persistence::document* kept) {
  if (kept && explains_itself(row))
    if (auto said = control_plane::explain_refusal(*kept); !said.empty())
      return said;
  auto view = view_of(row);
  std::vector<std::string> out;
  auto state = row.status.empty() ? std::string("recorded") : row.status;
  out.push_back("The " + row.key.kind + " is " + state + " since " + to_rfc3339(row.updated_at) + ", after " +
                std::to_string(row.seq) + (row.seq == 1 ? " event." : " events."));
  auto waits = json::string_at(view, "waitingOn").value_or("");
  out.push_back(waits.empty() ? "It waits for nothing." : "It waits for " + std::string(waits) + ".");
  if (row.wake)
    out.push_back(*row.wake > now ? "It is looked at again in " + seconds_between(now, *row.wake) + "."
                                  : "It is due to be looked at now.");
  if (const auto* causes = json::array_at(view, "causes")) {
    for (const auto& c : *causes) {
      if (!c.is_object())
        continue;
      bool peer = json::string_at(c.get_object(), "side") == "peer";
      auto text = json::string_at(c.get_object(), "text").value_or("");
      out.push_back((peer ? "The counterparty said: " : "This side said: ") + std::string(text));
    }
  }
  return out;
}

} // namespace fondaco::cells
