#include "e2e/protocol_matrix.hpp"

#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

struct protocol_request {
  const protocol_route& route;
  std::string path;
  std::string body;
  std::string thing;

  std::string name() const { return route.method + " " + route.pattern; }
  std::string at_beta() const {
    const auto out = replaced(path, "/alpha/", "/beta/");
    return out.ends_with("/alpha") ? replaced(out, "/alpha", "/beta") : out;
  }
};

protocol_request ready(const protocol_route& route, known_names known) {
  known["uuid"] = random_uuid();
  protocol_request out{route, route.pattern, filled(route.body, known), filled(route.thing, known)};
  std::string query;
  for (const auto& word : words_of("pc=alpha p=alpha profile=closed " + filled(route.arguments, known))) {
    const auto equal = word.find('=');
    if (word.starts_with('?'))
      query = word;
    else
      out.path = replaced(out.path, "{" + word.substr(0, equal) + "}", in_path(word.substr(equal + 1)));
  }
  check(out.path.find('{') == std::string::npos, "a parameter has no argument: " + out.path);
  out.path += query;
  return out;
}

answer sent(callers& by, const std::string& listener, const protocol_request& r, const header_maker& who,
            const std::string& path, const std::string& body) {
  auto headers = who();
  if (!body.empty())
    headers.emplace_back("Content-Type", "application/json");
  return send(r.route.method, by.at().url(listener) + path, std::move(headers), body);
}

void check_refused(const protocol_request& r, const std::string& who, const answer& a, int status) {
  check(a.status == status, r.name() + " by " + who + " was answered " + std::to_string(a.status) + ", not " +
                                std::to_string(status) + ": " + a.body);
}

// A thing that is not there for this caller looks like one that is not there.
void check_hidden(callers& by, const protocol_callers& who, const protocol_request& r, const std::string& name,
                  const header_maker& headers, const std::string& path) {
  const auto other = nobodys(r.thing);
  const auto theirs = sent(by, who.listener, r, headers, path, r.body);
  const auto none = sent(by, who.listener, r, headers, replaced(path, in_path(r.thing), in_path(other)),
                         replaced(r.body, r.thing, other));
  check(theirs.status == 404 || theirs.status == 403,
        r.name() + " by " + name + " is answered " + std::to_string(theirs.status) + ": " + theirs.body);
  check_equal("what " + name + " sees at " + r.name(), looks(theirs, r.thing), looks(none, other));
}

void check_refusals(callers& by, const protocol_callers& who, const protocol_request& r) {
  for (const auto& one : who.refused)
    check_refused(r, one.what, sent(by, who.listener, r, one.headers, r.path, r.body), one.status);
  if (who.at_beta && r.at_beta() != r.path) {
    const auto got = sent(by, who.listener, r, who.right, r.at_beta(), r.body);
    check(got.status == 401 || got.status == 403,
          r.name() + " with alpha's token at beta's path was answered " + std::to_string(got.status) + ": " + got.body);
  }
  if (r.thing.empty())
    return;
  if (who.at_beta)
    check_hidden(by, who, r, "who asks another tenant", who.at_beta, r.at_beta());
  if (who.stranger && r.route.private_to_caller)
    check_hidden(by, who, r, "another counterparty", who.stranger, r.path);
}

answer call_as_allowed(callers& by, const protocol_callers& who, const protocol_route& route,
                       const known_names& known) {
  return wait_for(
      route.method + " " + route.pattern + " to let in who may", [&](std::string& saw) -> std::optional<answer> {
        const auto r = ready(route, known);
        auto a = sent(by, who.listener, r, who.right, r.path, r.body);
        saw = std::to_string(a.status) + " " + a.body;
        const bool in = route.admitted == 0 ? a.status >= 200 && a.status < 300 : a.status == route.admitted;
        return in ? std::optional(std::move(a)) : std::nullopt;
      });
}

} // namespace

void run_protocol_table(callers& by, const protocol_callers& who, const std::vector<protocol_route>& table,
                        known_names& known) {
  for (const auto& route : table) {
    const auto r = ready(route, known);
    const auto before = quiet_listing(by);
    check_refusals(by, who, r);
    check_unchanged(by, r.name(), before);
    const auto a = call_as_allowed(by, who, route, known);
    if (route.learn_as.empty())
      continue;
    const auto place = a.header("Location");
    known[route.learn_as] =
        route.learn_from == "Location" ? place.substr(place.rfind('/') + 1) : text_at(a.object(), route.learn_from);
    check(!known[route.learn_as].empty(), r.name() + " gave no " + route.learn_from + ": " + a.body);
  }
}

} // namespace fondaco::e2e
