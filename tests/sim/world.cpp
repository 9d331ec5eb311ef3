#include "sim/world.hpp"

#include <stdexcept>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/participants/kinds.hpp"
#include "cfm/messages.hpp"
#include "cfm/services.hpp"
#include "planes/record.hpp"
#include "sim/play.hpp"

namespace fondaco::sim {

namespace {

constexpr milliseconds look_every{200};
constexpr milliseconds storm_length{40'000};
/// After the last fault everything has to come to its end within this time.
constexpr milliseconds calm_length_max{900'000};
/// More pieces of work than this at one moment are a wheel that turns by itself.
constexpr size_t steps_at_once_max = 200'000;

persistence::vault& shared_vault() {
  static const auto one = [] {
    persistence::store_options options;
    options.url = ":memory:";
    auto store = persistence::open_store(options);
    auto vault = persistence::open_vault(options, std::string(32, 'k'));
    if (!store || !vault)
      throw std::runtime_error("the vault cannot be opened");
    return std::pair(std::move(*store), std::move(*vault));
  }();
  return *one.second;
}

/// A participant's configuration: it knows all the others. Sealed once, since sealing has chance of its own.
const std::string& config_of(const std::string& id, const std::vector<participant>& people) {
  static std::map<std::string, std::string> made;
  auto& body = made[id];
  if (!body.empty())
    return body;
  const tenant owner(id);
  json::object entries{{"edc.dataspace.profiles", "closed"}}, secrets;
  for (const auto& peer : people) {
    const std::string prefix = "fondaco.dataspace.closed.counterparty." + peer.id + ".";
    entries[prefix + "id"] = peer.did();
    entries[prefix + "attributes"] = "{}";
    secrets[prefix + "accepts"] = shared_vault().seal(owner, peer.id + "-token").value();
    secrets[prefix + "presents"] = shared_vault().seal(owner, id + "-token").value();
  }
  body = json::write(json::object{{"entries", std::move(entries)}, {"privateEntries", std::move(secrets)}});
  return body;
}

/// A house is built from the ground up, and taken down from the roof.
std::string activities_of(std::string_view type) {
  const auto one = [&](const char* id, json::array after) {
    return json::object{
        {"id", id}, {"type", std::string("sim-") + id}, {"discriminator", type}, {"dependsOn", std::move(after)}};
  };
  const bool up = type == cfm::deploy_type;
  const json::array all{one("ground", up ? json::array{} : json::array{"walls"}),
                        one("walls", {up ? "ground" : "roof"}), one("roof", up ? json::array{"walls"} : json::array{})};
  return json::write(json::object{{"templateRef", "house"}, {"activities", all}});
}

} // namespace

world::world(uint64_t seed, bool print)
    : notes_(print), luck_(seed), weather_(weather::of(luck_)),
      wires_(time_, notes_, book_, weather_, chance(luck_.next())) {
  redirect_log([this](const log_line& line) {
    const bool by_exception = line.message.find("exception") != std::string::npos ||
                              line.message.find("quarantined") != std::string::npos ||
                              line.message.find("deciding on it failed") != std::string::npos;
    std::string text = line.message;
    for (const auto& [name, value] : line.fields)
      if (name == "what")
        text += ": " + value;
    if (by_exception)
      notes_.blame(time_.now(), text);
    else if (line.level >= severity::error)
      notes_.note(time_.now(), line.component, text);
  });
  for (const auto* name : {"north", "south"})
    groups_.push_back(
        std::make_unique<group>(name, time_, notes_, book_, wires_, shared_vault(), weather_, chance(luck_.next())));
  for (const auto& g : groups_)
    for (int n = 1; n <= 3; ++n)
      people_.push_back({g->name() + "-" + std::to_string(n), g.get(), {}});
}

world::~world() {
  groups_.clear();
  redirect_log({});
}

void world::put(const participant& p, const char* kind, const std::string& id, const std::string& body) {
  put(*p.home, p.owner(), kind, id, body);
}

void world::put(group& home, const tenant& owner, const char* kind, const std::string& id, const std::string& body) {
  planes::record::put command;
  command.record_kind = kind;
  command.id = id;
  command.body = body;
  auto& s = home.receiver()->services();
  bool done = false;
  using result = std::expected<planes::record::reply, actors::ask_error>;
  actors::start<result>(
      actors::ask<planes::record>(s.runtime, s.edge, {owner, kind, id}, shard_of(owner, 4), std::move(command),
                                  milliseconds(10'000)),
      [&done](const result& r) { done = r.has_value(); }, [](std::exception_ptr) {});
  settle();
  if (!done)
    throw std::runtime_error("the world cannot be set up: " + std::string(kind));
}

void world::read_offer(participant& p, const participant& reader) {
  actors::http_call call;
  call.url = "/api/dsp/" + p.id + "/closed/catalog/datasets/asset-1";
  call.headers.emplace_back("Authorization", "Bearer " + reader.id + "-token");
  std::string body;
  p.home->receiver()->receive(call, [&body](const std::optional<actors::http_answer>& a) { body = a ? a->body : ""; });
  settle();
  const auto dataset = json::parse(body);
  const auto* policies = dataset && dataset->is_object() ? json::array_at(dataset->get_object(), "hasPolicy") : nullptr;
  if (!policies || policies->empty())
    throw std::runtime_error("the world cannot be set up: " + body);
  p.offer = policies->at(0).as_object();
  p.offer["target"] = "asset-1";
  p.offer["assigner"] = p.did();
}

void world::set_up() {
  for (const auto& g : groups_) {
    g->bring_up("a");
    g->look();
  }
  settle();
  for (auto& p : people_) {
    namespace kinds = cells::kinds;
    put(p, kinds::participant_context, p.id, R"({"identity":")" + p.did() + "\"}");
    put(p, kinds::participant_config, p.id, config_of(p.id, people_));
    put(p, kinds::asset, "asset-1",
        R"({"@type":"Asset","properties":{"name":"data"},"lookup":{"name":"data"},)"
        R"("dataAddress":{"type":"HttpData","baseUrl":"https://source.example/asset-1"}})");
    put(p, kinds::policy_definition, "anyone", R"({"policy":{"@type":"Set","permission":[{"action":"use"}]}})");
    put(p, kinds::contract_definition, "all",
        R"({"accessPolicyId":"anyone","contractPolicyId":"anyone","assetsSelector":[]})");
    put(p, kinds::data_plane, "plane-1",
        R"({"dataplaneId":"plane-1","endpoint":")" + p.home->plane_url() +
            R"(/signals/dataflows","transferTypes":["HttpData-PULL"]})");
  }
  for (const auto& g : groups_)
    for (const auto type : {cfm::deploy_type, cfm::dispose_type})
      put(*g, cfm::cfm_tenant, cfm::kinds::orchestration_definition, std::string(type), activities_of(type));
  for (auto& p : people_)
    read_offer(p, &p == &people_[0] ? people_[1] : people_[0]);
  if (weather_.pairs)
    for (const auto& g : groups_)
      g->bring_up("b");
}

void world::settle() {
  for (size_t steps = 0;; ++steps) {
    std::vector<size_t> ready;
    size_t all = 0;
    for (const auto& g : groups_)
      all += ready.emplace_back(g->ready());
    if (all == 0)
      return;
    if (steps > steps_at_once_max)
      return notes_.blame(time_.now(), "the work of one moment does not end");
    auto which = luck_.below(all);
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (which < ready[i]) {
        groups_[i]->step(which);
        break;
      }
      which -= ready[i];
    }
  }
}

void world::advance() {
  settle();
  if (time_.do_next())
    return;
  if (time_.now() >= next_look_) {
    next_look_ = time_.now() + look_every;
    for (const auto& g : groups_)
      g->look();
    return;
  }
  time_.pass(next_look_ - time_.now());
}

void world::storm(milliseconds length) {
  const auto until = time_.now() + length;
  auto next_strike = time_.now() + milliseconds(500);
  while (time_.now() < until && notes_.broken().empty()) {
    advance();
    if (time_.now() < next_strike)
      continue;
    next_strike += milliseconds(500);
    for (const auto& g : groups_)
      g->strike();
  }
}

bool world::rests() const {
  for (const auto& [key, s] : book_.shadows())
    if (!s.rests())
      return false;
  for (const auto& [key, e] : book_.errands())
    if (!e.rests())
      return false;
  const auto under_way = [](const auto& g) { return g->office().under_way() > 0; };
  return wires_.under_way() == 0 && std::ranges::none_of(groups_, under_way);
}

void world::run() {
  set_up();
  play wishes(*this);
  wishes.plan(storm_length / 2);
  wires_.trouble(true);
  for (const auto& g : groups_)
    g->trouble(true);
  storm(storm_length);
  notes_.note(time_.now(), "weather", "calm");
  wires_.trouble(false);
  for (const auto& g : groups_)
    g->calm();
  wishes.wind_up();
  const auto until = time_.now() + calm_length_max;
  while (time_.now() < until && notes_.broken().empty() && !(rests() && wishes.answered()))
    advance();
  if (notes_.broken().empty())
    judge(*this, wishes);
}

} // namespace fondaco::sim
