#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "actors/ports/http_exchange.hpp"
#include "sim/ledger.hpp"
#include "sim/weather.hpp"

namespace fondaco::sim {

/// An answer, or nothing if the receiver broke off.
using reply_to_call = std::function<void(std::optional<actors::http_answer>)>;

/// The wires between the groups and their data planes: each exchange has the fate that the weather and the seed give
/// it.
class network {
public:
  /// Takes a call for a host; false if nobody listens there.
  using host = std::function<bool(const actors::http_call&, reply_to_call)>;

  network(timeline& time, record& notes, ledger& book, const weather& w, chance luck)
      : time_(time), notes_(notes), book_(book), weather_(w), luck_(luck) {}

  /// Who answers at a base URL; `group` is whose promises its messages are held to, empty for nobody's.
  void listen(const std::string& base_url, const std::string& group, host h) {
    hosts_[base_url] = {group, std::move(h)};
  }
  /// Sends a call of a group (of nobody if empty) for a process; `done` is called once.
  void send(const std::string& group, const std::string& process, actors::http_call call,
            std::function<void(actors::http_result)> done);
  /// The process is dead: whatever it waits for ends without an answer.
  void break_off(const std::string& process);
  void trouble(bool on) { trouble_ = on; }
  /// Exchanges whose end has not come.
  size_t under_way() const { return open_.size(); }
  size_t sent() const { return count_; }

private:
  struct exchange {
    uint64_t number = 0;
    std::string group, process, label;
    actors::http_call call;
    std::function<void(actors::http_result)> done;
  };
  struct listener {
    std::string group;
    host take;
  };
  using exchange_ptr = std::shared_ptr<exchange>;

  void deliver(const exchange_ptr& e, bool counts);
  void answered(const exchange_ptr& e, const std::string& receiver, const actors::http_answer& a, bool counts);
  void end(const exchange_ptr& e, actors::http_result result);
  milliseconds way() { return luck_.between(milliseconds(1), trouble_ ? weather_.way_max : milliseconds(40)); }
  bool unlucky(unsigned permille) { return trouble_ && luck_.hits(permille); }

  timeline& time_;
  record& notes_;
  ledger& book_;
  const weather& weather_;
  chance luck_;
  bool trouble_ = false;
  uint64_t count_ = 0;
  std::map<std::string, listener> hosts_;
  std::map<uint64_t, exchange_ptr> open_;
};

} // namespace fondaco::sim
