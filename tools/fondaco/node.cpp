#include "tools/fondaco/node.hpp"

#include <algorithm>
#include <utility>

#include "actors/ports/log.hpp"
#include "tools/fondaco/assembly.hpp"

namespace fondaco::tools {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words)
    out += (out.empty() ? "" : ", ") + w;
  return out.empty() ? "nothing" : out;
}

severity level_of(const std::string& name) {
  if (name == "debug")
    return severity::debug;
  if (name == "warning")
    return severity::warning;
  return name == "error" ? severity::error : severity::info;
}

} // namespace

struct node::impl {
  explicit impl(config c) : parts(std::move(c)) {}
  assembly parts;
  std::vector<const service*> started;
};

node::node(config c) : impl_(std::make_unique<impl>(std::move(c))) {}

node::~node() { stop(milliseconds(5000)); }

std::expected<void, fault> node::start() {
  auto& i = *impl_;
  set_log_level(level_of(i.parts.settings.log_level));
  for (const auto* s : start_order(i.parts.settings.roles)) {
    auto done = s->start(i.parts);
    if (!done) {
      auto why = done.error();
      why.detail = "service '" + s->name + "': " + why.detail;
      i.started.push_back(s);
      stop(milliseconds(2000));
      return std::unexpected(std::move(why));
    }
    i.started.push_back(s);
  }
  return {};
}

void node::stop(milliseconds within) {
  auto& i = *impl_;
  while (!i.started.empty()) {
    i.started.back()->stop(i.parts, within);
    i.started.pop_back();
  }
  // The server's threads run what the runtime and the pool post to them, so they end before what they work on; the pool
  // only closes, since those threads may still ask it.
  auto& p = i.parts;
  if (p.pool)
    p.pool->close();
  p.client.reset();
  p.server.reset();
}

std::string node::bound() const { return impl_->parts.bound; }

bool node::owns_shards() const { return !impl_->parts.runtime || !impl_->parts.runtime->lost(); }

std::string plan(const config& c) {
  std::string out = "node " + c.name + " of group " + c.group + ", roles: " + joined(c.roles) + "\n";
  size_t n = 0;
  for (const auto* s : start_order(c.roles)) {
    out += std::to_string(++n) + ". " + s->name + ": requires " + joined(s->requires_) + "; provides " +
           joined(s->provides) + "\n";
    for (const auto& l : s->listeners)
      out += "   listens: " + l + " on " + c.listener(l).bind +
             (c.listener(l).tls.certificate_file.empty() ? "" : " (TLS)") + "\n";
  }
  return out;
}

} // namespace fondaco::tools
