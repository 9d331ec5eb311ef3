#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/group.hpp"

namespace fondaco::sim {

/// A participant context and where it lives.
struct participant {
  std::string id;
  group* home = nullptr;
  /// An offer of its asset, as its catalog shows it.
  json::object offer;

  tenant owner() const { return tenant(id); }
  std::string did() const { return "did:web:" + id; }
  std::string dsp() const { return home->url() + "/api/dsp/" + id + "/closed"; }
  shard_number shard() const { return shard_of(owner(), 4); }
};

class play;

/// One run: two groups with three participants each, their network and databases, everything from one seed.
class world {
public:
  world(uint64_t seed, bool print);
  ~world();

  /// Plays the seed to its end: set up, storm, calm, verdict.
  void run();
  record& notes() { return notes_; }
  timeline& time() { return time_; }
  ledger& book() { return book_; }
  chance& luck() { return luck_; }
  std::vector<participant>& people() { return people_; }
  const std::vector<std::unique_ptr<group>>& groups() const { return groups_; }
  network& wires() { return wires_; }

private:
  void set_up();
  void put(const participant& p, const char* kind, const std::string& id, const std::string& body);
  void put(group& home, const tenant& owner, const char* kind, const std::string& id, const std::string& body);
  void read_offer(participant& p, const participant& reader);
  /// Does what can be done now, in an order that the seed chooses.
  void settle();
  /// Lets the next thing happen; time moves on if nothing is left to do now.
  void advance();
  void storm(milliseconds length);
  bool rests() const;

  record notes_;
  timeline time_;
  ledger book_{time_, notes_};
  chance luck_;
  weather weather_;
  network wires_;
  std::vector<std::unique_ptr<group>> groups_;
  std::vector<participant> people_;
  timepoint next_look_{};
};

/// The promises about the end of a run: sides agree, histories are whole.
void judge(world& w, const play& wishes);

} // namespace fondaco::sim
