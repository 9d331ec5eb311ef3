#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

// Gives the kept corpus to the targets without a fuzzer: `fuzz_replay CORPUS` for the folder of all targets' folders,
// `fuzz_replay TARGET FILE...` for a few inputs. The last line is `N passed, M failed`.

namespace {

namespace files = std::filesystem;
using namespace fondaco;

struct target {
  std::string_view name;
  void (*run)(std::string_view);
};

constexpr std::array targets{
    target{"json", fuzz::json_target}, target{"jose", fuzz::jose_target}, target{"dsp", fuzz::dsp_target},
    target{"dcp", fuzz::dcp_target},   target{"http", fuzz::http_target}, target{"config", fuzz::config_target},
};

struct counts {
  size_t passed = 0, failed = 0;
};

std::vector<files::path> files_of(const files::path& folder) {
  std::vector<files::path> out;
  std::error_code ec;
  for (const auto& entry : files::directory_iterator(folder, ec))
    if (entry.is_regular_file())
      out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

bool holds(const target& t, const files::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  if (!in) {
    std::printf("%s: cannot be read\n", file.c_str());
    return false;
  }
  try {
    t.run(bytes.str());
    return true;
  } catch (const std::exception& e) {
    std::printf("%s: %s\n", file.c_str(), e.what());
    return false;
  }
}

counts run(const target& t, const std::vector<files::path>& inputs) {
  counts out;
  for (const auto& file : inputs)
    ++(holds(t, file) ? out.passed : out.failed);
  if (inputs.empty()) {
    std::printf("%s has no input\n", t.name.data());
    ++out.failed;
  }
  std::printf("%-6s %5zu inputs, %zu failed\n", t.name.data(), inputs.size(), out.failed);
  return out;
}

int report(const counts& all) {
  std::printf("%zu passed, %zu failed\n", all.passed, all.failed);
  return all.failed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2) {
    counts all;
    for (const auto& t : targets) {
      const auto one = run(t, files_of(files::path(argv[1]) / t.name));
      all.passed += one.passed;
      all.failed += one.failed;
    }
    return report(all);
  }
  const auto* named = argc > 2 ? std::ranges::find(targets, argv[1], &target::name) : targets.end();
  if (named == targets.end()) {
    std::fprintf(stderr, "fuzz_replay CORPUS, or fuzz_replay TARGET FILE... with one of its targets\n");
    return 2;
  }
  return report(run(*named, {argv + 2, argv + argc}));
}
