#include <algorithm>
#include <filesystem>

#include "crash/scene.hpp"
#include "e2e/fabric.hpp"
#include "e2e/insistent_operator.hpp"
#include "e2e/onboarding_audit.hpp"

namespace fondaco::crash {

namespace {

using e2e::check;

constexpr e2e::milliseconds step_within_ms{60'000};
/// A node that was killed does what it owes after it stands again.
constexpr e2e::milliseconds rest_within_ms{20'000};

class tenancy_scene : public scene {
public:
  tenancy_scene(const std::string& folder, e2e::store_kind kind, const std::string& dying) : kind_(kind) {
    std::filesystem::create_directories(folder);
    e2e::fabric_options o;
    o.kind = kind;
    o.split = true;
    fabric_ = std::make_unique<e2e::fabric>(folder, o);
    operator_ = std::make_unique<e2e::insistent_operator>(*fabric_);
    for (const auto& n : fabric_->nodes())
      if (n->name() == dying)
        victim_ = std::make_unique<victim>(*n, kind, folder + "/commits");
    check(victim_ != nullptr, "a fabric has no node " + dying);
    fabric_->start();
  }

  victim& dying() override { return *victim_; }

  traces play(const std::string& name) override {
    const auto before = e2e::census(*fabric_, kind_);
    ever_.push_back(operator_->begin("org-" + name));
    auto& t = ever_.back();
    await(t, "active");
    check(!t.context.empty(), t.name + " is active without a participant context");
    come_to_rest([&] {
      e2e::check_onboarded(before, e2e::census(*fabric_, kind_), 1);
      e2e::check_things(*fabric_, kind_, {t});
      e2e::check_issued(*fabric_, kind_, ever_);
    });
    operator_->dispose(t);
    await(t, "disposed");
    come_to_rest([&] {
      e2e::check_disposed(before, e2e::census(*fabric_, kind_), 1);
      e2e::check_activities(*fabric_, kind_, ever_, 2);
      e2e::check_revoked(*fabric_, kind_);
    });
    return {};
  }

private:
  void await(e2e::tenancy& t, const std::string& state) {
    e2e::wait_for(
        t.name + " to be " + state,
        [&](std::string& saw) -> std::optional<bool> {
          const auto seen = operator_->look(t);
          saw = seen.state;
          check(seen.state != "error", t.name + " erred: " + seen.detail);
          return seen.state == state ? std::optional(true) : std::nullopt;
        },
        step_within_ms);
  }

  // The store of a node that was killed may be looked at while the node repairs it.
  template <class F> static void come_to_rest(F checks) {
    e2e::wait_for(
        "each effect to be there once",
        [&](std::string& saw) -> std::optional<bool> {
          try {
            checks();
            return true;
          } catch (const e2e::failed& f) {
            saw = f.what();
            return std::nullopt;
          }
        },
        rest_within_ms);
  }

  e2e::store_kind kind_;
  std::unique_ptr<victim> victim_;
  std::unique_ptr<e2e::fabric> fabric_;
  std::unique_ptr<e2e::insistent_operator> operator_;
  std::vector<e2e::tenancy> ever_;
};

} // namespace

std::unique_ptr<scene> make_tenancy_scene(const std::string& folder, e2e::store_kind kind, const std::string& dying) {
  return std::make_unique<tenancy_scene>(folder, kind, dying);
}

} // namespace fondaco::crash
