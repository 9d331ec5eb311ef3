#include "cells/identity/caller.hpp"

#include "cells/identity/identity_bed.test.hpp"
#include "protocols/dcp/self_issued.hpp"

namespace fondaco::identity {

namespace {

using testing::identity_bed;

constexpr const char* peer = "did:web:peer.example";
constexpr const char* own = "did:web:id.example:acme";
constexpr const char* peer_document = "https://peer.example/.well-known/did.json";

using proven = std::expected<proven_caller, fault>;

proven prove(identity_bed& bed, const std::string& token, bool needs_access_token = true,
             const std::string& owner = "acme") {
  return bed.finish(prove_caller(*bed.services, tenant(owner), own, token, needs_access_token));
}

std::string why(const proven& p) { return p ? "" : p.error().detail; }

TEST_CASE("a token of the caller's own key proves it once") {
  identity_bed bed;
  bed.world.join(peer);
  const auto token = bed.world.token(peer, own);
  const auto first = prove(bed, token);
  REQUIRE_MESSAGE(first.has_value(), why(first));
  CHECK(first->did == peer);
  CHECK(first->document.id == peer);
  CHECK(first->access_token == "access");
  const auto again = prove(bed, token);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == "bad_token");
  CHECK(again.error().detail == "The token was seen before: its jti may be used once.");
  CHECK(prove(bed, bed.world.token(peer, own)).has_value());
}

TEST_CASE("a jti is taken at most once by those who send it at the same time") {
  identity_bed bed;
  bed.world.join(peer);
  const auto token = bed.world.token(peer, own);
  std::mutex mutex;
  std::condition_variable changed;
  int taken = 0;
  int done = 0;
  for (int i = 0; i < 16; ++i)
    actors::start<proven>(
        prove_caller(*bed.services, tenant("acme"), own, token, true),
        [&](proven p) {
          std::scoped_lock lock(mutex);
          taken += p.has_value() ? 1 : 0;
          ++done;
          changed.notify_all();
        },
        [](std::exception_ptr) {});
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, std::chrono::seconds(15), [&] { return done == 16; }));
  CHECK(taken == 1);
}

TEST_CASE("a token for somebody else, of somebody else's key, or without what is needed is refused") {
  identity_bed bed;
  auto& caller = bed.world.join(peer);
  const auto& other = bed.world.join("did:web:other.example");
  dcp::self_issued_draft d{peer, own, "j1", "access", bed.clock.now()};
  struct row {
    std::string token;
    bool needs_access_token;
  };
  auto elsewhere = d;
  elsewhere.audience = "did:web:id.example:globex";
  auto late = d;
  late.now = bed.clock.now() - std::chrono::minutes(10);
  auto without = d;
  without.access_token.clear();
  const auto changed = [&] {
    auto text = dcp::sign_self_issued(d, caller.key, caller.kid);
    text.back() = text.back() == 'A' ? 'B' : 'A';
    return text;
  };
  for (const auto& one : std::vector<row>{
           {"", false},
           {"a.b.c", false},
           {dcp::sign_self_issued(elsewhere, caller.key, caller.kid), false},
           {dcp::sign_self_issued(late, caller.key, caller.kid), false},
           {dcp::sign_self_issued(without, caller.key, caller.kid), true},
           {dcp::sign_self_issued(d, other.key, caller.kid), false},
           {dcp::sign_self_issued(d, other.key, other.kid), false},
           {dcp::sign_self_issued(d, caller.key, std::string(peer) + "#nokey"), false},
           {changed(), false},
       }) {
    CAPTURE(one.token);
    const auto got = prove(bed, one.token, one.needs_access_token);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == "bad_token");
    CHECK(got.error().remedy == cure::fix_input);
  }
  CHECK(prove(bed, dcp::sign_self_issued(without, caller.key, caller.kid), false).has_value());
}

TEST_CASE("a refused token does not use its jti up") {
  identity_bed bed;
  auto& caller = bed.world.join(peer);
  const auto& other = bed.world.join("did:web:other.example");
  dcp::self_issued_draft d{peer, own, "j1", "access", bed.clock.now()};
  CHECK_FALSE(prove(bed, dcp::sign_self_issued(d, other.key, caller.kid)).has_value());
  CHECK(prove(bed, dcp::sign_self_issued(d, caller.key, caller.kid)).has_value());
}

