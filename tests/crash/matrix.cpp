#include "crash/matrix.hpp"

#include <future>
#include <iostream>

namespace fondaco::crash {

namespace {

/// One play beside a node that may die in it.
struct outcome {
  traces seen;
  std::optional<std::string> killed_at;
};

outcome play_once(scene& s, const std::string& name) {
  auto play = std::async(std::launch::async, [&] { return s.play(name); });
  outcome out;
  while (play.wait_for(e2e::milliseconds(e2e::look_again_ms)) != std::future_status::ready)
    if (!out.killed_at)
      out.killed_at = s.dying().revive();
  if (!out.killed_at)
    out.killed_at = s.dying().revive();
  out.seen = play.get();
  return out;
}

// What of `seen` is not as in `expected`; empty if all is the same.
std::string difference(const traces& expected, const traces& seen) {
  std::string out;
  for (const auto& [name, line] : expected)
    if (const auto found = seen.find(name); found == seen.end())
      out += "\n  " + name + " is not there";
    else if (found->second != line)
      out += "\n  " + name + " has" + found->second + "\n    and undisturbed" + line;
  for (const auto& [name, line] : seen)
    if (!expected.contains(name))
      out += "\n  " + name + " is there, undisturbed not:" + line;
  return out;
}

} // namespace

const char* name_of(side s) { return s == side::before ? "before" : "after"; }
const char* name_of(e2e::store_kind k) { return k == e2e::store_kind::sqlite ? "sqlite" : "postgres"; }

bool matrix::run() {
  for (const auto& sort : sorts_of_scenes())
    for (const auto* node : sort.nodes)
      if ((extent_.scene.empty() || extent_.scene == sort.name) && (extent_.node.empty() || extent_.node == node))
        run_node(sort, node);
  std::cout << runs_ << " of " << possible_ << " kills\n";
  std::cout << runs_ - failures_ << " passed, " << failures_ << " failed\n";
  return failures_ == 0 && runs_ > 0;
}

void matrix::run_node(const sort_of_scene& sort, const char* node) {
  const auto where = std::string(sort.name) + ", " + node;
  const auto s = sort.make(extent_.folder + "/" + sort.name + "-" + node, extent_.kind, node);
  // The first play makes what all later ones share.
  play_once(*s, "first-" + std::to_string(++plays_));
  s->dying().start_to_die(0, side::before);
  const auto undisturbed = play_once(*s, "undisturbed-" + std::to_string(++plays_)).seen;
  const auto commits = s->dying().commits();
  std::cout << where << ": " << commits << " commits from its start to the end of a play" << std::endl;
  for (const auto& [name, line] : undisturbed)
    std::cout << "  " << name << line << "\n";
  for (uint64_t n = 1; n <= commits; ++n)
    for (const auto when : {side::before, side::after})
      if (chosen(n, when) && !kill_once(*s, where, n, when, undisturbed))
        return;
}

bool matrix::chosen(uint64_t n, side when) {
  ++possible_;
  if (extent_.at != 0)
    return extent_.at == n && (!extent_.when || extent_.when == when);
  return random_() % extent_.part == 0;
}

bool matrix::kill_once(scene& s, const std::string& where, uint64_t n, side when, const traces& undisturbed) {
  ++runs_;
  std::string what = where + ", killed " + name_of(when) + " commit " + std::to_string(n);
  std::string wrong;
  bool goes_on = true;
  try {
    s.dying().start_to_die(n, when);
    const auto got = play_once(s, "n" + std::to_string(n) + "-" + name_of(when) + "-" + std::to_string(++plays_));
    what += got.killed_at ? ", " + *got.killed_at : ", which it did not come to";
    wrong = difference(undisturbed, got.seen);
  } catch (const e2e::failed& f) {
    wrong = std::string("\n  ") + f.what() + "\n" + s.dying().at().report();
    goes_on = false;
  }
  std::cout << (wrong.empty() ? "ok  " : "FAILED ") << what << wrong << std::endl;
  if (wrong.empty())
    return true;
  ++failures_;
  const auto comma = where.find(", ");
  std::cout << "  again: ./dev crash --store " << name_of(extent_.kind) << " --scene " << where.substr(0, comma)
            << " --node " << where.substr(comma + 2) << " --at " << n << " --side " << name_of(when) << std::endl;
  return goes_on;
}

} // namespace fondaco::crash
