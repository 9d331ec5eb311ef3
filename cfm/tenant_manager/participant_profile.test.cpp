#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cfm/tenant_manager/participant_profile.hpp"

using namespace fondaco;
using namespace fondaco::cfm;

namespace {

using profile = participant_profile;
using state = profile::state;
namespace ev = profile_events;

constexpr timepoint t0 = from_epoch_ms(1'790'000'000'000);
constexpr const char* did = "did:web:acme.example";

profile_terms terms() {
  profile_terms t;
  t.identifier = did;
  t.tenant_id = "tenant-1";
  t.dataspace_profile_ids = {"ds-1"};
  t.participant_roles = {{"ds-1", {"oem"}}};
  t.properties = {{"colour", "blue"}};
  for (const auto type : vpa_types) {
    profile_vpa v;
    v.id = "vpa-" + std::to_string(t.vpas.size());
    v.type = type;
    v.cell_id = "cell-1";
    v.external_cell_id = "k8s-1";
    t.vpas.push_back(std::move(v));
  }
  t.vpas.back().properties = {{"membership", "full"}};
  t.credential_specs = json::array{json::object{{"id", "membership"}, {"issuer", "did:web:issuer"}}};
  return t;
}

/// A profile that is driven by commands; it keeps what happened.
struct driven {
  state s;
  std::vector<profile_event> history;
  timepoint now = t0;

  std::expected<actors::decision<profile>, actors::refusal> ask(const profile::command& c) {
    now += milliseconds(1);
    auto d = profile::decide(s, c, now);
    if (d)
      for (const auto& e : d->events) {
        history.push_back(e);
        s = profile::evolve(std::move(s), e);
      }
    return d;
  }
  /// Demands that the command is taken, and gives the count of its events.
  size_t take(const profile::command& c) {
    const auto d = ask(c);
    REQUIRE_MESSAGE(d.has_value(), (d ? "" : d.error().why.detail));
    return d->events.size();
  }
  json::object view() const { return json::parse(profile::view(s))->get_object(); }
  std::string waits() const { return std::string(json::string_at(view(), "waitingOn").value_or("")); }
};

profile::command deploy(std::string manifest = "m-1", std::string digest = "") {
  profile::deploy c;
  c.id = "profile-1";
  c.terms = terms();
  c.manifest_id = std::move(manifest);
  c.digest = std::move(digest);
  c.names = {{"cfm_participant_identifier", did}};
  return c;
}

profile::command dispose(std::string manifest) { return profile::dispose{std::move(manifest), "request"}; }

profile::command respond(std::string_view type, std::string manifest, bool success = true, std::string detail = "",
                         json::object output = {{"participantContextId", "pc"}, {"holderPid", "h"}}) {
  orchestration_response r;
  r.id = "r-" + manifest;
  r.manifest_id = std::move(manifest);
  r.correlation_id = "profile-1";
  r.orchestration_type = type;
  r.success = success;
  r.error_detail = std::move(detail);
  r.properties = std::move(output);
  return profile::respond{std::move(r)};
}

driven active() {
  driven d;
  d.take(deploy());
  d.take(profile::published{"m-1"});
  d.take(respond(deploy_type, "m-1"));
  REQUIRE(profile::status(d.s) == "ACTIVE");
  return d;
}

driven failed(json::object output = {{"participantContextId", "pc"}}) {
  driven d;
  d.take(deploy());
  d.take(respond(deploy_type, "m-1", false, "The activity 'a' failed: no.", std::move(output)));
  REQUIRE(profile::status(d.s) == "ERROR");
  return d;
}

orchestration_manifest owed(const state& s) {
  const auto all = profile::owed(s);
  REQUIRE(all.size() == 1);
  return all[0].body.manifest;
}

std::set<std::string> vpa_states(const driven& d) {
  std::set<std::string> out;
  const auto view = d.view();
  for (const auto& v : *json::array_at(view, "vpas"))
    out.emplace(*json::string_at(v.get_object(), "state"));
  return out;
}

} // namespace

