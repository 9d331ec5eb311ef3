// What an operator does with a store and what came out of one: journal verify, history --export and replay, backup,
// verify and restore.

#include <algorithm>
#include <filesystem>

#include "e2e/cases.hpp"
#include "e2e/fabric.hpp"
#include "e2e/shop.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

void check_code(const std::string& what, const ended& e, int code) {
  check(e.code == code, what + " ended with " + std::to_string(e.code) + ", not " + std::to_string(code) +
                            "; it said: " + e.out + e.err);
}

ended verify_journal(const node& at) {
  return run_program({binary(), "journal", "verify", "--config", at.config_file(), "--json"});
}

/// No finding, in a store that has at least so many events; gives what was said.
json::object check_sound(const node& at, int64_t events) {
  const auto said = verify_journal(at);
  check_code("journal verify of " + at.name(), said, 0);
  auto report = json::parse(said.out).as_object();
  check(report.at("events").as_int64() >= events, "journal verify saw too few events: " + said.out);
  check_equal("the links of the audit chain",
              report.at("links").as_int64() + report.at("links_after_erasures").as_int64(),
              report.at("events").as_int64());
  return report;
}

void journal_is_sound(bed& b) {
  auto& w = b.shared();
  auto agreement = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, "dataset-1")), "@id");
  start_transfer(w, w.globex, w.acme, agreement);
  check_sound(w.provider, 20);
  check_sound(w.consumer, 10);
}

// Records, identities, credentials, issuances, status lists, profiles, orchestrations.
void fabric_is_sound(bed& b) {
  fabric_options o;
  o.kind = b.kind();
  fabric f(b.fresh_folder(), o);
  f.start();
  auto stays = f.begin("stays"), goes = f.begin("goes");
  f.await_active(stays);
  f.await_active(goes);
  f.dispose(goes);
  f.await_disposed(goes);
  for (const auto& n : f.nodes()) {
    const auto report = check_sound(*n, 10);
    check(report.at("tombstones").as_int64() > 0 || f.nodes().size() > 1, "nobody was disposed of");
  }
}

void journal_is_changed(bed& b) {
  shop s(b);
  s.open();
  auto n = s.negotiation();
  n.finish("dataset-1");
  check_equal("the exit code of a node", s.at().stop(), 0);
  const auto before = check_sound(s.at(), 10);
  s.at().database().run("update journal set cause = 'forged' where entity = (select key from entity where id = '" +
                        n.provider_pid() + "') and seq = 2");
  s.at().database().run("update entity set status = 'TERMINATED' where id = '" + n.provider_pid() + "'");
  const auto said = run_program({binary(), "journal", "verify", "--config", s.at().config_file()});
  check_code("journal verify of a changed journal", said, 1);
  for (const char* words : {"audit chain", "Its row says TERMINATED", "Cure: ", "acme negotiation "})
    check(said.out.find(words) != std::string::npos,
          std::string("journal verify does not say '") + words + "': " + said.out);
  check(said.out.find(n.provider_pid()) != std::string::npos, "journal verify does not name the entity: " + said.out);
  check_equal("the findings", std::ranges::count(said.out, '\n'), ptrdiff_t{2});
  auto gone = run_program({binary(), "journal", "verify", "--config", s.folder() + "/nothing.toml"});
  check_code("journal verify of no configuration", gone, 3);
}

void disposal_is_clean(bed& b) {
  shop s(b);
  s.open();
  auto n = s.negotiation();
  n.finish("dataset-1");
  s.admin().call("DELETE", "/participants/acme");
  wait_for("the participant to be gone", [&](std::string& saw) -> std::optional<bool> {
    auto got = s.admin().send("GET", "/participants/acme");
    saw = got.body;
    return got.status == 404 ? std::optional(true) : std::nullopt;
  });
  const auto report = check_sound(s.at(), 1);
  check_equal("the tenants of which tombstones are left", report.at("tombstones").as_int64(), int64_t{1});
}

void exported(bed& b) {
  shop s(b);
  s.open();
  auto n = s.negotiation();
  n.finish("dataset-1");
  const auto file = s.folder() + "/history.json";
  check_code("history --export", s.at().ctl({"history", n.provider_pid(), "--export", file}), 0);
  check_code("history --export to a file that is there", s.at().ctl({"history", n.provider_pid(), "--export", file}),
             2);
  check_code("history --export of nothing", s.at().ctl({"history", random_uuid(), "--export", file + "2"}), 1);
  const auto same = run_program({binary(), "replay", file});
  check_code("replay of an export", same, 0);
  for (const char* words : {"acme negotiation", "negotiation.requested", "FINALIZED"})
    check(same.out.find(words) != std::string::npos, std::string("replay does not say '") + words + "': " + same.out);
  const auto text = read_file(file);
  check(text.find("\"state\"") != std::string::npos, "an export has no states");
  const auto changed = s.folder() + "/changed.json";
  write_private(changed, replaced(text, "\"status\":\"AGREED\"", "\"status\":\"AGREEING\""));
  write_private(changed, replaced(read_file(changed), "\"sequence\":1,", "\"sequence\":9,"));
  check_code("replay of a changed export", run_program({binary(), "replay", changed}), 1);
  check_code("replay of no export", run_program({binary(), "replay", s.at().config_file()}), 3);
  // Every entity of the node, with a counterparty's tokens among them.
  std::string all;
  size_t count = 0;
  const auto listed = json::parse(s.at().ctl({"--json", "ps"}).out);
  for (const auto& e : listed.as_array()) {
    const auto to = s.folder() + "/export-" + std::to_string(++count);
    check_code("history --export", s.at().ctl({"history", text_at(e.as_object(), "id"), "--export", to}), 0);
    check_code("replay of " + text_at(e.as_object(), "kind"), run_program({binary(), "replay", to}), 0);
    all += read_file(to);
  }
  check(count > 5 && all.find("dataset-1") != std::string::npos, "an export has no business data");
  check(all.find(s.token()) == std::string::npos, "an export holds a counterparty's token");
  check(all.find("eyJ") == std::string::npos, "an export holds a signed token");
}

