#include "tools/fondaco/history.hpp"

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include "tools/fondaco/all_kinds.hpp"
#include "tools/fondaco/journal_verify.hpp"

namespace fondaco::tools {

namespace {

std::string text_at(const json::object& o, const char* name) {
  return std::string(json::string_at(o, name).value_or(""));
}

int64_t number_at(const json::object& o, const char* name, int64_t otherwise) {
  const auto* v = o.if_contains(name);
  return v && v->is_int64() ? v->get_int64() : otherwise;
}

fault bad_file(std::string detail) { return {"bad_history", std::move(detail), cure::fix_input}; }

persistence::event_record record_of(const json::object& e) {
  persistence::event_record r;
  r.type = text_at(e, "type");
  r.version = static_cast<uint16_t>(number_at(e, "version", 1));
  const auto format = text_at(e, "format");
  r.format = format.empty() ? 'j' : format[0];
  if (const auto* payload = e.if_contains("payload"))
    r.payload = payload->is_string() && r.format != 'j' ? std::string(payload->get_string()) : json::write(*payload);
  r.cause = text_at(e, "cause");
  return r;
}

json::value state_json(const actors::entity_state& s) {
  auto parsed = json::parse(s.freeze().value_or(s.view()));
  return parsed ? std::move(*parsed) : json::value(nullptr);
}

std::optional<persistence::entity_key> key_of(const json::object& history) {
  auto kind = text_at(history, "kind"), id = text_at(history, "id"), owner = text_at(history, "tenant");
  if (kind.empty() || id.empty() || owner.empty())
    return std::nullopt;
  return persistence::entity_key{tenant(std::move(owner)), std::move(kind), std::move(id)};
}

/// The members in which two states differ.
std::string members_that_differ(const json::value& recorded, const json::value& now) {
  if (!recorded.is_object() || !now.is_object())
    return " (as a whole)";
  std::string names;
  for (const auto& m : now.get_object()) {
    const auto* other = recorded.get_object().if_contains(m.key());
    if (!other || *other != m.value())
      names += " " + std::string(m.key());
  }
  for (const auto& m : recorded.get_object())
    if (!now.get_object().contains(m.key()))
      names += " " + std::string(m.key());
  return names;
}

void compare(folded& f, const char* what, const json::value& recorded, const json::value& now) {
  if (recorded != now)
    f.differences.push_back(std::string(what) +
                            " differs from the recorded one in:" + members_that_differ(recorded, now));
}

// What a snapshot holds is taken over and written again: one of an older program lacks what is newer.
void compare_snapshot(folded& f, const actors::entity_kind& kind, const persistence::entity_key& key,
                      const json::object& history) {
  const auto* kept = json::object_at(history, "snapshot");
  if (!kept || number_at(*kept, "sequence", 0) != f.sequence)
    return;
  const auto* payload = kept->if_contains("payload");
  auto other = kind.make(key);
  const persistence::snapshot s{key, f.sequence, static_cast<uint16_t>(number_at(*kept, "version", 1)),
                                payload ? json::write(*payload) : std::string()};
  if (!other->restore(s))
    f.differences.emplace_back("the snapshot cannot be read");
  else
    compare(f, "the state", state_json(*other), f.state);
}

void compare_end(folded& f, const json::object& history) {
  if (const auto status = text_at(history, "status"); status != f.status)
    f.differences.push_back("the entity's row says " + status + ", its events give " + f.status);
  if (const auto last = number_at(history, "sequence", f.sequence); last != f.sequence)
    f.differences.push_back("the entity's row says " + std::to_string(last) + " events");
}

json::object with_states(json::object history) {
  const auto folded_events = fold(history);
  auto* events = history.if_contains("events");
  if (!folded_events || !events || !events->is_array())
    return history;
  for (size_t i = 0; i < folded_events->size() && i < events->get_array().size(); ++i) {
    const auto& f = (*folded_events)[i];
    if (!f.readable || !events->get_array()[i].is_object())
      break;
    auto& e = events->get_array()[i].get_object();
    e["status"] = f.status;
    e["state"] = f.state;
  }
  return history;
}

} // namespace

json::object history_file(const json::array& histories) {
  json::array all;
  for (const auto& h : histories)
    if (h.is_object())
      all.push_back(with_states(h.get_object()));
  return {{"format", history_format}, {"version", history_version}, {"histories", std::move(all)}};
}

std::expected<json::array, fault> read_histories(const std::string& text) {
  auto parsed = json::parse(text);
  if (!parsed || !parsed->is_object())
    return std::unexpected(bad_file("the file is no JSON object"));
  const auto& o = parsed->get_object();
  if (text_at(o, "format") != history_format)
    return std::unexpected(bad_file("the file is no export of a history: `format` is not \"fondaco-history\""));
  if (number_at(o, "version", 0) != history_version)
    return std::unexpected(bad_file("the file has a version that this program does not know: use the program that "
                                    "wrote it, or a newer one"));
  const auto* histories = json::array_at(o, "histories");
  if (!histories)
    return std::unexpected(bad_file("the file has no histories"));
  return *histories;
}

std::expected<std::vector<folded>, fault> fold(const json::object& history) {
  const auto key = key_of(history);
  if (!key)
    return std::unexpected(bad_file("a history lacks its tenant, kind or id"));
  const auto kind = all_kinds().find(key->kind);
  if (kind == all_kinds().end())
    return std::unexpected(bad_file("this program knows no entities of the kind '" + key->kind + "'"));
  std::vector<folded> out;
  const auto* events = json::array_at(history, "events");
  auto state = kind->second.make(*key);
  for (const auto& one : events ? *events : json::array()) {
    if (!one.is_object())
      return std::unexpected(bad_file("an event is no JSON object"));
    const auto& e = one.get_object();
    folded f;
    f.sequence = number_at(e, "sequence", 0);
    f.type = text_at(e, "type");
    if (f.sequence != static_cast<int64_t>(out.size()) + 1)
      f.differences.push_back("event " + std::to_string(out.size() + 1) + " is missing");
    f.readable = state->replay(record_of(e));
    f.status = state->status();
    f.state = state_json(*state);
    if (!f.readable)
      f.differences.emplace_back("this program cannot read the event");
    else if (const auto* recorded = e.if_contains("state"))
      compare(f, "the state", *recorded, f.state);
    compare_snapshot(f, kind->second, *key, history);
    out.push_back(std::move(f));
    if (!out.back().readable)
      return out;
  }
  if (!out.empty())
    compare_end(out.back(), history);
  return out;
}

namespace {

// The members that an event changed.
json::object changed(const json::value& before, const json::value& after) {
  json::object out;
  if (after.is_object())
    for (const auto& m : after.get_object()) {
      const auto* old = before.is_object() ? before.get_object().if_contains(m.key()) : nullptr;
      if (!old || *old != m.value())
        out[m.key()] = m.value();
    }
  return out;
}

json::array words(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& w : list)
    out.emplace_back(w);
  return out;
}

size_t print(const json::object& history, const std::vector<folded>& all, bool as_json) {
  size_t differences = 0;
  const auto name = text_at(history, "tenant") + " " + text_at(history, "kind") + " " + text_at(history, "id");
  if (!as_json)
    std::cout << name << "\n";
  json::value before(nullptr);
  for (const auto& f : all) {
    differences += f.differences.size();
    if (as_json) {
      std::cout << json::write(json::object{{"id", text_at(history, "id")},
                                            {"kind", text_at(history, "kind")},
                                            {"sequence", f.sequence},
                                            {"type", f.type},
                                            {"status", f.status},
                                            {"state", f.state},
                                            {"differences", words(f.differences)}})
                << "\n";
      continue;
    }
    std::cout << "  " << f.sequence << "  " << f.type << "  " << f.status << "  "
              << json::write(changed(before, f.state)) << "\n";
    for (const auto& d : f.differences)
      std::cout << "     DIFFERS: " << d << "\n";
    before = f.state;
  }
  return differences;
}

} // namespace

int run_replay(const std::string& file, bool as_json) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  auto histories = read_histories(text);
  if (!in || !histories) {
    std::cerr << "fondaco replay: " << (in ? histories.error().detail : "the file '" + file + "' cannot be read")
              << "\n";
    return store_unreadable;
  }
  size_t differences = 0;
  for (const auto& h : *histories) {
    auto all = h.is_object() ? fold(h.get_object()) : std::unexpected(bad_file("a history is no JSON object"));
    if (!all) {
      std::cerr << "fondaco replay: " << all.error().detail << "\n";
      return store_unreadable;
    }
    differences += print(h.get_object(), *all, as_json);
  }
  std::cerr << histories->size() << " histories, " << differences << " differences\n";
  return differences == 0 ? store_sound : store_unsound;
}

} // namespace fondaco::tools