TEST_CASE("a new profile takes its identifier and owes its deployment's manifest") {
  driven d;
  const auto decided = d.ask(deploy());
  REQUIRE(decided.has_value());
  CHECK(decided->reply.created);
  REQUIRE(decided->names.size() == 1);
  CHECK(decided->names[0].name == did);
  const auto m = owed(d.s);
  CHECK(m.id == "m-1");
  CHECK(m.correlation_id == "profile-1");
  CHECK(m.orchestration_type == deploy_type);
  CHECK(json::string_at(m.payload, keys::participant_id) == did);
  REQUIRE(json::array_at(m.payload, keys::vpa_data));
  CHECK(json::array_at(m.payload, keys::vpa_data)->size() == 4);
  CHECK(json::array_at(m.payload, keys::vpa_data)->at(3) == json::value{{"id", "vpa-3"},
                                                                        {"vpaType", "cfm.issuer"},
                                                                        {"cellId", "cell-1"},
                                                                        {"externalCellId", "k8s-1"},
                                                                        {"properties", {{"membership", "full"}}}});
  CHECK(*m.payload.if_contains(keys::credentials) == terms().credential_specs);
  // The profile's own properties are not sent.
  CHECK(m.payload.size() == 3);
  CHECK(profile::wake_at(d.s).has_value());
  CHECK(vpa_states(d) == std::set<std::string>{"pending"});
}

TEST_CASE("a deployment that succeeds makes the VPAs active and keeps what it put out") {
  auto d = active();
  CHECK(vpa_states(d) == std::set<std::string>{"active"});
  CHECK(d.view().at("error") == json::value(false));
  const auto view = d.view();
  const auto* properties = json::object_at(view, "properties");
  REQUIRE(properties);
  const auto* kept = json::object_at(*properties, keys::vpa_state);
  REQUIRE(kept);
  CHECK(json::string_at(*kept, "participantContextId") == "pc");
  CHECK(json::string_at(*properties, "colour") == "blue");
  CHECK(profile::owed(d.s).empty());
  CHECK_FALSE(profile::wake_at(d.s).has_value());
  CHECK(d.waits() == "");
}

TEST_CASE("a deployment that fails says why, also to operators") {
  auto d = failed();
  CHECK(vpa_states(d) == std::set<std::string>{"error"});
  CHECK(d.view().at("error") == json::value(true));
  CHECK(json::string_at(d.view(), "errorDetail") == "The activity 'a' failed: no.");
  const auto view = d.view();
  const auto* causes = json::array_at(view, "causes");
  REQUIRE(causes);
  REQUIRE(causes->size() == 1);
  CHECK(causes->at(0) ==
        json::value{{"side", "local"}, {"text", "The deployment failed: The activity 'a' failed: no."}});
}

TEST_CASE("the manifest of a disposal has the deployment's output flat and under its key, and the credentials") {
  for (auto d : {active(), failed()}) {
    d.take(dispose("m-2"));
    CHECK(vpa_states(d) == std::set<std::string>{"disposing"});
    const auto m = owed(d.s);
    CHECK(m.id == "m-2");
    CHECK(m.orchestration_type == dispose_type);
    CHECK(m.correlation_id == "profile-1");
    CHECK(json::string_at(m.payload, keys::participant_context_id) == "pc");
    REQUIRE(json::object_at(m.payload, keys::vpa_state));
    CHECK(json::string_at(*json::object_at(m.payload, keys::vpa_state), keys::participant_context_id) == "pc");
    CHECK(json::string_at(m.payload, keys::participant_id) == did);
    CHECK(json::array_at(m.payload, keys::vpa_data)->size() == 4);
    CHECK(*m.payload.if_contains(keys::credentials) == terms().credential_specs);
  }
}

TEST_CASE("an output cannot put something else in the place of what the manager sends") {
  auto d = failed({{"participantContextId", "pc"}, {"cfm.participant.id", "did:web:other"}, {"cfm.vpa.data", "x"}});
  d.take(dispose("m-2"));
  const auto m = owed(d.s);
  CHECK(json::string_at(m.payload, keys::participant_id) == did);
  CHECK(json::array_at(m.payload, keys::vpa_data));
}

