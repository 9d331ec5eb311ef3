#include "sim/group.hpp"

#include <algorithm>
#include <utility>

namespace fondaco::sim {

group::group(std::string name, timeline& time, record& notes, ledger& book, network& wires, persistence::vault& vault,
             const weather& w, chance luck)
    : time_(time), notes_(notes), weather_(w), luck_(luck), store_(name, time, notes, book),
      office_(name, time, notes, book, w, chance(luck_.next())),
      crew_(name + "-crew", time, notes, office_, w, chance(luck_.next())),
      house_{name, "https://" + name + ".example", time, notes, wires, office_, store_, vault, w},
      plane_(plane_url(), house_.url, time, notes, wires, w, chance(luck_.next())) {
  wires.listen(url(), name, [this](const actors::http_call& call, reply_to_call reply) {
    auto* p = receiver();
    if (p)
      p->receive(call, std::move(reply));
    return p != nullptr;
  });
  wires.listen(plane_url(), "",
               [this](const actors::http_call& call, const reply_to_call& reply) { return plane_.take(call, reply); });
}

process* group::receiver() {
  std::vector<process*> open;
  for (const auto& p : processes_)
    if (p->started() && !p->leaving)
      open.push_back(p.get());
  return open.empty() ? nullptr : open[luck_.below(open.size())];
}

void group::bring_up(const std::string& node) {
  const auto name = this->name() + "-" + node + "." + std::to_string(++born_);
  notes_.note(time_.now(), name, "comes up");
  processes_.push_back(std::make_unique<process>(house_, node, name, luck_.next()));
  processes_.back()->trouble(trouble_);
}

void group::end(process& p, bool in_order, milliseconds back_after) {
  notes_.note(time_.now(), p.name(), in_order ? "stops" : "is killed");
  if (in_order)
    p.stop();
  else
    p.kill();
  time_.after(back_after, [this, node = p.node()] { bring_up(node); });
  std::erase_if(processes_, [&p](const auto& one) { return one.get() == &p; });
}

void group::look() {
  for (size_t i = 0; i < processes_.size(); ++i) {
    auto& p = *processes_[i];
    if (stands(p))
      continue;
    if (!p.started()) {
      if (p.start())
        notes_.note(time_.now(), p.name(), "serves");
      continue;
    }
    p.look();
    if (p.runtime().lost()) { // a node ends itself then
      end(p, false, milliseconds(500));
      --i;
    }
  }
}

void group::strike() {
  for (size_t i = 0; i < processes_.size(); ++i) {
    auto& p = *processes_[i];
    if (luck_.hits(weather_.killed)) {
      end(p, false, luck_.between(milliseconds(10), milliseconds(8'000)));
      --i;
    } else if (luck_.hits(weather_.frozen) && !stands(p) && p.started()) {
      p.frozen_until = time_.now() + luck_.between(milliseconds(100), milliseconds(15'000));
      notes_.note(time_.now(), p.name(), "freezes");
    } else if (p.leaving && !stands(p)) {
      end(p, true, luck_.between(milliseconds(10), milliseconds(8'000)));
      --i;
    } else if (luck_.hits(weather_.drained) && p.started()) {
      p.leaving = true;
      notes_.note(time_.now(), p.name(), "is drained");
    }
  }
}

void group::calm() {
  trouble(false);
  for (size_t i = 0; i < processes_.size(); ++i) {
    processes_[i]->frozen_until = {};
    if (processes_[i]->leaving) {
      end(*processes_[i], true, milliseconds(100));
      --i;
    }
  }
}

void group::trouble(bool on) {
  trouble_ = on;
  plane_.trouble(on);
  office_.trouble(on);
  crew_.trouble(on);
  for (const auto& p : processes_)
    p->trouble(on);
}

size_t group::ready() const {
  size_t all = 0;
  for (const auto& p : processes_)
    all += stands(*p) ? 0 : p->ready();
  return all;
}

void group::step(size_t which) {
  for (const auto& p : processes_) {
    if (stands(*p))
      continue;
    if (which < p->ready())
      return p->step(which);
    which -= p->ready();
  }
}

} // namespace fondaco::sim
