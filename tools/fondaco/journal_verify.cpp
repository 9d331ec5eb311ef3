#include "tools/fondaco/journal_verify.hpp"

#include <iostream>
#include <memory>
#include <utility>

#include "cells/participants/vpa.hpp"
#include "persistence/audit.hpp"
#include "protocols/json/json.hpp"
#include "tools/fondaco/all_kinds.hpp"
#include "tools/fondaco/config.hpp"

namespace fondaco::tools {

namespace {

using persistence::audit_finding;
using persistence::audit_report;

class kind_fold final : public persistence::history_fold {
public:
  explicit kind_fold(std::unique_ptr<actors::entity_state> s) : state_(std::move(s)) {}
  bool replay(const persistence::event_record& e) override { return state_->replay(e); }
  bool restore(const persistence::snapshot& s) override { return state_->restore(s); }
  std::string state() const override { return state_->freeze().value_or(state_->view()); }
  std::string status() const override { return state_->status(); }

private:
  std::unique_ptr<actors::entity_state> state_;
};

persistence::audit_rules rules() {
  persistence::audit_rules out;
  out.fold = [](const persistence::entity_key& key) -> std::unique_ptr<persistence::history_fold> {
    const auto found = all_kinds().find(key.kind);
    return found == all_kinds().end() ? nullptr : std::make_unique<kind_fold>(found->second.make(key));
  };
  out.tombstone_kind = participants::vpa::kind;
  out.tombstone_status = name_of(participants::vpa_state::disposed);
  return out;
}

std::string line_of(const audit_finding& f) {
  std::string line;
  if (f.key)
    line = f.key->owner.id() + " " + f.key->kind + " " + f.key->id + ": ";
  if (f.seq > 0)
    line += "event " + std::to_string(f.seq) + ": ";
  return line + f.what + " Cure: " + f.cure + ".";
}

json::object json_of(const audit_report& r) {
  json::array findings;
  for (const auto& f : r.findings) {
    json::object o{{"what", f.what}, {"cure", f.cure}};
    if (f.key) {
      o["tenant"] = f.key->owner.id();
      o["kind"] = f.key->kind;
      o["id"] = f.key->id;
    }
    if (f.seq > 0)
      o["sequence"] = f.seq;
    findings.push_back(std::move(o));
  }
  return {{"entities", r.entities},
          {"events", r.events},
          {"snapshots", r.snapshots},
          {"links", r.links},
          {"links_after_erasures", r.links_after_erasures},
          {"tombstones", r.tombstones},
          {"findings_total", r.findings_total},
          {"findings", std::move(findings)}};
}

void print(const audit_report& r) {
  for (const auto& f : r.findings)
    std::cout << line_of(f) << "\n";
  if (r.findings_total > static_cast<int64_t>(r.findings.size()))
    std::cout << "... and " << r.findings_total - static_cast<int64_t>(r.findings.size()) << " more\n";
  std::cerr << r.entities << " entities with " << r.events << " events and " << r.snapshots << " snapshots; " << r.links
            << " links of the audit chain follow, " << r.links_after_erasures << " stand after something erased; "
            << r.tombstones << " tenants are disposed of; " << r.findings_total << " findings\n";
}

} // namespace

int run_journal_verify(const std::string& config_file, bool as_json) {
  const auto failed = [](const fault& f) {
    std::cerr << "fondaco journal verify: " << f.detail << "\n";
    return int{store_unreadable};
  };
  auto c = load_config(config_file);
  if (!c)
    return failed(c.error());
  auto store = persistence::open_reader(c->store);
  if (!store)
    return failed(store.error());
  const auto report = persistence::audit(**store, rules());
  if (!report)
    return failed(report.error());
  if (as_json)
    std::cout << json::write(json_of(*report)) << "\n";
  else
    print(*report);
  return report->findings_total == 0 ? store_sound : store_unsound;
}

} // namespace fondaco::tools