TEST_CASE("each command in each phase is taken, taken quietly or refused") {
  const auto pending = [] {
    driven d;
    d.take(deploy());
    return d;
  };
  const auto disposing = [] {
    auto d = active();
    d.take(dispose("m-2"));
    return d;
  };
  const auto disposed = [&] {
    auto d = disposing();
    d.take(respond(dispose_type, "m-2"));
    return d;
  };
  const auto removed = [&] {
    auto d = disposed();
    d.take(dispose("m-3"));
    return d;
  };
  struct row {
    const char* name;
    std::function<driven()> make;
    profile::command command;
    /// The status after it; empty if it is refused.
    const char* after;
    size_t events;
    const char* code = "";
  };
  const row table[] = {
      {"absent", [] { return driven(); }, dispose("m-9"), "", 0, "not_found"},
      {"absent", [] { return driven(); }, respond(deploy_type, "m-1"), "", 0, "not_found"},
      {"pending", pending, deploy(), "PENDING", 0},
      {"pending", pending, dispose("m-9"), "", 0, "wrong_state"},
      {"pending", pending, respond(deploy_type, "m-1"), "ACTIVE", 1},
      {"pending", pending, respond(deploy_type, "m-1", false, "no"), "ERROR", 1},
      {"pending", pending, respond(deploy_type, "m-other"), "PENDING", 0},
      {"pending", pending, respond("cfm.orchestration.other", "m-1"), "PENDING", 0},
      {"pending", pending, profile::published{"m-other"}, "PENDING", 0},
      {"active", active, deploy(), "ACTIVE", 0},
      {"active", active, dispose("m-2"), "DISPOSING", 1},
      {"active", active, respond(deploy_type, "m-1"), "ACTIVE", 0},
      {"active", active, respond(deploy_type, "m-1", false, "late"), "ACTIVE", 0},
      {"active", active, respond(dispose_type, "m-foreign"), "ACTIVE", 0},
      {"active", active, profile::published{"m-1"}, "ACTIVE", 0},
      {"active", active, profile::not_published{"late"}, "ACTIVE", 0},
      {"error", [] { return failed(); }, dispose("m-2"), "DISPOSING", 1},
      {"error", [] { return failed(); }, respond(deploy_type, "m-1"), "ERROR", 0},
      {"error", [] { return failed(); }, respond(dispose_type, "m-undo"), "DISPOSED", 1},
      {"error", [] { return failed(); }, respond(dispose_type, "m-undo", false, "no"), "ERROR", 1},
      {"disposing", disposing, dispose("m-9"), "DISPOSING", 0},
      {"disposing", disposing, deploy(), "DISPOSING", 0},
      {"disposing", disposing, respond(dispose_type, "m-2"), "DISPOSED", 1},
      {"disposing", disposing, respond(dispose_type, "m-2", false, "no"), "ERROR", 1},
      {"disposing", disposing, respond(dispose_type, "m-undo"), "DISPOSING", 0},
      {"disposing", disposing, respond(deploy_type, "m-1"), "DISPOSING", 0},
      {"disposed", disposed, dispose("m-9"), "REMOVED", 1},
      {"disposed", disposed, respond(dispose_type, "m-2"), "DISPOSED", 0},
      {"disposed", disposed, respond(dispose_type, "m-2", false, "late"), "DISPOSED", 0},
      {"disposed", disposed, respond(deploy_type, "m-1"), "DISPOSED", 0},
      {"removed", removed, dispose("m-9"), "", 0, "not_found"},
      {"removed", removed, deploy(), "", 0, "already_exists"},
      {"removed", removed, respond(dispose_type, "m-2"), "REMOVED", 0},
  };
  for (const auto& r : table) {
    auto d = r.make();
    CAPTURE(r.name);
    CAPTURE(r.command.index());
    const auto before = d.s;
    const auto decided = d.ask(r.command);
    CHECK(decided.has_value() == (*r.after != 0));
    if (!decided) {
      CHECK(decided.error().why.code == r.code);
      CHECK(d.s == before);
      continue;
    }
    CHECK(decided->events.size() == r.events);
    CHECK(profile::status(d.s) == r.after);
    CHECK(decided->reply.removed == (profile::status(d.s) == "REMOVED"));
  }
}

