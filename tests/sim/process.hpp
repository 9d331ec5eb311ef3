#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "actors/runtime.hpp"
#include "cells/services.hpp"
#include "cfm/services.hpp"
#include "sim/broker.hpp"
#include "sim/network.hpp"
#include "sim/store.hpp"

namespace fondaco::sim {

/// What processes of a group share, and what outlives them.
struct house {
  std::string group;
  std::string url;
  timeline& time;
  record& notes;
  network& wires;
  post_office& office;
  group_store& store;
  persistence::vault& vault;
  const weather& sky;
};

/// One process of a group: the product's runtime, kinds, senders and routes over the run's clock, chance, network and
/// database. Nothing in it moves but by `step`.
class process {
public:
  process(house& h, std::string node, std::string name, uint64_t seed);
  ~process();
  process(const process&) = delete;

  /// Takes the group's shards; false if another node holds them, or the store does not answer.
  bool start();
  bool started() const { return started_; }
  /// Pieces of work that could be done next, and doing one.
  size_t ready() const;
  void step(size_t which);
  void look() { runtime_->look_at_clock(); }
  /// A request that came in.
  void receive(const actors::http_call& call, reply_to_call reply);
  /// Ends as by SIGKILL: what it had under way has no effect any more.
  void kill();
  /// Ends in order: its shards are given up.
  void stop();
  void trouble(bool on) { store_.trouble(on); }

  const std::string& node() const { return node_; }
  const std::string& name() const { return name_; }
  cells::cell_services& services() { return *services_; }
  actors::runtime& runtime() { return *runtime_; }

  /// Stands still until then: nothing steps it, but what comes in waits.
  timepoint frozen_until{};
  /// Takes no more requests, and stops soon.
  bool leaving = false;

private:
  struct edge final : actors::executor {
    void post(std::function<void()> work) override { waiting.push_back(std::move(work)); }
    std::deque<std::function<void()>> waiting;
  };
  struct line final : actors::http_exchange {
    explicit line(process& p) : from(p) {}
    void send(actors::http_call call, std::function<void(actors::http_result)> done) override;
    process& from;
  };
  struct inbound {
    reply_to_call reply;
  };
  void handle(const actors::http_call& call, const std::shared_ptr<inbound>& in);
  void unwind();

  house& house_;
  std::string node_, name_;
  chance luck_, store_luck_;
  process_store store_;
  edge edge_;
  line line_{*this};
  process_broker broker_;
  actors::reader_pool pool_{0, 4096};
  identity::did_resolver dids_;
  identity::trust_list trust_;
  cells::cell_settings settings_;
  std::unique_ptr<actors::runtime> runtime_;
  std::unique_ptr<cells::cell_services> services_;
  cfm::cfm_settings cfm_settings_;
  std::unique_ptr<cfm::cfm_services> cfm_services_;
  gateway::router routes_;
  std::vector<std::weak_ptr<inbound>> inbounds_;
  bool started_ = false;
  bool over_ = false;
};

} // namespace fondaco::sim