/// A node with another store, ports and folder, and the same key: where a backup is restored.
class second_house {
public:
  second_house(bed& b, const node& like) : node_(options(b, like), b.fresh_folder()) {}
  node& at() { return node_; }

private:
  static node_options options(const bed& b, const node& like) {
    node_options o;
    o.name = like.name();
    o.kind = b.kind();
    o.key = like.key();
    return o;
  }
  node node_;
};

void backed_up(bed& b) {
  shop s(b);
  s.open();
  auto done = s.negotiation();
  done.finish("dataset-1");
  const auto file = s.folder() + "/backup";
  auto agreed = s.negotiation();
  {
    // A message is under way when the backup is taken, and the peer takes it afterwards.
    behaving unavailable(s.other(), [](const delivery&) { return http::reply{503, "", {}, false}; });
    agreed.begin("dataset-1");
    wait_for("a first try", [&](std::string&) -> std::optional<bool> {
      return s.other().seen("/negotiations/" + agreed.consumer_pid() + "/agreement").empty() ? std::nullopt
                                                                                             : std::optional(true);
    });
    check_code("backup", run_program({binary(), "backup", "--config", s.at().config_file(), file}), 0);
  }
  check_code("backup to a file that is there",
             run_program({binary(), "backup", "--config", s.at().config_file(), file}), 3);
  check_code("verify", run_program({binary(), "verify", file}), 0);
  const auto broken = s.folder() + "/broken";
  write_private(broken, read_file(file).substr(0, 3000));
  check_code("verify of half a backup", run_program({binary(), "verify", broken}), 1);
  check_code("restore into a store that is not empty",
             run_program({binary(), "restore", "--config", s.at().config_file(), file}), 3);
  agreed.await_state("AGREED");
  s.at().kill();

  second_house other(b, s.at());
  const auto restore = [&](const std::string& from) {
    return run_program({binary(), "restore", "--config", other.at().config_file(), from});
  };
  check_code("restore of half a backup", restore(broken), 1);
  const auto restored = restore(file);
  check_code("restore", restored, 0);
  check(restored.err.find("1 messages are sent again only after") != std::string::npos,
        "restore does not say that a message is in question: " + restored.err);
  check_sound(other.at(), 10);
  const auto tries = s.other().seen("/negotiations/" + agreed.consumer_pid() + "/agreement").size();
  // The peer has the agreement by now: it says so when it is asked, and gets it no second time.
  s.other().behave([&](const delivery& d) {
    if (d.method != "GET")
      return peer::well()(d);
    return json_reply(200, json::object{{"@context", json::array{"https://w3id.org/dspace/2025/1/context.jsonld"}},
                                        {"@type", "ContractNegotiation"},
                                        {"consumerPid", agreed.consumer_pid()},
                                        {"providerPid", agreed.provider_pid()},
                                        {"state", "AGREED"}});
  });
  other.at().start();
  wait_for("the restored node to learn the peer's state", [&](std::string& saw) -> std::optional<bool> {
    saw = other.at().ctl({"show", agreed.provider_pid()}).out;
    return saw.find("AGREED") != std::string::npos ? std::optional(true) : std::nullopt;
  });
  check_equal("the tries of the agreement after the restore",
              s.other().seen("/negotiations/" + agreed.consumer_pid() + "/agreement").size(), tries);
  const auto finished = other.at().ctl({"show", done.provider_pid()});
  check(finished.out.find("FINALIZED") != std::string::npos, "a restored node lost what was done: " + finished.out);
  check_sound(other.at(), 10);
}

void backup_fences(bed& b) {
  shop s(b);
  s.open();
  const auto file = s.folder() + "/backup";
  check_code("backup", run_program({binary(), "backup", "--config", s.at().config_file(), file}), 0);
  const auto rows = read_file(file);
  check(rows.find(s.token()) == std::string::npos, "a backup holds a counterparty's token in clear");
  second_house other(b, s.at());
  check_code("restore", run_program({binary(), "restore", "--config", other.at().config_file(), file}), 0);
  const auto again = s.folder() + "/again";
  check_code("backup of what was restored",
             run_program({binary(), "backup", "--config", other.at().config_file(), again}), 0);
  // The shards' rows follow the table's line: group, shard, epoch, last position.
  const auto epoch_in = [](const std::string& text) {
    const auto table = text.find("{\"table\":\"shard\""), row = text.find("\n[", table) + 1;
    return json::parse(text.substr(row, text.find('\n', row) - row)).as_array().at(2).as_int64();
  };
  check(epoch_in(read_file(again)) > epoch_in(rows) + 999'999, "the epochs of a restored store are not raised");
  other.at().start();
  check_equal("the exit code of a restored node", other.at().stop(), 0);
}

} // namespace

cases store_verb_cases() {
  return {{"journal verify finds nothing in the stores of nodes that run", journal_is_sound},
          {"journal verify finds nothing after onboarding, issuance and a disposal", fabric_is_sound},
          {"journal verify names the entity and the cure where the journal or a row was changed", journal_is_changed},
          {"journal verify finds nothing of a participant that was disposed of", disposal_is_clean},
          {"an exported history folds to the recorded states and holds no secrets; a changed one differs", exported},
          {"a backup that is restored elsewhere is gone on from, and the peer is asked before a message is repeated",
           backed_up},
          {"a restored store fences who had its shards, and its secrets are sealed in the backup", backup_fences}};
}

} // namespace fondaco::e2e
