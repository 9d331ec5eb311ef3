#include "sim/broker.hpp"

#include <memory>
#include <utility>

namespace fondaco::sim {

namespace {

/// How long a consumer may take before a message is delivered once more.
constexpr milliseconds patience{10'000};
constexpr milliseconds again_after{200};

std::unexpected<fault> not_taken() {
  return std::unexpected(fault{"broker_unavailable", "The broker does not answer.", cure::retry});
}

} // namespace

void post_office::publish(const std::string& sender, bool outside, actors::broker_message m, publication done) {
  const auto number = ++count_;
  open_.emplace(number, waiting{sender, std::move(done)});
  notes_.note(time_.now(), sender, "publishes " + m.id + " on " + m.subject);
  if (!outside)
    book_.published(group_, m.id);
  if (unlucky(weather_.refused))
    return time_.after(way(), [this, number] { end(number, false); });
  const bool kept = !unlucky(weather_.lost);
  const bool told = kept && !unlucky(weather_.answer_lost);
  time_.after(way(), [this, number, kept, told, m = std::move(m)] {
    if (kept)
      keep(m);
    time_.after(way(), [this, number, told] { end(number, told); });
  });
}

// A message whose id is known is one that it has.
void post_office::keep(actors::broker_message m) {
  if (!known_.insert(m.id).second)
    return;
  const auto id = m.id;
  kept_.emplace(id, std::move(m));
  time_.after(way(), [this, id] { deliver(id); });
  if (unlucky(weather_.repeated))
    time_.after(way() + way(), [this, id] { deliver(id); });
}

void post_office::deliver(const std::string& id) {
  const auto found = kept_.find(id);
  if (found == kept_.end())
    return;
  auto& m = found->second;
  const auto& able = consumers_[m.subject];
  if (able.empty())
    return time_.after(again_after, [this, id] { deliver(id); });
  const auto& chosen = able[luck_.below(able.size())];
  notes_.note(time_.now(), chosen.name, "is delivered " + id + ", attempt " + std::to_string(m.attempt));
  const auto attempt = ++m.attempt;
  time_.after(patience, [this, id, attempt] {
    if (const auto still = kept_.find(id); still != kept_.end() && still->second.attempt == attempt)
      deliver(id);
  });
  const auto by = chosen;
  by.take(m, [this, id, by](actors::delivery d) { handled(id, by, d); });
}

void post_office::handled(const std::string& id, const consumer& by, actors::delivery d) {
  const auto found = kept_.find(id);
  if (found == kept_.end())
    return;
  switch (d) {
  case actors::delivery::done:
    notes_.note(time_.now(), by.name, "is done with " + id);
    if (!by.outside)
      book_.acted_on(group_, found->second);
    if (!unlucky(weather_.answer_lost))
      kept_.erase(found);
    return;
  case actors::delivery::again: ++found->second.attempt; return time_.after(again_after, [this, id] { deliver(id); });
  case actors::delivery::refused: notes_.blame(time_.now(), by.name + " refused message " + id);
  }
}

void post_office::end(uint64_t number, bool taken) {
  const auto found = open_.find(number);
  if (found == open_.end())
    return;
  auto done = std::move(found->second.done);
  open_.erase(found);
  if (taken)
    done({});
  else
    done(not_taken());
}

void post_office::consume(const std::string& consumer, bool outside, const std::string& subject, handler h) {
  consumers_[subject].push_back({consumer, outside, std::move(h)});
}

void post_office::break_off(const std::string& process) {
  for (auto& [subject, able] : consumers_)
    std::erase_if(able, [&process](const auto& one) { return one.name == process; });
  std::vector<uint64_t> mine;
  for (const auto& [number, one] : open_)
    if (one.sender == process)
      mine.push_back(number);
  for (const auto number : mine)
    end(number, false);
}

void process_broker::sever() {
  if (!std::exchange(severed_, true))
    office_.break_off(process_);
}

void process_broker::publish(actors::broker_message m, post_office::publication done) {
  if (severed_)
    return done(not_taken());
  office_.publish(process_, false, std::move(m), std::move(done));
}

void process_broker::consume(std::string, std::string subject, handler h) {
  handlers_.emplace(std::move(subject), std::move(h));
}

// What a dead process says of a message comes to nobody, so the message is delivered again.
std::expected<void, fault> process_broker::start() {
  for (const auto& [subject, take] : handlers_)
    office_.consume(process_, false, subject, [this, &take](actors::broker_message m, auto done) {
      post_.post([this, &take, m = std::move(m), done = std::move(done)] {
        if (severed_)
          return;
        take(m, [this, done](actors::delivery d) {
          if (!severed_)
            done(d);
        });
      });
    });
  return {};
}

} // namespace fondaco::sim
