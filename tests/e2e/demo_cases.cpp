#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr size_t data_bytes = 8u << 20;

struct step {
  std::string name;
  std::string who;
  std::string state;
};

std::vector<step> read_steps(const std::string& out, std::string& result) {
  std::vector<step> steps;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    boost::system::error_code wrong;
    auto parsed = json::parse(line, wrong);
    check(!wrong && parsed.is_object(), "the demo printed a line that is no JSON object: " + line);
    const auto& o = parsed.get_object();
    result = text_at(o, "result");
    if (!result.empty())
      continue;
    for (const char* name : {"step", "who", "what", "state"})
      check(!text_at(o, name).empty(), std::string("a step of the demo does not say ") + name + ": " + line);
    check(o.contains("ms") && o.at("ms").is_number(), "a step of the demo does not say how long it took: " + line);
    steps.push_back({text_at(o, "step"), text_at(o, "who"), text_at(o, "state")});
  }
  return steps;
}

void check_steps(const std::vector<step>& got) {
  const std::vector<std::array<const char*, 3>> expected{{"start", "provider", "READY"},
                                                         {"start", "consumer", "READY"},
                                                         {"onboard", "operator", "3 "},
                                                         {"dataplane", "acme", transfer_type},
                                                         {"publish", "acme", "dataset-1"},
                                                         {"catalog", "globex", "1 offer"},
                                                         {"negotiate", "globex", "FINALIZED"},
                                                         {"transfer", "globex", "STARTED"},
                                                         {"edr", "globex", "a token"},
                                                         {"pull", "globex", ""},
                                                         {"compare", "globex", ""},
                                                         {"catalog", "umbrella", "1 offer"},
                                                         {"negotiate", "umbrella", "TERMINATED"},
                                                         {"why", "umbrella", "REFUSED"}};
  for (size_t i = 0; i < expected.size(); ++i) {
    auto number = "step " + std::to_string(i + 1);
    check(i < got.size(), number + " of the demo is missing: " + expected[i][0]);
    check_equal(number, got[i].name, std::string(expected[i][0]));
    check_equal(number + "'s who", got[i].who, std::string(expected[i][1]));
    check(got[i].state.starts_with(expected[i][2]),
          number + " (" + got[i].name + ") led to '" + got[i].state + "', not to '" + expected[i][2] + "'");
  }
  check_equal("the count of the demo's steps", got.size(), expected.size());
}

// The process id in `READY (pid 123)`.
pid_t pid_of(const std::string& state) {
  auto at = state.find("pid ");
  return at == std::string::npos ? 0 : std::atoi(state.c_str() + at + 4);
}

void run_demo(bed& b) {
  auto folder = b.fresh_folder();
  std::filesystem::create_directories(folder + "/stores");
  auto data = folder + "/data.bin";
  write_private(data, random_bytes(data_bytes));
  std::vector<std::string> words{binary(), "demo", data, "--folder", folder + "/nodes", "--json", "--closed"};
  std::vector<std::unique_ptr<store>> stores;
  for (const char* option : {"--provider-store", "--consumer-store"})
    if (b.kind() == store_kind::postgres) {
      stores.push_back(make_store(b.kind(), folder));
      words.insert(words.end(), {option, stores.back()->url()});
    }
  auto done = run_program(words, milliseconds(180'000));
  check(done.code == 0, "the demo ended with " + std::to_string(done.code) + "; it said: " + done.out + done.err);
  std::string result;
  auto steps = read_steps(done.out, result);
  check_steps(steps);
  check_equal("the demo's last line", result, "ok");
  check_equal("what was pulled", steps[9].state, std::to_string(data_bytes) + " bytes");
  auto digest = sha256_of_file(data).substr(0, 24);
  check_equal("the digest that was compared", steps[10].state, digest + "... EQUAL");
  for (size_t i : {0, 1}) {
    auto pid = pid_of(steps[i].state);
    check(pid > 0, "the demo does not say the pid of a node: " + steps[i].state);
    check(::kill(pid, 0) != 0, "a node of the demo is still there: pid " + std::to_string(pid));
  }
}

// The whole journey; with four databases if its parts are four processes.
void run_journey(bed& b, const std::vector<std::string>& more, size_t processes) {
  auto folder = b.fresh_folder();
  std::filesystem::create_directories(folder + "/stores");
  auto data = folder + "/data.bin";
  write_private(data, random_bytes(data_bytes));
  std::vector<std::string> words{binary(), "demo", data, "--folder", folder + "/nodes", "--json"};
  words.insert(words.end(), more.begin(), more.end());
  std::vector<std::unique_ptr<store>> stores;
  std::string urls;
  for (size_t i = 0; b.kind() == store_kind::postgres && i < processes; ++i) {
    stores.push_back(make_store(b.kind(), folder));
    urls += (urls.empty() ? "" : ",") + stores.back()->url();
  }
  if (!urls.empty())
    words.insert(words.end(), {"--stores", urls});
  auto done = run_program(words, milliseconds(240'000));
  check(done.code == 0, "the journey ended with " + std::to_string(done.code) + "; it said: " + done.out + done.err);
  std::string result;
  auto steps = read_steps(done.out, result);
  check_equal("the journey's last line", result, "ok");
  const auto led_to = [&](const std::string& name, const std::string& who) {
    for (const auto& s : steps)
      if (s.name == name && s.who == who)
        return s.state;
    return "no step '" + name + "' of " + who;
  };
  check_equal("acme's credential", led_to("credential", "acme"), "MembershipCredential");
  check_equal("globex's negotiation", led_to("negotiate", "globex"), "FINALIZED");
  check_equal("what was pulled", led_to("pull", "globex"), std::to_string(data_bytes) + " bytes");
  check_equal("the digest that was compared", led_to("compare", "globex"),
              sha256_of_file(data).substr(0, 24) + "... EQUAL");
  check_equal("the stranger's negotiation", led_to("refuse", "umbrella"), "TERMINATED");
  check_equal("why", led_to("why", "both"), "REFUSED");
  check_equal("what is left", led_to("gone", "operator"), "nothing readable");
}

void run_whole_journey(bed& b) { run_journey(b, {}, 1); }

void run_split_journey(bed& b) { run_journey(b, {"--split", "--crash"}, 4); }

void run_without_data(bed& b) {
  auto folder = b.fresh_folder();
  std::filesystem::create_directories(folder);
  auto done = run_program({binary(), "demo", folder + "/missing.bin", "--folder", folder + "/nodes", "--json"});
  check(done.code != 0, "the demo of a missing file ended well");
  check(done.err.find("missing.bin") != std::string::npos, "the demo does not say which file is missing: " + done.err);
  check(done.out.find("\"result\"") == std::string::npos, "the demo of a missing file has a result");
}

} // namespace

cases demo_cases() {
  return {
      {"the demo shares a file between two nodes step by step, refuses a second consumer, and its SHA-256 is equal",
       run_demo},
      {"two organisations go the whole journey from application to disposal, a stranger is refused and both say why",
       run_whole_journey},
      {"the journey in four processes, killed twice on the way, ends with each effect once", run_split_journey},
      {"the demo of a file that is not there ends with an error that names it", run_without_data}};
}

} // namespace fondaco::e2e
