#include "sim/data_plane.hpp"

#include "protocols/json/json.hpp"

namespace fondaco::sim {

using dps::flow_signal;
using dps::flow_state;

bool data_plane::take(const actors::http_call& call, const reply_to_call& reply) {
  const std::string prefix = "/signals/dataflows/";
  if (!call.url.starts_with(prefix))
    return reply(actors::http_answer{404, {}, ""}), true;
  const auto rest = call.url.substr(prefix.size());
  const auto slash = rest.find('/');
  actors::http_answer answer;
  if (slash == std::string::npos)
    answer = begin(call.body);
  else if (rest.substr(slash + 1) == "status")
    answer = flows_.contains(rest.substr(0, slash)) ? status(rest.substr(0, slash), flows_[rest.substr(0, slash)])
                                                    : actors::http_answer{404, {}, ""};
  else
    answer = move(rest.substr(0, slash), rest.substr(slash + 1));
  reply(std::move(answer));
  return true;
}

actors::http_answer data_plane::begin(const std::string& body) {
  const auto parsed = json::parse(body);
  const auto request = parsed ? dps::read_data_flow_request(*parsed) : std::unexpected(fault{});
  if (!request)
    return {400, {}, ""};
  const auto& flow = request->data_flow_id;
  const auto known = flows_.find(flow);
  if (known == flows_.end()) {
    const bool later = trouble_ && luck_.hits(weather_.plane_later);
    flows_[flow] = later ? flow_state::starting : flow_state::started;
    if (later)
      time_.after(luck_.between(milliseconds(10), milliseconds(5'000)), [this, flow] {
        if (flows_[flow] == flow_state::starting)
          flows_[flow] = flow_state::started;
        if (flows_[flow] == flow_state::started)
          call_back(flow, flow_signal::started);
      });
  } else if (dps::is_final(known->second)) {
    return {409, {}, ""};
  }
  return status(flow, flows_[flow]);
}

actors::http_answer data_plane::move(const std::string& flow, const std::string& verb) {
  const auto known = flows_.find(flow);
  if (known == flows_.end()) {
    if (verb == "terminate")
      ended_unknown_.insert(flow);
    return {404, {}, ""};
  }
  auto& state = known->second;
  const auto target = verb == "suspend"     ? flow_state::suspended
                      : verb == "resume"    ? flow_state::started
                      : verb == "completed" ? flow_state::completed
                      : verb == "terminate" ? flow_state::terminated
                                            : flow_state::initialized;
  if (target == flow_state::initialized)
    return {404, {}, ""};
  if (dps::is_final(state) && state != target)
    return {409, {}, ""};
  state = target;
  return verb == "resume" ? status(flow, state) : actors::http_answer{200, {}, ""};
}

actors::http_answer data_plane::status(const std::string& flow, flow_state as) const {
  dps::status_message m;
  m.message_id = "status of " + flow;
  m.data_flow_id = flow;
  m.state = as;
  if (as == flow_state::started)
    m.data_address = dsp::data_address{"HttpData", url_ + "/public/" + flow, {{"authorization", "a-token"}}};
  return {200, {}, json::write(dps::write_status(m))};
}

// A callback that is not taken is sent again, as a plane does.
void data_plane::call_back(const std::string& flow, flow_signal signal) {
  actors::http_call call;
  call.method = "POST";
  call.url = control_url_ + "/api/signaling/transfers/" + flow + "/dataflow/" + std::string(dps::name_of(signal));
  call.headers.emplace_back("Content-Type", "application/json");
  call.body = status(flow, flows_[flow]).body;
  wires_.send("", "plane", std::move(call), [this, flow, signal](const actors::http_result& r) {
    if (!r || r->status >= 500 || r->status == 429 || r->status == 421)
      time_.after(milliseconds(1'000), [this, flow, signal] { call_back(flow, signal); });
  });
}

void data_plane::complete(const std::string& flow) {
  const auto known = flows_.find(flow);
  if (known == flows_.end() || known->second != flow_state::started)
    return;
  known->second = flow_state::completed;
  call_back(flow, flow_signal::completed);
}

std::optional<flow_state> data_plane::state_of(const std::string& flow) const {
  const auto known = flows_.find(flow);
  return known == flows_.end() ? std::nullopt : std::optional(known->second);
}

} // namespace fondaco::sim