TEST_CASE("the same request again is quiet; another one under its idempotency key is refused") {
  driven d;
  d.take(deploy("m-1", "digest-a"));
  CHECK(d.take(deploy("m-7", "digest-a")) == 0);
  CHECK(owed(d.s).id == "m-1");
  const auto other = d.ask(deploy("m-7", "digest-b"));
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().why.code == "already_exists");
  // A repeat is known by its digest alone, and never makes a profile without terms.
  profile::deploy bare;
  bare.id = "profile-1";
  bare.digest = "digest-a";
  CHECK(d.take(profile::command(bare)) == 0);
  driven absent;
  CHECK(absent.ask(profile::command(bare)).error().why.code == "not_found");
}

TEST_CASE("a response that comes before the broker's answer ends what was owed") {
  driven d;
  d.take(deploy());
  CHECK(d.take(respond(deploy_type, "m-1")) == 1);
  CHECK(profile::owed(d.s).empty());
  CHECK(d.take(profile::published{"m-1"}) == 0);
  CHECK(profile::status(d.s) == "ACTIVE");
}

TEST_CASE("a response that comes twice changes nothing") {
  auto d = active();
  d.take(dispose("m-2"));
  CHECK(d.take(respond(dispose_type, "m-2", false, "no")) == 1);
  CHECK(d.take(respond(dispose_type, "m-2", false, "no")) == 0);
  CHECK(json::array_at(d.view(), "causes")->size() == 1);
  auto e = failed();
  CHECK(e.take(respond(dispose_type, "m-undo", false, "no")) == 1);
  CHECK(e.take(respond(dispose_type, "m-undo", false, "no")) == 0);
}

TEST_CASE("a late response of an earlier disposal does not end the next one, whose manifest is still owed") {
  auto d = active();
  d.take(dispose("m-2"));
  d.take(respond(dispose_type, "m-2", false, "no"));
  d.take(dispose("m-3"));
  CHECK(d.take(respond(dispose_type, "m-2", false, "no")) == 0);
  CHECK(d.take(respond(dispose_type, "m-2")) == 0);
  CHECK(profile::status(d.s) == "DISPOSING");
  CHECK(owed(d.s).id == "m-3");
  CHECK(d.take(respond(dispose_type, "m-3")) == 1);
  CHECK(profile::status(d.s) == "DISPOSED");
  CHECK(d.view().at("error") == json::value(true));
}

TEST_CASE("a failed deployment that was undone is disposed of, whichever end is told first") {
  const auto fail = respond(deploy_type, "m-1", false, "no issuer");
  const auto undo = respond(dispose_type, "m-undo");
  for (const bool undo_first : {false, true}) {
    driven d;
    d.take(deploy());
    d.take(undo_first ? undo : fail);
    CHECK(profile::status(d.s) == (undo_first ? "PENDING" : "ERROR"));
    d.take(undo_first ? fail : undo);
    CHECK(profile::status(d.s) == "DISPOSED");
    CHECK(d.view().at("error") == json::value(true));
    CHECK(json::string_at(d.view(), "errorDetail") == "no issuer");
    CHECK(profile::owed(d.s).empty());
  }
}

TEST_CASE("a disposal that failed can be asked for again, but where nothing was made there is nothing to ask for") {
  auto d = failed();
  d.take(dispose("m-2"));
  d.take(respond(dispose_type, "m-2", false, "the issuer is down"));
  CHECK(profile::status(d.s) == "ERROR");
  CHECK(d.take(dispose("m-3")) == 1);
  auto e = failed(json::object());
  e.take(dispose("m-2"));
  e.take(respond(dispose_type, "m-2", false, "no participantContextId"));
  CHECK(profile::status(e.s) == "DISPOSED");
  CHECK(e.view().at("error") == json::value(true));
  CHECK(json::array_at(e.view(), "causes")->size() == 2);
}

