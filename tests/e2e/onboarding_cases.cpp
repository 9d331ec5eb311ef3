#include <cstdlib>
#include <iostream>
#include <random>

#include "e2e/cases.hpp"
#include "e2e/fabric.hpp"
#include "e2e/insistent_operator.hpp"
#include "e2e/onboarding_audit.hpp"
#include "e2e/onboarding_chaos.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

/// Pause between two rounds of looks at them.
constexpr int look_every_ms = 100;
/// The next tenant's end is waited for so long.
constexpr milliseconds next_within{120'000};
/// A message that a process took with it is delivered again after 30 seconds, and is handled in no time.
constexpr milliseconds delivered_again_within{33'000};

struct extent {
  size_t tenants;
  /// How many of them are on their way at the same time.
  size_t window;
  /// How often each process is killed during the onboarding, and again during the disposal.
  size_t rounds;
};

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// The tenants of one run, from the first request to the last disposal, and what disturbs them.
class onboarding {
public:
  onboarding(bed& b, extent e, bool with_nats)
      : kind_(b.kind()), extent_(e), with_nats_(with_nats), folder_(b.fresh_folder()), nats_(folder_ + "/nats"),
        seed_(number_from("FONDACO_E2E_SEED", std::random_device{}())), prefix_("org-" + random_hex(5)) {
    fabric_options o;
    o.kind = kind_;
    o.split = true;
    if (with_nats) {
      nats_.start();
      o.nats_url = nats_.url();
    }
    fabric_ = std::make_unique<fabric>(folder_, o);
    operator_ = std::make_unique<insistent_operator>(*fabric_);
    std::vector<victim> victims;
    for (const auto& n : fabric_->nodes())
      victims.push_back({n->name(), [at = n.get()] { at->kill(); }, [at = n.get()] { at->start(); }});
    if (with_nats)
      victims.push_back({"nats", [this] { nats_.kill(); }, [this] { nats_.start(); }});
    chaos_ = std::make_unique<chaos>(std::move(victims), seed_);
    fabric_->start();
  }

  void run() {
    try {
      const auto before = census(*fabric_, kind_);
      timed("onboarded", [&] { onboard(); });
      timed("checked", [&] { check_each_once(before); });
      timed("disposed of", [&] { dispose(); });
      if (with_nats_)
        timed("left alone", [&] { await_silence(); });
      timed("looked for", [&] { check_gone(before); });
    } catch (const std::exception& e) {
      chaos_->halt();
      throw failed(std::string(e.what()) + "\nseed " + std::to_string(seed_) + ", killed: " + kills() + open_ones());
    }
  }

private:
  template <class F> void timed(const char* what, F work) {
    const auto begin = steady::now();
    work();
    const auto took = std::chrono::duration_cast<milliseconds>(steady::now() - begin);
    std::cout << "    " << extent_.tenants << " tenants " << what << " in " << took.count() << " ms; seed " << seed_
              << ", killed so far: " << kills() << std::endl;
  }

  void check_each_once(const std::map<std::string, int64_t>& before) {
    check_activities(*fabric_, kind_, all_, 1);
    check_things(*fabric_, kind_, all_);
    check_issued(*fabric_, kind_, all_);
    check_onboarded(before, census(*fabric_, kind_), all_.size());
    const auto found = traces_of(*fabric_, kind_, all_);
    for (const auto* where :
         {"control: document participants participant_context", "control: event participants participant_context",
          "credentials: document participants did_document", "credentials: event participants key_pair",
          "credentials: document issuer holder"})
      check(found.contains(where), std::string("no trace of a deployed tenant is found in ") + where);
    check_apis(*fabric_, all_);
  }

  void check_gone(const std::map<std::string, int64_t>& before) {
    check_activities(*fabric_, kind_, all_, 2);
    check_revoked(*fabric_, kind_);
    check_disposed(before, census(*fabric_, kind_), all_.size());
    check_traces(traces_of(*fabric_, kind_, all_));
    // To the last byte of the database, which no table shows.
    for (const auto* n : {&fabric_->control(), &fabric_->data()}) {
      const auto contents = n->database().contents();
      for (const auto& name : {prefix_, hex(prefix_)})
        check(contents.find(name) == std::string::npos, "a tenant's name is in the database of " + n->name());
    }
    check_apis_forgot(*fabric_, all_);
  }

  /// Until what died with a message in its hands would have got it again, late enough to bring something back.
  void await_silence() {
    wait_for(
        "nats-server to have nothing for anybody any more",
        [&](std::string& saw) -> std::optional<bool> {
          saw = nats_.open();
          const bool late = steady::now() - chaos_->last_rise() > delivered_again_within;
          return late && saw.empty() ? std::optional(true) : std::nullopt;
        },
        delivered_again_within + next_within);
  }

  std::string kills() const {
    std::string out;
    for (const auto& [name, count] : chaos_->kills())
      out += (out.empty() ? "" : ", ") + name + " " + std::to_string(count);
    return out.empty() ? "nobody" : out;
  }

  /// What the system says about some of those that are on the way, the one that erred among them.
  std::string open_ones() {
    std::string out;
    for (size_t i = 0; i < std::min<size_t>(open_.size(), 6); ++i) {
      const auto& t = all_[open_[i]];
      out += "\n" + t.name + " (" + t.profile + "):\n";
      try {
        for (const auto& id : orchestrations_of(t))
          out += fabric_->cfm().ctl({"why", id}).out;
        out += fabric_->cfm().ctl({"why", t.profile}).out;
      } catch (const failed& f) {
        out += std::string("nothing can be had: ") + f.what() + "\n";
      }
    }
    return out;
  }

  std::vector<std::string> orchestrations_of(const tenancy& t) {
    std::vector<std::string> out;
    for (const auto& row :
         select(fabric_->cfm(), kind_,
                "select id from entity where kind = 'orchestration' and view like '%" + t.profile + "%'"))
      out.push_back(row.at(0));
    return out;
  }

  void begin_one() {
    open_.push_back(all_.size());
    all_.push_back(operator_->begin(prefix_ + "-" + std::to_string(all_.size() + 1)));
  }

  /// One look at everybody who is on the way: those in the wanted state leave.
  void look(const std::string& wanted) {
    for (size_t i = 0; i < open_.size();) {
      auto& t = all_[open_[i]];
      const auto seen = operator_->look(t);
      if (seen.state == "error") {
        std::swap(open_[0], open_[i]);
        throw failed(t.name + " erred: " + seen.detail);
      }
      if (seen.state != wanted) {
        ++i;
        continue;
      }
      check(!t.context.empty(), t.name + " is active without a participant context");
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
      last_ = steady::now();
      chaos_->step();
    }
  }

  /// Nobody gets so far ahead of the next kill that it would find nothing to disturb.
  size_t far_enough() {
    const auto next = chaos_->next_kill();
    return next < extent_.tenants ? next + extent_.window : extent_.tenants;
  }

  /// Begins and looks until everybody is in the wanted state.
  template <class F> void drive(const std::string& wanted, F begin_next) {
    chaos_->begin(extent_.rounds, extent_.tenants - extent_.window / 2);
    last_ = steady::now();
    for (size_t begun = 0; begun < extent_.tenants || !open_.empty();) {
      for (; begun < extent_.tenants && open_.size() < extent_.window && begun < far_enough(); ++begun)
        begin_next(begun);
      ::poll(nullptr, 0, look_every_ms);
      look(wanted);
      check(steady::now() - last_ < next_within, "no tenant got to be " + wanted + " for too long");
    }
    chaos_->finish();
  }

  void onboard() {
    drive("active", [&](size_t) { begin_one(); });
  }

  void dispose() {
    drive("disposed", [&](size_t at) {
      operator_->dispose(all_[at]);
      open_.push_back(at);
    });
  }

  store_kind kind_;
  extent extent_;
  bool with_nats_;
  std::string folder_;
  nats_process nats_;
  uint64_t seed_;
  std::string prefix_;
  std::unique_ptr<fabric> fabric_;
  std::unique_ptr<insistent_operator> operator_;
  std::unique_ptr<chaos> chaos_;
  std::vector<tenancy> all_;
  std::vector<size_t> open_;
  steady::time_point last_;
};

void onboard_all(bed& b) {
  const bool whole = b.kind() == store_kind::postgres && std::getenv("FONDACO_TEST_NATS") != nullptr;
  // To repeat a run, or to look closer at a smaller one.
  extent e = whole ? extent{200, 16, 3} : extent{20, 4, 1};
  e.tenants = number_from("FONDACO_E2E_TENANTS", e.tenants);
  e.rounds = number_from("FONDACO_E2E_ROUNDS", e.rounds);
  onboarding(b, e, whole).run();
}

} // namespace

cases onboarding_cases() {
  return {
      {"tenants are onboarded and disposed of, each effect once, while any process is killed at any moment: 200 with "
       "PostgreSQL and NATS, 20 without NATS or on SQLite",
       onboard_all}};
}

} // namespace fondaco::e2e
