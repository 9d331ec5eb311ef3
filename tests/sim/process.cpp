#include "sim/process.hpp"

#include <utility>

#include "cells/control_plane/dsp_routes.hpp"
#include "cells/control_plane/kinds.hpp"
#include "cells/control_plane/signaling_routes.hpp"
#include "cells/participants/kinds.hpp"
#include "cells/span.hpp"
#include "cfm/provision_manager/routes.hpp"

namespace fondaco::sim {

namespace {

struct no_tokens final : gateway::token_verifier {
  gateway::task<std::expected<gateway::principal, gateway::denied>>
  verify(std::shared_ptr<const gateway::request>) override {
    co_return std::unexpected(gateway::unauthenticated("nobody"));
  }
};

/// What a cell needs and this play does not use: streamed bodies and admin tokens.
struct unused {
  gateway::server server{1};
  gateway::client streams{server, {}};
  no_tokens tokens;
  odrl::policy_functions functions = odrl::built_in_functions();
};

unused& shared() {
  static unused one;
  return one;
}

actors::runtime_limits quick_limits() {
  actors::runtime_limits l;
  l.retry_first_ms = milliseconds(200);
  l.retry_cap_ms = milliseconds(5'000);
  l.sweep_every_ms = milliseconds(2'000);
  l.passivate_after_ms = milliseconds(8'000);
  l.lease_ms = milliseconds(6'000);
  l.snapshot_every_events = 5;
  return l;
}

std::string lower(std::string text) {
  for (auto& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

} // namespace

process::process(house& h, std::string node, std::string name, uint64_t seed)
    : house_(h), node_(std::move(node)), name_(std::move(name)), luck_(seed), store_luck_(seed ^ 0x5bd1e995u),
      store_(h.store, name_, h.sky, store_luck_), broker_(h.office, name_, edge_),
      dids_(line_, edge_, h.time, {.cache_ms = milliseconds(0)}) {
  settings_.protocol_url = h.url;
  settings_.signaling_url = h.url;
  settings_.profiles = {{"closed", cells::identity_mode::token, {}}};
  auto kinds = cells::participant_kinds();
  for (auto& k : cells::control_plane_kinds([this]() -> cells::cell_services& { return *services_; }))
    kinds.push_back(std::move(k));
  cfm_settings_.activity_silence_ms = milliseconds(8'000);
  const auto cfm = [this]() -> cfm::cfm_services& { return *cfm_services_; };
  for (auto& k : cfm::provision_manager_kinds(cfm))
    kinds.push_back(std::move(k));
  actors::runtime::parts parts{store_, h.time, luck_, h.group, node_, 4, 1, quick_limits()};
  parts.drive = actors::drive::caller;
  runtime_ = std::make_unique<actors::runtime>(parts, std::move(kinds));
  const planes::node_services common{*runtime_,        edge_,           pool_,  store_, store_, h.vault, line_,
                                     shared().streams, shared().tokens, h.time, luck_};
  services_ = std::make_unique<cells::cell_services>(
      cells::cell_services{common, shared().functions, settings_, trust_, dids_});
  cfm_services_ = std::make_unique<cfm::cfm_services>(cfm::cfm_services{common, broker_, cfm_settings_});
  cfm::add_provision_manager_consumers(broker_, cfm);
  cells::add_dsp_routes(routes_, *services_);
  cells::add_control_plane_signaling_routes(routes_, *services_);
}

process::~process() {
  if (!over_)
    kill();
}

bool process::start() {
  started_ = runtime_->start().has_value();
  if (started_)
    (void)broker_.start(); // a group's broker always runs
  return started_;
}

size_t process::ready() const { return runtime_->work_ready() + edge_.waiting.size() + (pool_.waiting() > 0); }

void process::step(size_t which) {
  if (which < runtime_->work_ready())
    return runtime_->do_work(which);
  which -= runtime_->work_ready();
  if (which == edge_.waiting.size())
    return (void)pool_.run_one();
  const auto at = edge_.waiting.begin() + static_cast<ptrdiff_t>(which);
  auto work = std::move(*at);
  edge_.waiting.erase(at);
  work();
}

void process::line::send(actors::http_call call, std::function<void(actors::http_result)> done) {
  if (from.over_)
    return done(std::unexpected(actors::exchange_errc::no_answer));
  from.house_.wires.send(from.house_.group, from.name_, std::move(call), std::move(done));
}

void process::receive(const actors::http_call& call, reply_to_call reply) {
  std::erase_if(inbounds_, [](const auto& one) { return one.expired(); });
  const auto in = std::make_shared<inbound>(inbound{std::move(reply)});
  inbounds_.push_back(in);
  edge_.post([this, call, in] { handle(call, in); });
}

void process::handle(const actors::http_call& call, const std::shared_ptr<inbound>& in) {
  if (over_)
    return;
  const auto answer = [in](actors::http_answer a) {
    if (auto reply = std::exchange(in->reply, {}))
      reply(std::move(a));
  };
  const auto r = std::make_shared<gateway::request>();
  r->method = call.method;
  r->path = call.url.substr(0, call.url.find('?'));
  for (const auto& [name, value] : call.headers)
    r->headers.emplace_back(lower(name), value);
  r->body = call.body;
  r->traceparent = call.traceparent;
  r->correlation_id = cells::trace_id_of(call.traceparent);
  r->remote = "127.0.0.1";
  auto handler = routes_.find(*r);
  if (!handler)
    return answer({handler.error(), {}, ""});
  actors::start<gateway::response>((*handler)(r),
                                   [answer](gateway::response a) { answer({a.status, a.headers, a.body}); },
                                   [answer](std::exception_ptr) { answer({500, {}, ""}); });
}

void process::kill() {
  over_ = true;
  store_.sever();
  broker_.sever();
  for (const auto& one : inbounds_)
    if (const auto in = one.lock())
      if (auto reply = std::exchange(in->reply, {}))
        reply(std::nullopt);
  unwind();
}

void process::stop() {
  runtime_->stop(milliseconds(0));
  while (!edge_.waiting.empty() || pool_.waiting() > 0)
    step(runtime_->work_ready());
  kill();
}

// What still waits in a dead process is led to its end in the dark, so that nothing of it stays in memory.
void process::unwind() {
  house_.wires.break_off(name_);
  runtime_->stop(milliseconds(0));
  while (ready() > 0)
    step(0);
}

} // namespace fondaco::sim
