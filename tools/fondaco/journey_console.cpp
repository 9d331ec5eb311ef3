#include "tools/fondaco/journey_console.hpp"

#include <iostream>

#include <poll.h>

#include "tools/fondaco/ctl.hpp"
#include "tools/fondaco/operator_client.hpp"

namespace fondaco::tools {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto wait_within = std::chrono::seconds(90);
constexpr int look_every_ms = 30;

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

} // namespace

std::string text_of(const json::object& o, std::string_view name) {
  return std::string(json::string_at(o, name).value_or(""));
}

void journey_console::step(const std::string& name, const std::string& who, const std::string& what,
                           const std::function<std::string()>& work) {
  const auto begin = steady::now();
  const auto state = work();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begin).count();
  if (voice_ == voice::silent)
    return;
  if (voice_ == voice::json) {
    std::cout << json::write(json::object{{"step", name}, {"who", who}, {"what", what}, {"state", state}, {"ms", ms}})
              << std::endl;
    return;
  }
  std::cout << padded(who, 10) << padded(what, 62) << padded(state, 34) << ms << " ms" << std::endl;
}

void journey_console::say(const std::string& text) const {
  if (voice_ == voice::table)
    std::cout << "           " << text << std::endl;
}

std::string journey_console::token(demo_node& n) {
  auto& kept = tokens_[n.name()];
  if (!kept.empty())
    return kept;
  const auto answer = http_.send("POST", n.url("management") + "/oauth2/token", "",
                                 "grant_type=client_credentials&client_id=admin&client_secret=" + n.admin_secret(),
                                 "application/x-www-form-urlencoded");
  kept = text_of(answer.object(), "access_token");
  if (kept.empty())
    throw broken_journey{"node '" + n.name() + "' gave no token: " + std::to_string(answer.status) + " " + answer.body};
  return kept;
}

demo_answer journey_console::try_call(demo_node& n, const std::string& method, const std::string& path,
                                      const json::object& body) {
  auto answer = http_.send(method, n.url("management") + path, token(n), body.empty() ? "" : json::write(body));
  if (answer.status == 401) {
    forget(n);
    answer = http_.send(method, n.url("management") + path, token(n), body.empty() ? "" : json::write(body));
  }
  return answer;
}

demo_answer journey_console::call(demo_node& n, const std::string& method, const std::string& path,
                                  const json::object& body) {
  auto answer = try_call(n, method, path, body);
  if (answer.status < 200 || answer.status > 299)
    throw broken_journey{method + " " + path + " on node '" + n.name() + "' was answered " +
                         std::to_string(answer.status) + ": " + answer.body};
  return answer;
}

demo_answer journey_console::upload(demo_node& n, const std::string& path, const std::string& body,
                                    const std::string& media_type) {
  auto answer = http_.send("PUT", n.url("management") + path, token(n), body, media_type);
  if (answer.status < 200 || answer.status > 299)
    throw broken_journey{"PUT " + path + " was answered " + std::to_string(answer.status) + ": " + answer.body};
  return answer;
}

std::string journey_console::await(const std::string& what, const std::function<std::pair<bool, std::string>()>& look) {
  const auto end = steady::now() + wait_within;
  std::string last;
  while (steady::now() < end) {
    auto [done, state] = look();
    if (done)
      return state;
    last = state;
    ::poll(nullptr, 0, look_every_ms);
  }
  throw broken_journey{what + " was not reached in time; the last state was " + last};
}

std::string journey_console::why(demo_node& n, const std::string& id) {
  ctl_options o;
  o.at = n.socket();
  auto node = make_operator_client(o);
  auto answer = node ? (*node)->get("/operator/entities/" + id + "/why") : std::unexpected(node.error());
  if (!answer || answer->status != 200)
    return "";
  std::string out;
  for (const auto& e : demo_answer{answer->status, answer->body}.array())
    if (const auto* sentences = json::array_at(e.as_object(), "why"))
      for (const auto& s : *sentences)
        out += (out.empty() ? "" : " ") + std::string(s.as_string().c_str());
  return out;
}

} // namespace fondaco::tools
