#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "conformance/dsp_driver/node.hpp"
#include "conformance/http_server.hpp"

namespace fondaco::conformance::driver {

/// Negotiations that are open at the same time: polite to a node that limits first contacts.
inline constexpr size_t negotiations_concurrent_max = 4;

/// Obtains agreements by real negotiations with the node, as TCK_PARTICIPANT in either part. Its HTTP half answers
/// below `dsp_url`; its other half sends what each message owes, on the thread that called.
class agreement_maker {
public:
  /// `dsp_url` is the base under which `handle` is reachable.
  agreement_maker(node& n, const options& o, std::string dsp_url);

  /// Answers a DSP request of the node; `path` begins after `dsp_url`.
  http::reply handle(const std::string& method, const std::string& path, const std::string& body);

  /// As consumer, for each name a negotiation about the same offer; gives name to agreement id.
  result<std::map<std::string, std::string>> as_consumer(const std::vector<std::string>& names,
                                                         const std::string& dataset_id, const std::string& offer_id,
                                                         std::chrono::steady_clock::time_point until);
  /// As provider, whose agreements have exactly these ids; gives agreement id to the node's own id of that agreement.
  result<std::map<std::string, std::string>> as_provider(const std::vector<std::string>& agreement_ids,
                                                         std::chrono::steady_clock::time_point until);

private:
  struct deal {
    bool provider = false;
    /// The case that it is for, which as provider is the agreement's id.
    std::string name;
    std::string own_pid, peer_pid, peer_address, agreement_id, state = "REQUESTED";
    /// The node's id of the negotiation, where it is the consumer.
    std::string negotiation_id;
    /// Why it ended early.
    std::string failure;
    [[nodiscard]] bool over() const { return state == "FINALIZED" || !failure.empty(); }
  };

  http::reply begun_by_node(const json::value& message);
  http::reply moved_by_node(const std::string& own_pid, const std::string& what, const json::value& message);
  static json::object process_of(const deal& d);
  json::object message_of(const deal& d, std::string_view type) const;
  /// Sends what the deal's state owes the node.
  result<void> send_owed(const std::string& own_pid);
  result<void> request(const std::string& name, const std::string& dataset_id, const std::string& offer_id);
  result<void> make_node_request(const std::string& agreement_id);
  /// Runs what is owed until every deal is over; the error says which one is not, and where it stands.
  result<void> run_to_end(std::chrono::steady_clock::time_point until);
  result<std::string> local_agreement(const deal& d, std::chrono::steady_clock::time_point until);

  node& node_;
  const options& options_;
  const std::string dsp_url_;
  std::mutex mutex_;
  std::condition_variable changed_;
  /// By our own pid.
  std::map<std::string, deal> deals_;
  /// Own pids of deals that owe the node a message.
  std::deque<std::string> owed_;
};

} // namespace fondaco::conformance::driver
