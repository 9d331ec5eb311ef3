#include "conformance/dsp_driver/agreements.hpp"

#include <algorithm>

namespace fondaco::conformance::driver {

namespace {

constexpr std::string_view offer_prefix = "offer";
/// Pause between looks at an agreement that the node has not stored yet.
constexpr std::chrono::milliseconds agreement_poll{100};

http::reply answer(int status, const json::object& body) {
  return {status, json::serialize(body), {{"Content-Type", "application/json"}}, false};
}

http::reply refuse(int status, const std::string& why, const std::string& consumer_pid = {},
                   const std::string& provider_pid = {}) {
  return answer(status, {{"@context", json::array{"https://w3id.org/dspace/2025/1/context.jsonld"}},
                         {"@type", "ContractNegotiationError"},
                         {"consumerPid", consumer_pid},
                         {"providerPid", provider_pid},
                         {"code", std::to_string(status)},
                         {"reason", json::array{json::string(why)}}});
}

json::array use_permission() { return {json::object{{"action", "use"}}}; }

std::string without_slash(std::string url) {
  if (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

} // namespace

agreement_maker::agreement_maker(node& n, const options& o, std::string dsp_url)
    : node_(n), options_(o), dsp_url_(std::move(dsp_url)) {}

json::object agreement_maker::process_of(const deal& d) {
  return {{"@context", json::array{"https://w3id.org/dspace/2025/1/context.jsonld"}},
          {"@type", "ContractNegotiation"},
          {"providerPid", d.provider ? d.own_pid : d.peer_pid},
          {"consumerPid", d.provider ? d.peer_pid : d.own_pid},
          {"state", d.state}};
}

json::object agreement_maker::message_of(const deal& d, std::string_view type) const {
  auto m = process_of(d);
  m.erase("state");
  m["@type"] = type;
  m["@id"] = random_uuid();
  if (type == "ContractNegotiationEventMessage") {
    m["eventType"] = "FINALIZED";
  } else if (type == "ContractAgreementMessage") {
    m["agreement"] =
        json::object{{"@id", d.agreement_id},         {"@type", "Agreement"},          {"target", d.name},
                     {"assigner", tck_participant},   {"assignee", options_.identity}, {"timestamp", now_instant()},
                     {"permission", use_permission()}};
  }
  return m;
}

http::reply agreement_maker::handle(const std::string& method, const std::string& path, const std::string& body) {
  constexpr std::string_view prefix = "/negotiations/";
  if (!path.starts_with(prefix)) {
    return refuse(404, "only negotiations are served here");
  }
  auto rest = path.substr(prefix.size());
  auto slash = std::min(rest.size(), rest.find('/'));
  auto pid = rest.substr(0, slash);
  auto what = slash == rest.size() ? std::string() : rest.substr(slash + 1);
  if (method == "GET") {
    std::lock_guard lock(mutex_);
    auto found = deals_.find(pid);
    return found == deals_.end() || !what.empty() ? refuse(404, "no such negotiation")
                                                  : answer(200, process_of(found->second));
  }
  boost::system::error_code ec;
  auto message = json::parse(body, ec);
  if (ec || !message.is_object()) {
    return refuse(400, "the body is not a JSON object");
  }
  return pid == "request" && what.empty() ? begun_by_node(message) : moved_by_node(pid, what, message);
}

http::reply agreement_maker::begun_by_node(const json::value& message) {
  auto consumer_pid = text_of(message, "consumerPid");
  auto address = without_slash(text_of(message, "callbackAddress"));
  const auto* offer = message.get_object().if_contains("offer");
  auto offer_id = offer == nullptr ? std::string() : text_of(*offer, "@id");
  if (consumer_pid.empty() || address.empty() || !offer_id.starts_with(offer_prefix)) {
    return refuse(400, "consumerPid, callbackAddress or a known offer is missing", consumer_pid);
  }
  std::lock_guard lock(mutex_);
  auto name = offer_id.substr(offer_prefix.size());
  auto found = std::ranges::find_if(
      deals_, [&](const auto& d) { return d.second.provider && d.second.name == name && !d.second.over(); });
  if (found == deals_.end()) {
    return refuse(404, "no such offer: " + offer_id, consumer_pid);
  }
  auto& d = found->second;
  if (!d.peer_pid.empty() && d.peer_pid != consumer_pid) {
    return refuse(400, "the offer is being negotiated already", consumer_pid, d.own_pid);
  }
  if (d.peer_pid.empty()) {
    d.peer_pid = consumer_pid;
    d.peer_address = address;
    owed_.push_back(d.own_pid);
    changed_.notify_all();
  }
  return answer(201, process_of(d));
}

http::reply agreement_maker::moved_by_node(const std::string& own_pid, const std::string& what,
                                           const json::value& message) {
  std::lock_guard lock(mutex_);
  auto found = deals_.find(own_pid);
  if (found == deals_.end()) {
    return refuse(404, "no such negotiation");
  }
  auto& d = found->second;
  auto move = [&](std::string_view from, std::string_view to) {
    if (d.state == from) {
      d.state = to;
      if (to != "FINALIZED") {
        owed_.push_back(own_pid);
      }
    }
    changed_.notify_all();
    return d.state == to ? answer(200, process_of(d))
                         : refuse(400, "cannot process " + what + " in state " + d.state,
                                  text_of(message, "consumerPid"), text_of(message, "providerPid"));
  };
  if (!d.provider && what == "agreement") {
    const auto* agreement = message.get_object().if_contains("agreement");
    d.agreement_id = agreement == nullptr ? std::string() : text_of(*agreement, "@id");
    d.peer_pid = text_of(message, "providerPid");
    return move("REQUESTED", "AGREED");
  }
  if (d.provider && what == "agreement/verification") {
    return move("AGREED", "VERIFIED");
  }
  if (!d.provider && what == "events" && text_of(message, "eventType") == "FINALIZED") {
    return move("VERIFIED", "FINALIZED");
  }
  if (what == "termination") {
    d.failure = "the node terminated: " + json::serialize(message);
    d.state = "TERMINATED";
    changed_.notify_all();
    return answer(200, process_of(d));
  }
  return refuse(400, "a " + what + " message is not expected here");
}

result<void> agreement_maker::send_owed(const std::string& own_pid) {
  std::unique_lock lock(mutex_);
  auto& d = deals_.at(own_pid);
  auto base = d.peer_address + "/negotiations/" + d.peer_pid;
  auto type = d.state == "REQUESTED" ? "ContractAgreementMessage"
              : d.provider           ? "ContractNegotiationEventMessage"
                                     : "ContractAgreementVerificationMessage";
  auto tail = d.state == "REQUESTED" ? "/agreement" : d.provider ? "/events" : "/agreement/verification";
  auto next = d.state == "REQUESTED" ? "AGREED" : d.provider ? "FINALIZED" : "VERIFIED";
  auto message = message_of(d, type);
  // The node may react before its acknowledgement is read, so our state goes ahead of the sending.
  d.state = next;
  lock.unlock();
  auto sent = node_.send(base + tail, message);
  lock.lock();
  if (!sent) {
    d.failure = sent.error();
    return std::unexpected(sent.error());
  }
  return {};
}

result<void> agreement_maker::request(const std::string& name, const std::string& dataset_id,
                                      const std::string& offer_id) {
  deal d;
  d.name = name;
  d.own_pid = random_uuid();
  d.peer_address = options_.base_url();
  json::object message{
      {"@context", json::array{"https://w3id.org/dspace/2025/1/context.jsonld"}},
      {"@id", random_uuid()},
      {"@type", "ContractRequestMessage"},
      {"consumerPid", d.own_pid},
      {"callbackAddress", dsp_url_},
      {"offer",
       json::object{{"@id", offer_id}, {"@type", "Offer"}, {"target", dataset_id}, {"permission", use_permission()}}}};
  {
    std::lock_guard lock(mutex_);
    deals_.emplace(d.own_pid, d);
  }
  auto begun = node_.send(options_.base_url() + "/negotiations/request", message);
  if (!begun) {
    return std::unexpected(begun.error());
  }
  auto pid = text_of(*begun, "providerPid");
  if (pid.empty()) {
    return std::unexpected("the node's answer to a contract request has no providerPid");
  }
  std::lock_guard lock(mutex_);
  deals_.at(d.own_pid).peer_pid = pid;
  return {};
}

result<void> agreement_maker::make_node_request(const std::string& agreement_id) {
  deal d;
  d.provider = true;
  d.name = d.agreement_id = agreement_id;
  d.own_pid = random_uuid();
  {
    std::lock_guard lock(mutex_);
    deals_.emplace(d.own_pid, d);
  }
  auto request = management_body("ContractRequest");
  request["counterPartyAddress"] = dsp_url_;
  request["profile"] = options_.profile;
  request["policy"] = json::object{{"@type", "Offer"},
                                   {"@id", std::string(offer_prefix) + agreement_id},
                                   {"assigner", tck_participant},
                                   {"target", agreement_id},
                                   {"permission", use_permission()}};
  auto begun = node_.manage_participant("POST", "/contractnegotiations", request);
  if (!begun) {
    return std::unexpected(begun.error());
  }
  std::lock_guard lock(mutex_);
  deals_.at(d.own_pid).negotiation_id = text_of(*begun, "@id");
  return {};
}

result<void> agreement_maker::run_to_end(std::chrono::steady_clock::time_point until) {
  for (;;) {
    std::string next;
    {
      std::unique_lock lock(mutex_);
      auto all_over = [&] { return std::ranges::all_of(deals_, [](const auto& d) { return d.second.over(); }); };
      if (!changed_.wait_until(lock, until, [&] { return !owed_.empty() || all_over(); })) {
        auto open = std::ranges::find_if(deals_, [](const auto& d) { return !d.second.over(); });
        return std::unexpected("the negotiation for " + open->second.name + " is still " + open->second.state +
                               " at the end of the preparation's time");
      }
      if (owed_.empty()) {
        auto failed = std::ranges::find_if(deals_, [](const auto& d) { return !d.second.failure.empty(); });
        return failed == deals_.end()
                   ? result<void>{}
                   : std::unexpected("the negotiation for " + failed->second.name + ": " + failed->second.failure);
      }
      next = owed_.front();
      owed_.pop_front();
    }
    if (auto sent = send_owed(next); !sent) {
      return sent;
    }
  }
}

result<std::map<std::string, std::string>> agreement_maker::as_consumer(const std::vector<std::string>& names,
                                                                        const std::string& dataset_id,
                                                                        const std::string& offer_id,
                                                                        std::chrono::steady_clock::time_point until) {
  std::map<std::string, std::string> made;
  for (size_t from = 0; from < names.size(); from += negotiations_concurrent_max) {
    for (size_t i = from; i < std::min(names.size(), from + negotiations_concurrent_max); ++i) {
      if (auto begun = request(names[i], dataset_id, offer_id); !begun) {
        return std::unexpected(begun.error());
      }
    }
    if (auto ended = run_to_end(until); !ended) {
      return std::unexpected(ended.error());
    }
  }
  std::lock_guard lock(mutex_);
  for (const auto& [pid, d] : deals_) {
    if (!d.provider) {
      made[d.name] = d.agreement_id;
    }
  }
  return made;
}

result<std::map<std::string, std::string>> agreement_maker::as_provider(const std::vector<std::string>& agreement_ids,
                                                                        std::chrono::steady_clock::time_point until) {
  for (size_t from = 0; from < agreement_ids.size(); from += negotiations_concurrent_max) {
    for (size_t i = from; i < std::min(agreement_ids.size(), from + negotiations_concurrent_max); ++i) {
      if (auto begun = make_node_request(agreement_ids[i]); !begun) {
        return std::unexpected(begun.error());
      }
    }
    if (auto ended = run_to_end(until); !ended) {
      return std::unexpected(ended.error());
    }
  }
  std::vector<deal> deals;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [pid, d] : deals_) {
      deals.push_back(d);
    }
  }
  std::map<std::string, std::string> local;
  for (const auto& d : deals) {
    if (d.provider) {
      auto id = local_agreement(d, until);
      if (!id) {
        return std::unexpected(id.error());
      }
      local[d.agreement_id] = *id;
    }
  }
  return local;
}

result<std::string> agreement_maker::local_agreement(const deal& d, std::chrono::steady_clock::time_point until) {
  for (;;) {
    auto found = node_.manage_participant("GET", "/contractnegotiations/" + d.negotiation_id + "/agreement");
    auto id = found ? text_of(*found, "@id") : std::string();
    auto wire = found ? text_of(*found, "agreementId") : std::string();
    if (!id.empty() && (wire.empty() || wire == d.agreement_id)) {
      return id;
    }
    if (std::chrono::steady_clock::now() >= until) {
      return std::unexpected("the agreement of negotiation " + d.negotiation_id + ": " +
                             (found ? "agreementId is '" + wire + "', not '" + d.agreement_id + "'" : found.error()));
    }
    pause(agreement_poll);
  }
}

} // namespace fondaco::conformance::driver
