#include "sim/network.hpp"

#include <utility>
#include <vector>

#include "protocols/json/json.hpp"

namespace fondaco::sim {

using actors::exchange_errc;

namespace {

/// What a message says of itself: its id, and the processes that it belongs to.
struct message_names {
  std::string id, flow;
  std::vector<std::string> processes;
};

void add_names(message_names& to, const std::string& body) {
  const auto parsed = json::parse(body);
  const auto* o = parsed ? parsed->if_object() : nullptr;
  if (!o)
    return;
  if (to.id.empty())
    to.id = json::string_at(*o, "@id").value_or(json::string_at(*o, "messageId").value_or(""));
  if (const auto flow = json::string_at(*o, "dataFlowId"))
    to.flow = *flow;
  for (const auto* name : {"consumerPid", "providerPid", "dataFlowId"})
    if (const auto pid = json::string_at(*o, name))
      to.processes.emplace_back(*pid);
}

/// A signal of a data flow names it in its path.
void add_flow(message_names& to, const std::string& url) {
  const std::string part = "/dataflows/";
  const auto at = url.find(part);
  if (at != std::string::npos)
    to.processes.push_back(url.substr(at + part.size(), url.rfind('/') - at - part.size()));
}

} // namespace

void network::send(const std::string& group, const std::string& process, actors::http_call call,
                   std::function<void(actors::http_result)> done) {
  const auto e = std::make_shared<exchange>(
      exchange{++count_, group, process, "call " + std::to_string(count_), std::move(call), std::move(done)});
  open_.emplace(e->number, e);
  notes_.note(time_.now(), process, e->label + " " + e->call.method + " " + e->call.url);
  if (!group.empty() && e->call.method == "POST") {
    message_names names;
    add_names(names, e->call.body);
    add_flow(names, e->call.url);
    if (!names.id.empty())
      book_.left(group, names.id, names.processes);
  }
  if (unlucky(weather_.refused))
    return time_.after(way(), [this, e] { end(e, std::unexpected(exchange_errc::not_connected)); });
  time_.after(e->call.timeout_ms, [this, e] { end(e, std::unexpected(exchange_errc::no_answer)); });
  if (unlucky(weather_.lost))
    return;
  const auto first =
      unlucky(weather_.late) ? e->call.timeout_ms + luck_.between(milliseconds(1), milliseconds(20'000)) : way();
  const bool counts = !unlucky(weather_.answer_lost);
  time_.after(first, [this, e, counts] { deliver(e, counts); });
  if (unlucky(weather_.repeated))
    time_.after(way() + way(), [this, e] { deliver(e, false); });
}

void network::deliver(const exchange_ptr& e, bool counts) {
  for (const auto& [base, listener] : hosts_) {
    if (!e->call.url.starts_with(base + "/"))
      continue;
    notes_.note(time_.now(), listener.group, e->label + (counts ? " arrives" : " arrives, its answer will be lost"));
    auto call = e->call;
    call.url = call.url.substr(base.size());
    const bool taken = listener.take(call, [this, e, counts, receiver = listener.group](auto answer) {
      if (answer)
        return answered(e, receiver, *answer, counts);
      notes_.note(time_.now(), receiver, e->label + " is broken off");
      if (counts)
        time_.after(way(), [this, e] { end(e, std::unexpected(exchange_errc::no_answer)); });
    });
    if (taken)
      return;
  }
  if (counts)
    end(e, std::unexpected(exchange_errc::not_connected));
}

void network::answered(const exchange_ptr& e, const std::string& receiver, const actors::http_answer& a, bool counts) {
  notes_.note(time_.now(), receiver, e->label + " answered " + std::to_string(a.status));
  if (!receiver.empty() && e->call.method == "POST" && a.status >= 200 && a.status < 300) {
    message_names names;
    add_names(names, e->call.body);
    add_names(names, a.body);
    if (!names.id.empty() && e->call.url.find("/api/dsp/") != std::string::npos)
      book_.acknowledged(receiver, names.id, names.processes);
    if (const auto flow = e->call.url.find("/api/signaling/transfers/");
        flow != std::string::npos && !names.flow.empty())
      book_.heard(receiver, names.flow, e->call.url.substr(e->call.url.rfind('/') + 1));
  }
  if (counts)
    time_.after(way(), [this, e, a] { end(e, a); });
}

void network::end(const exchange_ptr& e, actors::http_result result) {
  if (!open_.erase(e->number))
    return;
  notes_.note(time_.now(), e->process,
              e->label +
                  " ends: " + (result ? std::to_string(result->status) : std::string(actors::name_of(result.error()))));
  std::exchange(e->done, {})(std::move(result));
}

void network::break_off(const std::string& process) {
  auto mine = open_;
  std::erase_if(mine, [&](const auto& e) { return e.second->process != process; });
  for (const auto& [number, e] : mine)
    end(e, std::unexpected(exchange_errc::no_answer));
}

} // namespace fondaco::sim
