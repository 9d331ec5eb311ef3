#include "persistence/journal.hpp"

#include <set>

#include <doctest/doctest.h>

#include "persistence/schema.hpp"

namespace fondaco::persistence {

TEST_CASE("a link of the chain depends on every part of its event and on the link before") {
  const entity_key key{tenant("t"), "negotiation", "n"};
  const event_record event{"negotiation.requested", 1, 'j', "{}", "cause"};
  const auto at = from_epoch_ms(1000);
  std::set<std::string> links{chain_link("", key, 1, event, at), chain_link("x", key, 1, event, at),
                              chain_link("", key, 2, event, at), chain_link("", key, 1, event, from_epoch_ms(1001))};
  const auto with = [&](auto change) {
    auto k = key;
    auto e = event;
    change(k, e);
    links.insert(chain_link("", k, 1, e, at));
  };
  with([](auto& k, auto&) { k.owner = tenant("u"); });
  with([](auto& k, auto&) { k.kind = "transfer"; });
  with([](auto& k, auto&) { k.id = "m"; });
  with([](auto&, auto& e) { e.type = "negotiation.offered"; });
  with([](auto&, auto& e) { e.version = 2; });
  with([](auto&, auto& e) { e.format = 'b'; });
  with([](auto&, auto& e) { e.payload = "{ }"; });
  with([](auto&, auto& e) { e.cause = "other"; });
  // Bytes that move from one part to the next are another event.
  with([](auto&, auto& e) { e.payload = "", e.cause = "{}cause"; });
  CHECK(links.size() == 13);
  for (const auto& link : links)
    CHECK(link.size() == 32);
}

TEST_CASE("every outcome of a journal has a name and a cure") {
  const std::pair<journal_errc, std::pair<const char*, cure>> cases[] = {
      {journal_errc::fenced, {"fenced", cure::stop}},
      {journal_errc::rejected, {"rejected", cure::fix_input}},
      {journal_errc::duplicate, {"duplicate", cure::fix_input}},
      {journal_errc::name_taken, {"name_taken", cure::fix_input}},
      {journal_errc::outcome_unknown, {"outcome_unknown", cure::replay}},
      {journal_errc::unavailable, {"unavailable", cure::retry}},
  };
  for (const auto& [errc, expected] : cases) {
    CHECK(name_of(errc) == expected.first);
    CHECK(cure_of(errc) == expected.second);
  }
}

TEST_CASE("the steps of both schemas are numbered alike, from one and without a gap") {
  const auto sqlite = schema::migrations(schema::dialect::sqlite);
  const auto postgres = schema::migrations(schema::dialect::postgres);
  REQUIRE(sqlite.size() == postgres.size());
  for (size_t i = 0; i < sqlite.size(); ++i) {
    CHECK(sqlite[i].version == static_cast<int64_t>(i) + 1);
    CHECK(postgres[i].version == sqlite[i].version);
    CHECK(postgres[i].title == sqlite[i].title);
  }
  CHECK(schema::pending(schema::dialect::sqlite, 0)->size() == sqlite.size());
  CHECK(schema::pending(schema::dialect::sqlite, sqlite.back().version)->empty());
  CHECK(schema::pending(schema::dialect::sqlite, sqlite.back().version + 1).error().code == "schema_newer");
}

} // namespace fondaco::persistence
