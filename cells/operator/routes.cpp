#include "cells/operator/routes.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <utility>

#include "cells/operator/dead_letters.hpp"
#include "cells/operator/door.hpp"
#include "cells/operator/explain.hpp"
#include "cells/operator/export.hpp"
#include "planes/api/errors.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::cells {

namespace api = planes::api;

namespace {

using gateway::request;
using gateway::response;
using gateway::task;
using persistence::entity_row;

constexpr size_t rows_default = 100;
constexpr size_t history_rows_max = persistence::limits::read_rows_max;

json::object row_json(const entity_row& row, const actors::live_entity* live) {
  json::object o;
  o["id"] = row.key.id;
  o["kind"] = row.key.kind;
  o["tenant"] = row.key.owner.id();
  o["state"] = row.status;
  o["sequence"] = row.seq;
  o["shard"] = row.shard;
  o["owner"] = live ? "in memory" : "at rest";
  o["created_at"] = to_rfc3339(row.created_at);
  o["updated_at"] = to_rfc3339(row.updated_at);
  o["next_wake_up"] = row.wake ? json::value(to_rfc3339(*row.wake)) : json::value(nullptr);
  auto waits = waiting_on(row);
  o["waiting_on"] = waits.empty() && live && live->waiting_on != "a command" ? live->waiting_on : waits;
  return o;
}

using live_map = std::map<persistence::entity_key, actors::live_entity>;

live_map live_entities(cell_services& s) {
  live_map out;
  for (auto& e : s.runtime.entities(persistence::limits::read_rows_max))
    out.emplace(e.key, e);
  return out;
}

const actors::live_entity* find_live(const live_map& all, const persistence::entity_key& key) {
  auto found = all.find(key);
  return found == all.end() ? nullptr : &found->second;
}

size_t number(const request& r, const char* name, size_t otherwise, size_t most) {
  auto text = gateway::query_value(r, name).value_or("");
  size_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc{} && end == text.data() + text.size() ? std::min(n, most) : otherwise;
}

using rows_result = std::expected<std::vector<entity_row>, persistence::query_error>;

response busy() { return api::error_response(503, {{"Too many reads wait; ask again.", "Unavailable", "", nullptr}}); }

task<response> list_entities(cell_services& s, std::shared_ptr<const request> r) {
  auto kind = gateway::query_value(*r, "kind").value_or("");
  auto limit = number(*r, "limit", rows_default, persistence::limits::read_rows_max);
  auto offset = number(*r, "offset", 0, 1'000'000);
  auto* documents = &s.documents;
  auto reading = actors::in_pool(s.pool, s.edge, [documents, kind, offset, limit]() -> rows_result {
    return documents->list_entities(kind, offset, limit);
  });
  auto rows = co_await std::move(reading);
  if (!rows)
    co_return busy();
  if (!*rows)
    co_return api::from_query(rows->error());
  auto live = live_entities(s);
  json::array out;
  for (const auto& row : **rows)
    out.push_back(row_json(row, find_live(live, row.key)));
  co_return gateway::json_response(200, json::write(out));
}

task<response> draw_tree(cell_services& s, std::shared_ptr<const request>) {
  json::array out;
  for (const auto& a : s.runtime.tree()) {
    json::object o;
    o["path"] = a.path;
    o["mailbox"] = a.mailbox;
    o["restarts"] = a.restarts;
    o["quarantined"] = a.quarantined;
    out.push_back(std::move(o));
  }
  co_return gateway::json_response(200, json::write(out));
}

// What the operator asked for by an id alone: every tenant's entity of that id, with its history if it is wanted.
struct found_entity {
  entity_row row;
  std::vector<persistence::stored_event> events;
  // Of an entity that its row does not explain.
  std::optional<persistence::document> kept;
};
using found_result = std::expected<std::vector<found_entity>, persistence::query_error>;

task<std::optional<found_result>> find(cell_services& s, std::string id, bool with_events) {
  auto* documents = &s.documents;
  auto* journal = &s.journal;
  auto reading = actors::in_pool(s.pool, s.edge, [documents, journal, id, with_events]() -> found_result {
    auto rows = documents->find_entities(id);
    if (!rows)
      return std::unexpected(rows.error());
    std::vector<found_entity> out;
    for (auto& row : *rows) {
      found_entity f{std::move(row), {}, {}};
      if (explains_itself(f.row)) {
        auto kept = documents->get(f.row.key);
        if (!kept)
          return std::unexpected(kept.error());
        f.kept = std::move(*kept);
      }
      if (with_events)
        if (auto events = journal->read_events(f.row.key, 0, history_rows_max))
          f.events = std::move(*events);
      out.push_back(std::move(f));
    }
    return out;
  });
  co_return co_await std::move(reading);
}

json::object history_json(const found_entity& f) {
  json::array events;
  for (const auto& e : f.events) {
    json::object o;
    o["sequence"] = e.seq;
    o["position"] = e.position;
    o["at"] = to_rfc3339(e.at);
    o["type"] = e.event.type;
    o["cause"] = e.event.cause;
    events.push_back(std::move(o));
  }
  json::object out;
  out["kind"] = f.row.key.kind;
  out["tenant"] = f.row.key.owner.id();
  out["events"] = std::move(events);
  return out;
}

task<response> look(cell_services& s, std::shared_ptr<const request> r, std::string what) {
  auto id = r->params.find("id")->second;
  auto found = co_await find(s, id, what == "history");
  if (!found)
    co_return busy();
  if (!*found)
    co_return api::from_query(found->error());
  if ((*found)->empty())
    co_return api::not_found("Entity", id);
  auto live = live_entities(s);
  json::array out;
  for (const auto& f : **found) {
    if (what == "history") {
      out.push_back(history_json(f));
      continue;
    }
    auto o = row_json(f.row, find_live(live, f.row.key));
    if (what == "why") {
      json::array sentences;
      for (auto& sentence : explain(f.row, s.clock.now(), f.kept ? &*f.kept : nullptr))
        sentences.emplace_back(std::move(sentence));
      o["why"] = std::move(sentences);
    }
    out.push_back(std::move(o));
  }
  co_return gateway::json_response(200, json::write(out));
}

task<response> show_routes(const served_routes& served) {
  co_return gateway::json_response(200, json::write(served.list()));
}

task<response> show_metrics(cell_services& s) {
  response out;
  out.headers.emplace_back("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  if (s.counts)
    out.body = s.counts->render();
  co_return out;
}

} // namespace

void served_routes::add(const std::string& listener, std::vector<std::string> patterns) {
  std::ranges::sort(patterns, {}, [](const std::string& p) { return p.substr(std::min(p.find(' '), p.size())); });
  std::scoped_lock lock(mutex_);
  patterns_[listener] = std::move(patterns);
}

json::array served_routes::list() const {
  std::scoped_lock lock(mutex_);
  json::array out;
  for (const auto& [listener, patterns] : patterns_)
    for (const auto& p : patterns) {
      const auto space = std::min(p.find(' '), p.size());
      out.push_back({{"listener", listener}, {"method", p.substr(0, space)}, {"path", p.substr(space + 1)}});
    }
  return out;
}

void add_operator_routes(gateway::router& to, cell_services& s, const served_routes& served, operator_door door) {
  auto add = [&](const char* pattern, operator_route inner) {
    to.add("GET", pattern, guarded(s, door, "operator:read", std::move(inner)));
  };
  add("/operator/entities", [&s](auto r) { return list_entities(s, std::move(r)); });
  add("/operator/routes", [&served](auto) { return show_routes(served); });
  add("/operator/metrics", [&s](auto) { return show_metrics(s); });
  add("/operator/tree", [&s](auto r) { return draw_tree(s, std::move(r)); });
  add("/operator/entities/{id}", [&s](auto r) { return look(s, std::move(r), "show"); });
  add("/operator/entities/{id}/history", [&s](auto r) { return look(s, std::move(r), "history"); });
  add("/operator/entities/{id}/why", [&s](auto r) { return look(s, std::move(r), "why"); });
  add_dead_letter_routes(to, s, door);
  add_export_route(to, s, door);
}

} // namespace fondaco::cells
