#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/ports/broker.hpp"
#include "actors/ports/task.hpp"
#include "sim/ledger.hpp"
#include "sim/weather.hpp"

namespace fondaco::sim {

/// The broker of a group, which outlives its processes: what it took it delivers until a consumer has acted on it, with
/// the losses, repeats and delays of the weather.
class post_office {
public:
  using handler = actors::broker::handler;
  using publication = std::function<void(std::expected<void, fault>)>;

  post_office(std::string group, timeline& time, record& notes, ledger& book, const weather& w, chance luck)
      : group_(std::move(group)), time_(time), notes_(notes), book_(book), weather_(w), luck_(luck) {}

  /// A message of a process, or of somebody outside (`outside`), whose messages nobody has to owe.
  void publish(const std::string& sender, bool outside, actors::broker_message m, publication done);
  /// Somebody acts on a subject's messages from now on, with others if there are any.
  void consume(const std::string& consumer, bool outside, const std::string& subject, handler h);
  /// The process is dead: it acts on nothing more, and what it waits for ends without an answer.
  void break_off(const std::string& process);
  void trouble(bool on) { trouble_ = on; }
  /// Messages that nobody has acted on yet, and publications without an answer.
  size_t under_way() const { return kept_.size() + open_.size(); }

private:
  struct consumer {
    std::string name;
    bool outside = false;
    handler take;
  };
  struct waiting {
    std::string sender;
    publication done;
  };

  void keep(actors::broker_message m);
  void deliver(const std::string& id);
  void handled(const std::string& id, const consumer& by, actors::delivery d);
  void end(uint64_t number, bool taken);
  milliseconds way() { return luck_.between(milliseconds(1), trouble_ ? weather_.way_max : milliseconds(40)); }
  bool unlucky(unsigned permille) { return trouble_ && luck_.hits(permille); }

  std::string group_;
  timeline& time_;
  record& notes_;
  ledger& book_;
  const weather& weather_;
  chance luck_;
  bool trouble_ = false;
  uint64_t count_ = 0;
  std::map<uint64_t, waiting> open_;
  std::map<std::string, actors::broker_message> kept_;
  std::set<std::string> known_;
  std::map<std::string, std::vector<consumer>> consumers_;
};

/// How a process sees its group's broker. Deliveries wait in `post` until the process has its turn.
class process_broker final : public actors::broker {
public:
  process_broker(post_office& office, std::string process, actors::executor& post)
      : office_(office), process_(std::move(process)), post_(post) {}

  /// From now on nothing comes through.
  void sever();

  void publish(actors::broker_message m, post_office::publication done) override;
  void consume(std::string durable, std::string subject, handler h) override;
  std::expected<void, fault> start() override;
  void stop(milliseconds) override { sever(); }
  bool connected() const override { return !severed_; }

private:
  post_office& office_;
  std::string process_;
  actors::executor& post_;
  std::map<std::string, handler> handlers_;
  bool severed_ = false;
};

} // namespace fondaco::sim
