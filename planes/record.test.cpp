#include "planes/record.hpp"

#include <doctest/doctest.h>

using namespace fondaco;
using namespace fondaco::planes;

namespace {

const timepoint t0 = from_epoch_ms(1'750'000'000'000);

struct driven {
  record::state s;
  std::vector<record_event> history;
  timepoint now = t0;

  std::expected<actors::decision<record>, actors::refusal> ask(record::command c) {
    auto d = record::decide(s, c, now);
    if (d)
      for (const auto& e : d->events) {
        s = record::evolve(std::move(s), e);
        history.push_back(e);
      }
    return d;
  }
  std::string refusal_of(record::command c) {
    auto d = ask(std::move(c));
    return d ? "" : d.error().why.code;
  }
};

record::put asset(record::mode when = record::mode::create, std::string request_id = {}) {
  record::put c;
  c.record_kind = "asset";
  c.id = "asset-1";
  c.body = R"({"name":"weather"})";
  c.when = when;
  c.request_id = std::move(request_id);
  c.digest = "digest-1";
  return c;
}

} // namespace

TEST_CASE("a record is created, replaced and removed, and each writes its document") {
  driven d;
  auto made = d.ask(asset());
  REQUIRE(made);
  CHECK(made->reply.created);
  CHECK(made->reply.version == 1);
  CHECK(made->reply.created_at == t0);
  REQUIRE(made->documents.size() == 1);
  CHECK(made->documents[0].kind == "asset");
  CHECK(made->documents[0].body == R"({"name":"weather"})");
  CHECK(record::encode(made->events[0]).type == "asset.created");
  d.now += milliseconds{5};
  auto changed = d.ask(asset(record::mode::replace));
  REQUIRE(changed);
  CHECK_FALSE(changed->reply.created);
  CHECK(changed->reply.version == 2);
  CHECK(changed->reply.created_at == t0);
  CHECK(changed->reply.updated_at == d.now);
  CHECK(record::encode(changed->events[0]).type == "asset.updated");
  auto gone = d.ask(record::remove{"asset", {}});
  REQUIRE(gone);
  CHECK_FALSE(gone->documents[0].body);
  CHECK(gone->documents[0].id == "asset-1");
  CHECK(record::encode(gone->events[0]).type == "asset.deleted");
  CHECK(record::status(d.s) == "REMOVED");
  CHECK(d.refusal_of(record::remove{"asset", {}}) == "not_found");
  CHECK(d.ask(asset())->reply.version == 4);
}

TEST_CASE("each mode of a put is allowed exactly where it says") {
  struct row {
    record::mode when;
    const char* absent;
    const char* present;
  };
  for (const auto& r : {row{record::mode::create, "", "already_exists"}, row{record::mode::replace, "not_found", ""},
                        row{record::mode::upsert, "", ""}}) {
    driven absent, present;
    REQUIRE(present.ask(asset()));
    CHECK(absent.refusal_of(asset(r.when)) == r.absent);
    CHECK(present.refusal_of(asset(r.when)) == r.present);
  }
}

TEST_CASE("a repeated request gets the same answer, another content under its id is refused") {
  driven d;
  REQUIRE(d.ask(asset(record::mode::create, "req-1")));
  const auto before = d.s;
  const auto again = d.ask(asset(record::mode::create, "req-1"));
  REQUIRE(again);
  CHECK(again->events.empty());
  CHECK(again->documents.empty());
  CHECK(again->reply.created);
  CHECK(again->reply.version == 1);
  CHECK(d.s == before);
  auto other = asset(record::mode::create, "req-1");
  other.digest = "digest-2";
  CHECK(d.refusal_of(other) == "idempotency_key_reused");
  CHECK(d.refusal_of(asset(record::mode::create, "req-2")) == "already_exists");
}

TEST_CASE("a write with a version that is no longer the record's is refused") {
  driven d;
  auto c = asset(record::mode::upsert);
  c.expected_version = 0;
  REQUIRE(d.ask(c));
  CHECK(d.refusal_of(c) == "version_conflict");
  c.expected_version = 1;
  CHECK(d.refusal_of(c).empty());
}

TEST_CASE("a record without kind, id or body, or with a body past the limit, is refused") {
  const auto refused = [](auto change) {
    auto c = asset();
    change(c);
    driven d;
    return d.refusal_of(c);
  };
  CHECK(refused([](auto& c) { c.record_kind.clear(); }) == "bad_record");
  CHECK(refused([](auto& c) { c.id.clear(); }) == "bad_record");
  CHECK(refused([](auto& c) { c.id = std::string(513, 'x'); }) == "bad_record");
  CHECK(refused([](auto& c) { c.body.clear(); }) == "bad_record");
  CHECK(refused([](auto& c) { c.body = std::string(300'000, '"'); }) == "bad_record");
  CHECK(refused([](auto& c) { c.body = std::string(200'000, '"'); }).empty());
}

TEST_CASE("public names are claimed by the write that takes them") {
  driven d;
  auto c = asset();
  c.names = {{"client_id", "client-1"}};
  const auto made = d.ask(c);
  REQUIRE(made);
  CHECK(made->names.size() == 1);
}

TEST_CASE("a record's history reads back to the same state") {
  uint64_t seed = 99;
  const auto roll = [&seed](uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
  };
  driven d;
  for (int i = 0; i < 500; ++i) {
    d.now += milliseconds{1};
    const auto before = d.s;
    const auto when = static_cast<record::mode>(roll(3));
    const auto result = roll(4) ? d.ask(asset(when, roll(2) ? "r-" + std::to_string(roll(5)) : ""))
                                : d.ask(record::remove{"asset", {}});
    if (!result)
      CHECK(d.s == before);
    CHECK(json::parse(record::view(d.s)).has_value());
  }
  record::state replayed;
  for (const auto& e : d.history) {
    const auto read = record::decode(record::encode(e));
    REQUIRE(read);
    CHECK(*read == e);
    replayed = record::evolve(std::move(replayed), *read);
  }
  CHECK(replayed == d.s);
  CHECK(record::thaw(record::freeze(d.s)) == d.s);
}
