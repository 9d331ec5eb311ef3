#include "cells/operator/export.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "actors/ports/log.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::cells {

namespace {

using gateway::request;
using gateway::response;
using gateway::task;

/// Parts of the names of members that hold secrets, or what proves one.
constexpr std::array<std::string_view, 12> secret_names{"secret",    "token",      "password",  "sealed",
                                                        "private",   "auth",       "apikey",    "api_key",
                                                        "accesskey", "access_key", "signature", "jwt"};

bool names_secret(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(secret_names, [&](auto part) { return lower.find(part) != std::string::npos; });
}

// Only texts go: a number, a flag or a time is no secret, and what is folded keeps its shape.
void clean(json::value& v, bool secret) {
  if (v.is_object()) {
    for (auto& m : v.get_object())
      clean(m.value(), secret || names_secret(m.key()));
  } else if (v.is_array()) {
    for (auto& item : v.get_array())
      clean(item, secret);
  } else if (v.is_string()) {
    auto& text = v.get_string();
    if (secret && !text.empty()) {
      text = left_out;
    } else if (text.starts_with("{") || text.starts_with("[")) {
      if (auto inner = json::parse(std::string(text)); inner) {
        clean(*inner, false);
        text = json::write(*inner);
      }
    } else if (text.find("eyJ") != std::string::npos) {
      text = left_out; // the beginning of every JWT, also of one that a peer repeats
    }
  }
}

/// The most bytes of payloads that one export holds.
constexpr size_t export_bytes_max = 32u << 20;

struct whole_entity {
  persistence::entity_row row;
  std::optional<persistence::snapshot> snapshot;
  std::vector<persistence::stored_event> events;
};
struct all_of_an_id {
  std::vector<whole_entity> entities;
  /// Their payloads; over `export_bytes_max` they are not all there.
  size_t bytes = 0;
};
using found_entities = std::expected<all_of_an_id, persistence::query_error>;

// Stops when more is read than an export may hold.
bool read_all(persistence::journal& j, whole_entity& e, size_t& bytes) {
  constexpr auto page_rows = persistence::limits::read_rows_max;
  for (size_t got = page_rows; got == page_rows && bytes <= export_bytes_max;) {
    auto page = j.read_events(e.row.key, e.events.empty() ? 0 : e.events.back().seq, page_rows);
    if (!page)
      return false;
    got = page->size();
    for (const auto& one : *page)
      bytes += one.event.payload.size();
    std::ranges::move(*page, std::back_inserter(e.events));
  }
  auto kept = j.load_snapshot(e.row.key);
  if (kept)
    e.snapshot = std::move(*kept);
  return kept.has_value();
}

json::object json_of(const whole_entity& e) {
  json::array events;
  for (const auto& one : e.events) {
    json::object o{{"sequence", one.seq},          {"position", one.position},
                   {"at", to_rfc3339(one.at)},     {"type", one.event.type},
                   {"version", one.event.version}, {"format", std::string(1, one.event.format)},
                   {"cause", one.event.cause}};
    o["payload"] = without_secrets(one.event.payload);
    events.push_back(std::move(o));
  }
  json::object out{{"tenant", e.row.key.owner.id()},
                   {"kind", e.row.key.kind},
                   {"id", e.row.key.id},
                   {"status", e.row.status},
                   {"sequence", e.row.seq}};
  if (e.snapshot)
    out["snapshot"] = json::object{{"sequence", e.snapshot->seq},
                                   {"version", e.snapshot->version},
                                   {"payload", without_secrets(e.snapshot->payload)}};
  out["events"] = std::move(events);
  return out;
}

task<response> export_entities(cell_services& s, std::shared_ptr<const request> r) {
  const auto id = r->params.find("id")->second;
  auto* documents = &s.documents;
  auto* journal = &s.journal;
  auto reading = actors::in_pool(s.pool, s.edge, [documents, journal, id]() -> found_entities {
    auto rows = documents->find_entities(id);
    if (!rows)
      return std::unexpected(rows.error());
    all_of_an_id out;
    for (auto& row : *rows) {
      whole_entity e{std::move(row), {}, {}};
      if (!read_all(*journal, e, out.bytes))
        throw std::runtime_error("the journal does not answer");
      out.entities.push_back(std::move(e));
    }
    return out;
  });
  const auto found = co_await std::move(reading);
  if (!found)
    co_return planes::api::error_response(503, {{"The store does not answer; ask again.", "Unavailable", "", nullptr}});
  if (!*found)
    co_return planes::api::from_query(found->error());
  const auto& all = **found;
  if (all.entities.empty())
    co_return planes::api::not_found("Entity", id);
  if (all.bytes > export_bytes_max)
    co_return planes::api::error_response(
        413, {{"The history is longer than the 32 MiB that an export holds; a backup has it whole.", "TooLarge", "",
               nullptr}});
  json::array out;
  for (const auto& e : all.entities) {
    write_log({severity::info,
               "operator",
               log_category::audit,
               "an operator exported the history of an entity",
               {{"entity_id", e.row.key.id}, {"kind", e.row.key.kind}, {"participant_context", e.row.key.owner.id()}}});
    out.push_back(json_of(e));
  }
  co_return gateway::json_response(200, json::write(out));
}

} // namespace

json::value without_secrets(const std::string& text) {
  auto parsed = json::parse(text);
  if (!parsed)
    return json::value(left_out);
  clean(*parsed, false);
  return std::move(*parsed);
}

void add_export_route(gateway::router& to, cell_services& s, operator_door door) {
  to.add("GET", "/operator/entities/{id}/export",
         guarded(s, door, "operator:admin", [&s](auto r) { return export_entities(s, std::move(r)); }));
}

} // namespace fondaco::cells
