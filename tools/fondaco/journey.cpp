#include "tools/fondaco/journey.hpp"

#include <filesystem>
#include <iostream>

#include "protocols/base/digest.hpp"
#include "tools/fondaco/ctl.hpp"
#include "tools/fondaco/journey_console.hpp"
#include "tools/fondaco/journey_stages.hpp"

namespace fondaco::tools {

namespace {

void run_stages(const journey_options& o, journey_world& world, journey_console& console) {
  journey_stages stages(o, world, console);
  stages.start();
  stages.prepare();
  stages.apply();
  stages.verify();
  stages.provision();
  stages.receive_credentials();
  stages.configure();
  stages.participate();
  stages.refuse_stranger();
  if (!o.keep)
    stages.dispose();
}

void keep_nodes(const journey_options& o, journey_world& world) {
  for (const auto& n : world.nodes()) {
    std::cout << "\nNode " << n->name() << " stays up as process " << n->pid() << ":\n  " << o.program << " ctl --at "
              << n->socket() << " ps|tree|watch|show ID|history ID|why ID\n  admin APIs " << n->url("management")
              << ", protocols " << n->url("protocol") << ", metrics " << n->url("observability")
              << "/metrics\n  its API client admin has its secret in " << n->folder() << "/admin.secret\n  kill "
              << n->pid() << " ends it\n";
    n->let_go();
  }
}

} // namespace

int run_journey(const journey_options& options) {
  if (!options.data.starts_with("http://") && !options.data.starts_with("https://") &&
      !std::filesystem::is_regular_file(options.data)) {
    std::cerr << "fondaco demo: '" << options.data << "' is neither a file nor an http(s) URL\n";
    return 1;
  }
  if (std::filesystem::exists(options.folder) && !std::filesystem::is_empty(options.folder)) {
    std::cerr << "fondaco demo: the folder '" << options.folder << "' is not empty\n";
    return 1;
  }
  journey_world world(options);
  using enum journey_console::voice;
  journey_console console(options.json ? json : table);
  try {
    run_stages(options, world, console);
  } catch (const broken_journey& b) {
    std::cerr << "fondaco demo: " << b.why << "\nlogs:";
    for (const auto& n : world.nodes())
      std::cerr << " " << n->log_file();
    std::cerr << "\n";
    return 1;
  }
  if (options.json)
    std::cout << R"({"result":"ok"})" << std::endl;
  if (options.keep)
    keep_nodes(options, world);
  return 0;
}

} // namespace fondaco::tools