TEST_CASE("a jti counts for each participant and issuer apart") {
  identity_bed bed;
  auto& caller = bed.world.join(peer);
  auto& other = bed.world.join("did:web:other.example");
  dcp::self_issued_draft d{peer, own, "j1", "access", bed.clock.now()};
  const auto token = dcp::sign_self_issued(d, caller.key, caller.kid);
  CHECK(prove(bed, token).has_value());
  CHECK(prove(bed, token, true, "globex").has_value());
  d.issuer = other.did;
  CHECK(prove(bed, dcp::sign_self_issued(d, other.key, other.kid)).has_value());
}

TEST_CASE("a key that the cached document does not have is looked for in a fresh one") {
  identity_bed bed;
  auto& caller = bed.world.join(peer);
  const auto rotate = [&caller](const char* fragment) {
    caller.kid = std::string(peer) + fragment;
    caller.key = jose::key_pair::generate(jose::key_type::ed25519, caller.kid);
    caller.document.methods[0].id = caller.kid;
    caller.document.methods[0].public_key_jwk = caller.key.public_half().jwk();
    caller.document.capability_invocation = {caller.kid};
  };
  CHECK(prove(bed, bed.world.token(peer, own)).has_value());
  rotate("#key-2");
  const auto at_once = prove(bed, bed.world.token(peer, own));
  CHECK_MESSAGE(at_once.has_value(), why(at_once));
  // Its host is not asked again and again.
  rotate("#key-3");
  CHECK_FALSE(prove(bed, bed.world.token(peer, own)).has_value());
  bed.clock.ahead = milliseconds(1'500);
  const auto later = prove(bed, bed.world.token(peer, own));
  CHECK_MESSAGE(later.has_value(), why(later));
}

TEST_CASE("a key may be used only for what its document says, and strictly if the operator says so") {
  identity_bed bed;
  auto& caller = bed.world.join(peer);
  caller.document.capability_invocation.clear();
  CHECK(prove(bed, bed.world.token(peer, own)).has_value());
  bed.settings.strict_relationships = true;
  CHECK_FALSE(prove(bed, bed.world.token(peer, own)).has_value());
}

TEST_CASE("what the document's host did is said, and may be for now") {
  struct row {
    actors::http_result given;
    cure remedy;
    std::string part;
  };
  const std::vector<row> rows = {
      {actors::http_answer{302, {}, ""}, cure::fix_input, "its host answered 302, and redirects are not followed"},
      {actors::http_answer{503, {}, ""}, cure::retry, "its host answered 503"},
      {std::unexpected(actors::exchange_errc::address_refused), cure::fix_input, "the address is not allowed"},
      {actors::http_answer{200, {}, std::string(70'000, 'x')}, cure::fix_input, "more than 65536 bytes"},
      {std::unexpected(actors::exchange_errc::no_answer), cure::retry, "no answer within 5000 ms"},
  };
  for (const auto& one : rows) {
    CAPTURE(one.part);
    identity_bed bed;
    bed.world.join(peer);
    bed.world.play(peer_document, [&one](const auto&) { return one.given; });
    const auto got = prove(bed, bed.world.token(peer, own));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().remedy == one.remedy);
    CHECK(got.error().detail.find(one.part) != std::string::npos);
  }
}

TEST_CASE("a token that ends more than a day ahead is refused") {
  identity_bed bed;
  auto& caller = bed.world.join(peer);
  const auto now = jose::numeric_date(bed.clock.now());
  json::object claims{{"iss", peer}, {"sub", peer},         {"aud", own},       {"jti", "long"},
                      {"iat", now},  {"exp", now + 90'000}, {"token", "access"}};
  const auto token = [&] { return jose::sign_jwt(caller.key, claims, json::object{{"kid", caller.kid}}); };
  CHECK(why(prove(bed, token())) == "The token's exp lies more than 24 hours ahead.");
  claims["exp"] = now + 80'000;
  CHECK(prove(bed, token()).has_value());
}

TEST_CASE("only one Authorization header with a bearer token in its exact form is taken") {
  const auto bearer = [](gateway::http_headers headers) {
    gateway::request r;
    r.headers = std::move(headers);
    return dcp_bearer(r).value_or("none");
  };
  CHECK(bearer({{"authorization", "Bearer abc"}}) == "abc");
  CHECK(bearer({}) == "none");
  for (const char* wrong : {"bearer abc", "Bearer", "Bearer ", "Bearer  abc", "Bearer a b", "Basic abc", "abc"}) {
    CAPTURE(wrong);
    CHECK(bearer({{"authorization", wrong}}) == "none");
  }
  CHECK(bearer({{"authorization", "Bearer a"}, {"authorization", "Bearer b"}}) == "none");
}

} // namespace

} // namespace fondaco::identity
