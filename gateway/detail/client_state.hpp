#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include "gateway/detail/wire.hpp"
#include "gateway/http.hpp"

namespace fondaco::gateway::detail {

/// A client's connections and bounds; any thread. Connections are kept by their key (scheme, host and port), each is
/// used by one exchange at a time, on its own strand.
class client_state : public std::enable_shared_from_this<client_state> {
public:
  client_state(asio::io_context& on, client_options o);

  asio::io_context& io;
  const client_options options;
  asio::ssl::context tls;

  /// One exchange's place within the bounds, and the connection that it uses.
  class lease {
  public:
    lease(std::shared_ptr<client_state> state, std::string key) : state_(std::move(state)), key_(std::move(key)) {}
    lease(lease&& other) noexcept = default;
    ~lease() { release(); }
    /// Notes the connection, so that a client that ends can break it off. False if the client has ended.
    bool hold(std::shared_ptr<wire> w);
    void release();

  private:
    std::shared_ptr<client_state> state_;
    std::string key_;
    std::shared_ptr<wire> wire_;
  };

  /// A place for one more exchange; nothing if there is none.
  std::optional<lease> admit(const std::string& key);
  /// A kept connection; its user calls `cancel()` on it first, on its strand.
  std::shared_ptr<wire> take_idle(const std::string& key);
  /// Keeps a connection whose answer was read whole, until it is taken, closed by the peer, or idle for too long.
  void keep(const std::string& key, std::shared_ptr<wire> w);
  /// Breaks everything off; later exchanges are not connected.
  void close();

private:
  struct host {
    size_t under_way = 0;
    std::vector<std::shared_ptr<wire>> idle;
  };

  static asio::awaitable<void> watch(std::shared_ptr<client_state> self, std::string key, std::shared_ptr<wire> w);
  bool is_idle(const std::string& key, const std::shared_ptr<wire>& w);
  bool forget_idle(const std::string& key, const std::shared_ptr<wire>& w);
  void drop_if_unused(const std::string& key);

  std::mutex mutex_;
  bool closed_ = false;
  size_t under_way_ = 0;
  size_t idle_ = 0;
  std::map<std::string, host, std::less<>> hosts_;
  std::unordered_set<std::shared_ptr<wire>> active_;
};

} // namespace fondaco::gateway::detail
