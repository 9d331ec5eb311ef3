#include <filesystem>

#include "crash/scene.hpp"
#include "load/tenants.hpp"

namespace fondaco::crash {

namespace {

class transfer_scene : public scene {
public:
  transfer_scene(const std::string& folder, e2e::store_kind kind, const std::string& dying) {
    std::filesystem::create_directories(folder);
    market_ = std::make_unique<load::tenants>(folder, kind, 1, [&](e2e::node& n) {
      if (n.name() == dying)
        victim_ = std::make_unique<victim>(n, kind, folder + "/commits");
    });
  }

  victim& dying() override { return *victim_; }
  traces play(const std::string& name) override { return run_flow(*market_, name); }

private:
  std::unique_ptr<victim> victim_;
  std::unique_ptr<load::tenants> market_;
};

} // namespace

std::unique_ptr<scene> make_transfer_scene(const std::string& folder, e2e::store_kind kind, const std::string& dying) {
  return std::make_unique<transfer_scene>(folder, kind, dying);
}

} // namespace fondaco::crash
