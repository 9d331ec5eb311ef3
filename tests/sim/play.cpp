#include "sim/play.hpp"

#include <memory>
#include <utility>

#include "cfm/messages.hpp"
#include "cfm/services.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::sim {

using control_plane::negotiation;
using control_plane::transfer_process;

namespace {

/// Answers that come of the moment: the operator asks again.
bool may_pass(const actors::ask_error& e) { return e.code != actors::ask_errc::refused; }

control_plane::process_settings patient() {
  control_plane::process_settings s;
  s.refusal_delay_ms = milliseconds(200);
  return s;
}

template <class F> void a_few_times(chance& luck, size_t most, F f) {
  for (auto n = luck.below(most + 1); n > 0; --n)
    f();
}

} // namespace

template <class D>
void play::ask(const persistence::entity_key& key, group& at, typename D::command c, const std::string& what) {
  auto again = [this, key, &at, c, what] {
    --open_;
    ask<D>(key, at, c, what);
  };
  ++open_;
  auto* p = at.receiver();
  if (!p)
    return world_.time().after(milliseconds(500), again);
  using result = std::expected<typename D::reply, actors::ask_error>;
  const auto done = [this, key, what, again, name = p->name()](const result& r) {
    const auto said = r ? std::string("done") : r.error().why.code;
    world_.notes().note(world_.time().now(), name, "order '" + what + "' for " + key.id + ": " + said);
    if (!r && may_pass(r.error()))
      return world_.time().after(milliseconds(500), again);
    --open_;
    const auto* s = shadow_of(key);
    if (r && !s)
      world_.notes().blame(world_.time().now(), "order '" + what + "' for " + key.id + " was acknowledged and is lost");
    if (r && s && what == "terminate" && !s->ended())
      world_.notes().blame(world_.time().now(), key.id + " acknowledged its end and goes on");
    if (r && s && what == "complete" && !s->ended() && !s->completes())
      world_.notes().blame(world_.time().now(), key.id + " acknowledged its completion and goes on");
  };
  auto& s = p->services();
  auto shard = parse_uuid(key.id)->shard();
  auto command = c;
  actors::start<result>(
      actors::ask<D>(s.runtime, s.edge, key, shard, std::move(command), milliseconds(10'000)), done,
      [this](std::exception_ptr) { world_.notes().blame(world_.time().now(), "an order ended by an exception"); });
}

const shadow* play::shadow_of(const persistence::entity_key& key) const {
  const auto found = world_.book().shadows().find(key);
  return found == world_.book().shadows().end() ? nullptr : &found->second;
}

void play::plan(milliseconds within) {
  auto& people = world_.people();
  const auto count = 1 + luck_.below(4);
  for (size_t n = 0; n < count; ++n) {
    const auto consumer = luck_.below(people.size());
    const auto provider = (consumer + 1 + luck_.below(people.size() - 1)) % people.size();
    world_.time().after(luck_.between(milliseconds(0), within), [this, consumer, provider] {
      negotiate(world_.people()[consumer], world_.people()[provider]);
    });
  }
  for (auto n = luck_.below(3); n > 0; --n)
    world_.time().after(luck_.between(milliseconds(0), within),
                        [this, &at = *world_.groups()[luck_.below(world_.groups().size())]] { build(at); });
}

void play::build(group& at) {
  cfm::orchestration_manifest manifest;
  manifest.id = make_uuid(world_.time().now(), shard_of(cfm::cfm_tenant, 4), luck_.next()).text();
  manifest.correlation_id = "order of " + manifest.id;
  manifest.orchestration_type = luck_.below(4) == 0 ? cfm::dispose_type : cfm::deploy_type;
  actors::broker_message m;
  m.subject = cfm::subjects::manifest;
  m.id = manifest.id;
  m.payload = cfm::write(manifest);
  hand_in(at, m);
}

// Until the broker has it; what became of it is heard of at the end.
void play::hand_in(group& at, const actors::broker_message& m) {
  ++open_;
  at.office().publish("operator", true, m, [this, &at, m](const std::expected<void, fault>& taken) {
    if (taken) {
      handed_in_.emplace(at.name(), m.id);
      --open_;
      return;
    }
    world_.time().after(milliseconds(500), [this, &at, m] {
      --open_;
      hand_in(at, m);
    });
  });
}

void play::negotiate(participant& consumer, participant& provider) {
  negotiation::initiate c;
  c.id = make_uuid(world_.time().now(), consumer.shard(), luck_.next()).text();
  c.counterparty_id = provider.did();
  c.counterparty_address = provider.dsp();
  c.callback_address = consumer.dsp();
  c.participant_id = consumer.did();
  c.profile = "closed";
  c.asset_id = "asset-1";
  c.offer = provider.offer;
  c.request_id = c.id;
  c.request_digest = "the only one";
  c.settings = patient();
  const auto id = c.id;
  ask<negotiation>({consumer.owner(), std::string(negotiation::kind), id}, *consumer.home, std::move(c), "negotiate");
  if (luck_.hits(200))
    world_.time().after(luck_.between(milliseconds(0), milliseconds(3'000)), [this, &consumer, &provider, id] {
      const bool ours = luck_.below(2) == 0;
      const auto* s = world_.book().find(consumer.home->name(), id);
      const auto* other = s ? world_.book().other_side(*s) : nullptr;
      const auto* victim = ours ? s : other;
      if (victim && !victim->ended())
        ask<negotiation>(victim->key, ours ? *consumer.home : *provider.home, negotiation::terminate{"ordered", ""},
                         "terminate");
    });
  follow(consumer, provider, id, luck_.below(10) < 7);
}

// Looks at the negotiation now and then; once it is agreed, the data is wanted.
void play::follow(participant& consumer, participant& provider, const std::string& id, bool transfers) {
  const auto* s = world_.book().find(consumer.home->name(), id);
  if (winding_up_ || (s && s->ended() && s->dsp_state() != "FINALIZED"))
    return;
  if (!s || s->dsp_state() != "FINALIZED")
    return world_.time().after(
        milliseconds(700), [this, &consumer, &provider, id, transfers] { follow(consumer, provider, id, transfers); });
  if (transfers)
    transfer(consumer, provider, std::get<negotiation::state>(s->state).agreement_id);
}

void play::transfer(participant& consumer, participant& provider, const std::string& agreement_id) {
  transfer_process::initiate c;
  auto& t = c.terms;
  t.id = make_uuid(world_.time().now(), consumer.shard(), luck_.next()).text();
  t.counterparty_id = provider.did();
  t.counterparty_address = provider.dsp();
  t.callback_address = consumer.dsp();
  t.participant_id = consumer.did();
  t.profile = "closed";
  t.agreement_id = agreement_id;
  t.asset_id = "asset-1";
  t.format = "HttpData-PULL";
  t.signaling_address = consumer.home->url() + "/api/signaling";
  t.request_id = t.id;
  t.request_digest = "the only one";
  t.settings = patient();
  const auto id = t.id;
  ask<transfer_process>({consumer.owner(), std::string(transfer_process::kind), id}, *consumer.home, std::move(c),
                        "transfer");
  a_few_times(luck_, 4, [&] {
    world_.time().after(luck_.between(milliseconds(500), milliseconds(20'000)), [this, id] { meddle(id); });
  });
}

// An order of either side, whether it fits or not.
void play::meddle(const std::string& consumer_id) {
  if (winding_up_)
    return;
  const shadow* s = nullptr;
  for (const auto& g : world_.groups())
    if (!s)
      s = world_.book().find(g->name(), consumer_id);
  if (s && luck_.below(2) == 0)
    s = world_.book().other_side(*s);
  if (!s || s->ended())
    return;
  group* home = nullptr;
  for (const auto& g : world_.groups())
    if (g->name() == s->group)
      home = g.get();
  switch (luck_.below(6)) {
  case 0: return ask<transfer_process>(s->key, *home, transfer_process::suspend{"ordered"}, "suspend");
  case 1:
  case 2: return ask<transfer_process>(s->key, *home, transfer_process::start{}, "start");
  case 3: return ask<transfer_process>(s->key, *home, transfer_process::complete{}, "complete");
  case 4: return ask<transfer_process>(s->key, *home, transfer_process::terminate{"ordered", ""}, "terminate");
  default:
    if (s->role() == dsp::role::provider)
      home->plane().complete(s->key.id);
  }
}

void play::wind_up() {
  winding_up_ = true;
  wound_up_at_ = world_.time().now();
  finish();
}

// Transfers go on until somebody ends them: the consumers do, gently at first.
void play::finish() {
  const bool patience_over = world_.time().now() - wound_up_at_ > milliseconds(60'000);
  std::vector<persistence::entity_key> open;
  for (const auto& [key, s] : world_.book().shadows())
    if (!s.is_negotiation() && s.role() == dsp::role::consumer && !s.ended() && !s.owes())
      open.push_back(key);
  for (const auto& key : open) {
    group* home = nullptr;
    for (const auto& g : world_.groups())
      if (g->name() == shadow_of(key)->group)
        home = g.get();
    if (patience_over)
      ask<transfer_process>(key, *home, transfer_process::terminate{"wound up", ""}, "terminate");
    else
      ask<transfer_process>(key, *home, transfer_process::complete{}, "complete");
  }
  world_.time().after(milliseconds(5'000), [this] { finish(); });
}

} // namespace fondaco::sim
