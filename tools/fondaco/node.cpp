#include "tools/fondaco/node.hpp"

#include <algorithm>
#include <map>
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
  if (p.traces)
    p.traces->flush(milliseconds(1000));
  p.collector.reset();
  p.client.reset();
  p.server.reset();
}

std::expected<std::vector<std::string>, fault> node::reload(const config& fresh) {
  auto& p = impl_->parts;
  std::map<std::string, gateway::tls_options> certificates;
  for (const auto& name : listeners_of(p.settings))
    certificates[name] = fresh.listener(name).tls;
  if (p.server)
    if (auto done = p.server->reload_tls(certificates); !done)
      return std::unexpected(done.error());
  p.trust.replace(fresh.trusted_issuers);
  set_log_level(level_of(fresh.log_level));
  std::vector<std::string> need_restart;
  for (auto& key : changed_keys(p.settings, fresh)) {
    if (!is_reloadable(key))
      need_restart.push_back(std::move(key));
    else if (auto now = fresh.written.find(key); now != fresh.written.end())
      p.settings.written[key] = now->second;
    else
      p.settings.written.erase(key);
  }
  return need_restart;
}

std::string node::bound() const { return impl_->parts.bound; }

bool node::owns_shards() const { return !impl_->parts.runtime || !impl_->parts.runtime->lost(); }

std::vector<std::string> listeners_of(const config& c) {
  std::vector<std::string> out;
  for (const auto* s : start_order(c.roles))
    out.insert(out.end(), s->listeners.begin(), s->listeners.end());
  return out;
}

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
