#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "tools/fondaco/demo_http.hpp"
#include "tools/fondaco/demo_node.hpp"

namespace fondaco::tools {

/// A step that failed; ends the journey.
struct broken_journey {
  std::string why;
};

/// What the journey prints and calls: one line a step, one admin client a node.
class journey_console {
public:
  /// How it talks: a table, JSON lines, or not at all.
  enum class voice : uint8_t { table, json, silent };
  explicit journey_console(voice v) : voice_(v) {}

  /// Runs one step and prints who did what, where it led, and how long it took.
  void step(const std::string& name, const std::string& who, const std::string& what,
            const std::function<std::string()>& work);
  /// Prints a sentence below a step.
  void say(const std::string& text) const;

  /// Calls a node's management listener as its administrator; throws unless the answer is 200 to 299.
  demo_answer call(demo_node& n, const std::string& method, const std::string& path, const json::object& body = {});
  /// The same, whatever the answer's status.
  demo_answer try_call(demo_node& n, const std::string& method, const std::string& path, const json::object& body = {});
  /// Sends a body that is no JSON.
  demo_answer upload(demo_node& n, const std::string& path, const std::string& body, const std::string& media_type);
  /// Forgets a node's token, as after its restart.
  void forget(demo_node& n) { tokens_.erase(n.name()); }

  /// Asks until `look` gives (true, state), with a deadline; throws with the last state.
  std::string await(const std::string& what, const std::function<std::pair<bool, std::string>()>& look);

  /// Why an entity is where it is, as `fondaco ctl why` says it; empty if the node does not know it.
  std::string why(demo_node& n, const std::string& id);

  demo_http& http() { return http_; }

private:
  std::string token(demo_node& n);

  voice voice_;
  demo_http http_;
  std::map<std::string, std::string> tokens_;
};

/// The member as a text; empty if it is missing.
std::string text_of(const json::object& o, std::string_view name);

} // namespace fondaco::tools
