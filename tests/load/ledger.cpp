#include "load/ledger.hpp"

#include <algorithm>
#include <set>

namespace fondaco::load {

namespace {

constexpr e2e::milliseconds answer_within_ms{60'000};
/// How long a process may go on after the load has ended: the retries of a node that was killed among them.
constexpr e2e::milliseconds end_within_ms{120'000};
constexpr const char* root = "/api/management/v5beta";

const std::set<std::string> ends{"FINALIZED", "TERMINATED", "COMPLETED"};

std::string name_of(const acknowledged& a) { return a.who->id + a.path; }

std::string field(const e2e::answer& a, const char* name) {
  return a.status == 200 ? e2e::text_at(a.object(), name) : std::to_string(a.status);
}

/// Where the other side keeps a process.
const e2e::organisation* other_side(tenants& t, const std::string& identity) {
  const auto found = std::ranges::find(t.providers(), identity, &e2e::organisation::identity);
  return found == t.providers().end() ? nullptr : &*found;
}

} // namespace

e2e::answer insistent::send(const std::string& method, const std::string& path, const e2e::json::object& body,
                            const e2e::http::header_list& more) {
  return e2e::wait_for(
      "an answer to " + method + " " + path,
      [&](std::string& saw) -> std::optional<e2e::answer> {
        try {
          auto got = admin_.send(method, root + path, body, more);
          saw = std::to_string(got.status) + " " + got.body;
          if (got.status == 401)
            admin_.forget();
          return got.status < 500 && got.status != 429 && got.status != 401 ? std::optional(std::move(got))
                                                                            : std::nullopt;
        } catch (const e2e::failed& f) {
          saw = f.what();
          return std::nullopt;
        }
      },
      answer_within_ms);
}

void ledger::began(const e2e::organisation& who, std::string path) {
  std::lock_guard lock(mutex_);
  processes_.push_back({&who, std::move(path)});
}

void ledger::created(const e2e::organisation& who, std::string path) {
  std::lock_guard lock(mutex_);
  documents_[{&who, std::move(path)}] = true;
}

void ledger::removed(const e2e::organisation& who, const std::string& path) {
  std::lock_guard lock(mutex_);
  documents_[{&who, path}] = false;
}

size_t ledger::processes() const {
  std::lock_guard lock(mutex_);
  return processes_.size();
}

size_t ledger::documents() const {
  std::lock_guard lock(mutex_);
  return documents_.size();
}

std::vector<std::string> ledger::check(tenants& t) {
  std::vector<std::string> out;
  insistent consumers(t.consumer_node()), providers(t.provider_node());
  const auto deadline = e2e::steady::now() + end_within_ms;
  const auto seen = [&](const acknowledged& a) {
    return e2e::wait_for(
        name_of(a) + " to be read",
        [&](std::string&) -> std::optional<e2e::answer> {
          auto got = consumers.send("GET", a.who->path(a.path));
          const bool over = got.status != 200 || ends.contains(field(got, "state"));
          return over || e2e::steady::now() > deadline ? std::optional(std::move(got)) : std::nullopt;
        },
        end_within_ms + answer_within_ms);
  };
  for (const auto& a : processes_) {
    const auto ours = seen(a);
    const auto state = field(ours, "state");
    if (!ends.contains(state)) {
      out.push_back(name_of(a) + " was acknowledged and is " + state);
      continue;
    }
    const auto there = field(ours, "correlationId");
    const auto* other = other_side(t, field(ours, "counterPartyId"));
    if (!other || there.empty())
      continue; // it ended before the provider knew of it
    const auto kind = a.path.substr(0, a.path.rfind('/') + 1);
    std::string theirs;
    do
      theirs = field(providers.send("GET", other->path(kind + there)), "state");
    while (theirs != state && e2e::steady::now() < deadline);
    if (theirs != state)
      out.push_back(name_of(a) + " is " + state + ", but " + theirs + " at " + other->id);
  }
  for (const auto& [where, stays] : documents_) {
    const auto got = providers.send("GET", where.first->path(where.second));
    if (got.status != (stays ? 200 : 404))
      out.push_back(where.first->id + where.second + (stays ? " was acknowledged" : " was removed") + " and is " +
                    std::to_string(got.status));
  }
  return out;
}

} // namespace fondaco::load