TEST_CASE("a broker that takes nothing is named once for each reason") {
  driven d;
  d.take(deploy());
  CHECK(d.waits() == "the broker to take the manifest m-1");
  CHECK(d.take(profile::not_published{"no connection"}) == 1);
  CHECK(d.take(profile::not_published{"no connection"}) == 0);
  CHECK(d.waits() == "the broker to take the manifest m-1, which it did not: no connection");
  CHECK(owed(d.s).id == "m-1");
  CHECK(d.take(profile::published{"m-1"}) == 1);
  CHECK(d.waits() == "the orchestration m-1");
  CHECK(profile::owed(d.s).empty());
}

TEST_CASE("what a deployment puts out is kept within bounds, with what a disposal needs") {
  driven d;
  d.take(deploy());
  json::object output{{"participantContextId", "pc"}, {"big", std::string(cfm::limits::profile_output_bytes_max, 'x')}};
  d.take(respond(deploy_type, "m-1", true, "", std::move(output)));
  CHECK(d.s.vpa_state == json::object{{"participantContextId", "pc"}});
  driven e;
  e.take(deploy());
  e.take(respond(deploy_type, "m-1", false, std::string(100'000, 'y')));
  CHECK(e.s.error_detail.size() <= cfm::limits::profile_cause_bytes_max);
}

TEST_CASE("random histories of a profile keep every promise") {
  uint64_t x = 0x9f31c2;
  const auto roll = [&x](uint64_t n) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x % n;
  };
  std::set<std::string> seen;
  for (int round = 0; round < 400; ++round) {
    driven d;
    d.take(deploy("m-0", roll(2) ? "digest" : ""));
    // Ids are never given twice; late and foreign ones come as they like.
    std::vector<std::string> ids{"m-0", "foreign-1", "foreign-2"};
    for (int step = 0; step < 30; ++step) {
      const auto before = d.s;
      const auto id = ids[roll(ids.size())];
      const auto output = roll(3) ? json::object{{"participantContextId", "pc"}} : json::object();
      profile::command c = profile::published{id};
      switch (roll(7)) {
      case 0: c = deploy(id, "digest"); break;
      case 1:
        ids.push_back("m-" + std::to_string(step + 1));
        c = dispose(ids.back());
        break;
      case 2:
      case 3: c = respond(deploy_type, roll(3) ? d.s.manifest_id : id, roll(2) == 0, "why", output); break;
      case 4: c = respond(dispose_type, roll(3) ? d.s.manifest_id : id, roll(2) == 0, "why", output); break;
      case 5: c = profile::not_published{"cause " + std::to_string(roll(2))}; break;
      default: break;
      }
      const auto decided = d.ask(c);
      if (!decided)
        CHECK(d.s == before);
      // A response acted on is never acted on again.
      if (decided && std::holds_alternative<profile::respond>(c))
        CHECK(d.take(c) == 0);
      const auto all = profile::owed(d.s);
      CHECK(all.size() <= 1);
      CHECK(all.empty() == !profile::wake_at(d.s).has_value());
      for (const auto& o : all) {
        CHECK(o.body.manifest.id == d.s.manifest_id);
        CHECK(read_manifest(write(o.body.manifest)) == o.body.manifest);
      }
      // Whoever waits for an orchestration has its manifest owed or handed over, and no end of it is known.
      if (d.s.at == profile_phase::pending || d.s.at == profile_phase::disposing) {
        CHECK_FALSE(d.waits().empty());
        CHECK(std::ranges::find(d.s.answered, d.s.manifest_id) == d.s.answered.end());
      } else {
        CHECK(all.empty());
        CHECK(d.waits().empty());
      }
      CHECK(d.s.answered.size() <= cfm::limits::profile_answers_max);
      CHECK(d.s.causes.size() <= cfm::limits::profile_causes_max);
      seen.insert(profile::status(d.s));
    }
    state replayed;
    for (const auto& e : d.history) {
      const auto read = profile::decode(profile::encode(e));
      REQUIRE(read.has_value());
      CHECK(*read == e);
      replayed = profile::evolve(std::move(replayed), *read);
    }
    CHECK(replayed == d.s);
    CHECK(profile::thaw(profile::freeze(d.s)) == d.s);
  }
  CHECK(seen.size() == 6);
}
