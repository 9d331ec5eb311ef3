#include "tools/fondaco/history.hpp"

#include <doctest/doctest.h>

#include "cells/operator/export.hpp"
#include "cells/participants/vpa.hpp"

using namespace fondaco;
using namespace fondaco::tools;

namespace {

json::object agent_history() {
  using participants::vpa;
  json::array events;
  const vpa::event all[] = {participants::vpa_events::created{}, participants::vpa_events::moved{}};
  for (const auto& e : all) {
    const auto r = vpa::encode(e);
    events.push_back(json::object{{"sequence", static_cast<int64_t>(events.size()) + 1},
                                  {"at", "2027-01-15T08:00:00Z"},
                                  {"type", r.type},
                                  {"version", r.version},
                                  {"format", "j"},
                                  {"cause", ""},
                                  {"payload", *json::parse(r.payload)}});
  }
  return {{"tenant", "acme"},   {"kind", "vpa"}, {"id", "acme-1"},
          {"status", "FROZEN"}, {"sequence", 2}, {"events", std::move(events)}};
}

json::object& event(json::object& history, size_t i) { return history["events"].as_array()[i].as_object(); }

} // namespace

TEST_CASE("a history that is folded by the program that wrote it differs in nothing") {
  auto file = history_file({agent_history()});
  auto read = read_histories(json::write(file));
  REQUIRE(read.has_value());
  const auto folded = fold(read->at(0).as_object());
  REQUIRE(folded.has_value());
  REQUIRE(folded->size() == 2);
  for (const auto& f : *folded) {
    CHECK(f.readable);
    CHECK(f.differences.empty());
  }
  CHECK(folded->back().status == "FROZEN");
}

TEST_CASE("a fold says at which event and in what it differs from what is recorded") {
  auto history = history_file({agent_history()})["histories"].as_array()[0].as_object();
  SUBCASE("a state") {
    event(history, 1)["state"].as_object()["id"] = "other";
    const auto folded = fold(history);
    CHECK(folded->at(0).differences.empty());
    REQUIRE(folded->at(1).differences.size() == 1);
    CHECK(folded->at(1).differences[0].ends_with(": id"));
  }
  SUBCASE("the row") {
    history["status"] = "ACTIVE";
    CHECK(fold(history)->back().differences.size() == 1);
  }
  SUBCASE("a snapshot") {
    history["snapshot"] = json::object{{"sequence", 1}, {"version", 1}, {"payload", json::object{{"exists", false}}}};
    CHECK(fold(history)->front().differences.size() == 1);
  }
  SUBCASE("an event that is missing") {
    event(history, 1)["sequence"] = 3;
    CHECK(!fold(history)->at(1).differences.empty());
  }
  SUBCASE("an event of a newer version") {
    event(history, 1)["version"] = 99;
    CHECK_FALSE(fold(history)->back().readable);
  }
}

TEST_CASE("what is no export, or a newer one, is refused with a sentence") {
  for (const char* text : {"", "[]", R"({"format":"other"})", R"({"format":"fondaco-history","version":2})",
                           R"({"format":"fondaco-history","version":1})"}) {
    const auto read = read_histories(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(!read.error().detail.empty());
  }
  CHECK_FALSE(fold({{"tenant", "a"}, {"kind", "unheard_of"}, {"id", "x"}}).has_value());
  CHECK_FALSE(fold({{"kind", "vpa"}, {"id", "x"}}).has_value());
}

TEST_CASE("an export leaves secrets out wherever they stand, and what is none in") {
  const auto clean = cells::without_secrets(
      R"({"sealed_token":"abc","secretName":"n","headers":{"Authorization":["Bearer x"]},"note":"eyJhbGciOi.J9.x",)"
      R"("body":"{\"private\":{\"deep\":\"y\"},\"name\":\"kept\"}","count":3,"token_valid":true,"id":"kept"})");
  const auto text = json::write(clean);
  for (const char* secret : {"abc", "\"n\"", "Bearer", "eyJ", "\\\"y\\\""})
    CHECK_MESSAGE(text.find(secret) == std::string::npos, secret << " is in " << text);
  for (const char* kept : {"kept", "\"count\":3", "\"token_valid\":true", "\\\"name\\\":\\\"kept\\\""})
    CHECK_MESSAGE(text.find(kept) != std::string::npos, kept << " is not in " << text);
  CHECK(cells::without_secrets("no json") == json::value(cells::left_out));
}
