#include "tools/bench/start.hpp"

#include <chrono>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/fondaco/demo_node.hpp"

namespace fondaco::bench {

namespace {

using steady = std::chrono::steady_clock;

double ms_since(steady::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady::now() - begin).count();
}

measured<double> start_node_ms(const std::string& program, const std::string& folder) {
  tools::demo_node node("bench", folder, "", {});
  const auto begin = steady::now();
  if (auto started = node.start(program); !started)
    return std::unexpected(started.error());
  return ms_since(begin);
}

measured<double> print_example_ms(const std::string& program) {
  std::string path = program, verb = "config", flag = "--example";
  char* arguments[] = {path.data(), verb.data(), flag.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const auto begin = steady::now();
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    return std::unexpected("'" + program + "' cannot be started: " + std::strerror(failed));
  int status = 0;
  ::waitpid(pid, &status, 0);
  const double took = ms_since(begin);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return std::unexpected("'" + program + " config --example' ended badly");
  return took;
}

} // namespace

measured<figure> measure_start(const std::string& program, const std::string& folder) {
  std::vector<double> starts, references, ratios;
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  for (int i = 0; i < limits::starts; ++i) {
    const auto started = start_node_ms(program, folder + "/node-" + std::to_string(i));
    if (!started)
      return std::unexpected(started.error());
    const auto printed = print_example_ms(program);
    if (!printed)
      return std::unexpected(printed.error());
    starts.push_back(*started);
    references.push_back(*printed);
    ratios.push_back(*started / *printed);
  }
  figure f;
  f.name = "start to ready on SQLite";
  f.unit = "ms";
  f.value = median(starts);
  f.reference = "a process that prints the example configuration and ends";
  f.reference_unit = f.unit;
  f.reference_value = median(references);
  f.ratio = median(ratios);
  f.notes.push_back("median of " + std::to_string(limits::starts) +
                    " starts, each in a new folder: the schema is made too");
  return f;
}

} // namespace fondaco::bench
