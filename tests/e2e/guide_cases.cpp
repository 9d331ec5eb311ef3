// The guide's commands, run as a reader would: docs/onboarding.md against a node that `fondaco init` made.

#include <csignal>
#include <filesystem>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

// The guide is below the working directory, as the repository's root is for `./dev test`.
std::string guide() {
  const std::string path = "docs/onboarding.md";
  check(std::filesystem::exists(path), path + " is not below the working directory");
  return read_file(path);
}

// All blocks of bash, one after the other.
std::string commands_of(const std::string& text) {
  const std::string opens = "\n```bash\n", closes = "\n```";
  std::string out = "set -euo pipefail\n";
  for (size_t at = 0; (at = text.find(opens, at)) != std::string::npos;) {
    const auto begin = at + opens.size();
    at = text.find(closes, begin);
    check(at != std::string::npos, "a block of the guide does not end");
    out += text.substr(begin, at - begin) + "\n";
  }
  return out;
}

// The usual ports may be taken here: others stand in for them.
class other_ports {
public:
  std::string operator()(std::string text) const {
    for (const auto& [usual, free] : ports_)
      text = replaced(text, usual, free);
    return text;
  }

private:
  std::vector<std::pair<std::string, std::string>> ports_ = [] {
    std::vector<std::pair<std::string, std::string>> out;
    for (const char* usual : {"8282", "8181", "8182", "8185", "8180", "8186"})
      out.emplace_back(usual, std::to_string(free_port()));
    return out;
  }();
};

void run_guide(bed& b) {
  const auto folder = b.fresh_folder();
  std::filesystem::create_directories(folder);
  const auto made_store = make_store(b.kind(), folder);
  const other_ports here;
  std::vector<std::string> init{binary(), "init",           "--folder", folder + "/etc",
                                "--data", folder + "/data", "--host",   "localhost"};
  if (b.kind() == store_kind::postgres)
    init.insert(init.end(), {"--store", made_store->url()});
  const auto made = run_program(init);
  check(made.code == 0, "fondaco init ended with " + std::to_string(made.code) + ": " + made.err);
  const auto config = folder + "/etc/fondaco.toml";
  auto text = here(read_file(config));
  // Those that the file leaves at their defaults.
  text = replaced(text, "[listener.observability]", here("[listener.observability]\nbind = \"127.0.0.1:8180\""));
  text = replaced(text, "[listener.internal]", here("[listener.internal]\nbind = \"127.0.0.1:8186\""));
  write_private(config, text);
  write_private(folder + "/guide.sh", here(commands_of(guide())));
  std::filesystem::create_directories(folder + "/bin");
  std::filesystem::create_symlink(binary(), folder + "/bin/fondaco");

  child node;
  node.start({binary(), "serve", "--config", config}, folder + "/node.log");
  node.await_line("ready", milliseconds(30'000));
  const auto followed =
      run_program({"env", "-C", folder, "PATH=" + folder + "/bin:/usr/local/bin:/usr/bin:/bin", "bash", "guide.sh"},
                  milliseconds(60'000));
  check(followed.code == 0, "the guide's commands ended with " + std::to_string(followed.code) +
                                "; they said: " + followed.out + followed.err +
                                "; the node: " + tail(read_file(folder + "/node.log"), 5));
  check(followed.out.find("\"verificationMethod\"") != std::string::npos,
        "what was pulled in the end is not the shared document: " + followed.out);
  check_equal("the node's exit code", node.end(SIGTERM), 0);
}

} // namespace

cases guide_cases() {
  return {
      {"the commands of docs/onboarding.md lead from fondaco init to data that is shared, and out again", run_guide}};
}

} // namespace fondaco::e2e
