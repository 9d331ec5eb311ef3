#include "tools/fondaco/operator_client.hpp"

#include <cstring>
#include <future>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/http.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/json/json.hpp"
#include "tools/fondaco/secret_file.hpp"

namespace fondaco::tools {

namespace {

constexpr int answer_seconds_max = 10;
constexpr size_t answer_bytes_max = 64u << 20;

// HTTP/1.0 over the unix socket: one request, and the answer ends with the connection.
class socket_client final : public operator_client {
public:
  explicit socket_client(std::string path) : path_(std::move(path)) {}

  std::expected<operator_answer, std::string> get(const std::string& path) override {
    return call("GET " + path + " HTTP/1.0\r\nHost: operator\r\n\r\n");
  }
  std::expected<operator_answer, std::string> get_all(const std::string& path) override { return get(path); }
  std::expected<operator_answer, std::string> post(const std::string& path) override {
    return call("POST " + path + " HTTP/1.0\r\nHost: operator\r\nContent-Length: 0\r\n\r\n");
  }

private:
  std::expected<operator_answer, std::string> call(const std::string& request) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof(address.sun_path))
      return std::unexpected("the socket's path is longer than a unix socket's can be");
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval limit{answer_seconds_max, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    auto answer = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
                      ? exchange(fd, request)
                      : std::unexpected("no node listens at " + path_ + ": " + std::strerror(errno));
    ::close(fd);
    return answer;
  }

  static std::expected<operator_answer, std::string> exchange(int fd, const std::string& request) {
    size_t sent = 0;
    while (sent < request.size()) {
      auto n = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0)
        return std::unexpected("the node closed the connection");
      sent += static_cast<size_t>(n);
    }
    std::string text;
    char buffer[16384];
    for (;;) {
      auto n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n < 0)
        return std::unexpected("the node did not answer in time");
      if (n == 0)
        break;
      text.append(buffer, static_cast<size_t>(n));
      if (text.size() > answer_bytes_max)
        return std::unexpected("the node's answer is too long");
    }
    auto end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.") || end == std::string::npos || text.size() < 12)
      return std::unexpected("what listens there does not speak HTTP");
    return operator_answer{std::atoi(text.c_str() + 9), text.substr(end + 4)};
  }

  std::string path_;
};

class url_client final : public operator_client {
public:
  url_client(ctl_options options, std::string secret)
      : options_(std::move(options)), secret_(std::move(secret)), server_(1), client_(server_, client_rules()) {
    while (options_.at.ends_with('/'))
      options_.at.pop_back();
  }

  std::expected<operator_answer, std::string> get(const std::string& path) override {
    return call("GET", path, "operator:read");
  }
  std::expected<operator_answer, std::string> get_all(const std::string& path) override {
    return call("GET", path, "operator:admin");
  }
  std::expected<operator_answer, std::string> post(const std::string& path) override {
    return call("POST", path, "operator:write");
  }

private:
  // A token's time may be over while one watches.
  std::expected<operator_answer, std::string> call(const char* method, const std::string& path, const char* scope) {
    auto answer = attempt(method, path, scope);
    if (!answer || answer->status != 401)
      return answer;
    token_.clear();
    return attempt(method, path, scope);
  }

  std::expected<operator_answer, std::string> attempt(const char* method, const std::string& path, const char* scope) {
    if (token_.empty()) {
      auto fetched = fetch_token(scope);
      if (!fetched)
        return std::unexpected(fetched.error());
      if (fetched->status >= 400 && fetched->status < 500)
        return operator_answer{403, std::move(fetched->body)}; // the token endpoint refuses the client or its scope
      if (fetched->status != 200)
        return *fetched;
    }
    actors::http_call call;
    call.method = method;
    call.url = options_.at + path;
    call.headers = {{"Authorization", "Bearer " + token_}};
    call.answer_bytes_max = answer_bytes_max;
    return send(std::move(call));
  }

  gateway::client_options client_rules() const {
    gateway::client_options o;
    o.allow_private_addresses = true; // the operator named the address
    o.allow_http = is_loopback("http://127.0.0.1") || is_loopback("http://[::1]") || is_loopback("http://localhost");
    o.ca_file = options_.ca_file;
    return o;
  }

  bool is_loopback(std::string_view origin) const {
    return options_.at.starts_with(origin) &&
           (options_.at.size() == origin.size() || options_.at[origin.size()] == ':' ||
            options_.at[origin.size()] == '/') &&
           options_.at.find('@') == std::string::npos;
  }

  std::expected<operator_answer, std::string> fetch_token(std::string scope) {
    actors::http_call call;
    call.method = "POST";
    call.url = options_.at + "/oauth2/token";
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                    {"Authorization", "Basic " + base64_encode(options_.client_id + ":" + secret_)}};
    scope.replace(scope.find(':'), 1, "%3A");
    call.body = "grant_type=client_credentials&scope=" + scope;
    auto answer = send(std::move(call));
    if (answer && answer->status == 200)
      if (auto parsed = json::parse(answer->body); parsed && parsed->is_object())
        token_ = json::string_at(parsed->get_object(), "access_token").value_or("");
    return answer;
  }

  std::expected<operator_answer, std::string> send(actors::http_call call) {
    std::promise<actors::http_result> promise;
    auto future = promise.get_future();
    client_.send(std::move(call), [&promise](actors::http_result r) { promise.set_value(std::move(r)); });
    auto result = future.get();
    if (!result)
      return std::unexpected("the node cannot be reached at " + options_.at + " (" +
                             std::string(actors::name_of(result.error())) + ")");
    return operator_answer{result->status, std::move(result->body)};
  }

  ctl_options options_;
  std::string secret_;
  std::string token_;
  gateway::server server_;
  gateway::client client_;
};

} // namespace

std::expected<std::unique_ptr<operator_client>, std::string> make_operator_client(const ctl_options& options) {
  if (options.at.starts_with("unix:"))
    return std::make_unique<socket_client>(options.at.substr(5));
  if (!options.at.starts_with("https://") && !options.at.starts_with("http://"))
    return std::unexpected("--at must be unix:/path or a URL, not '" + options.at + "'");
  if (options.client_id.empty() || options.secret_file.empty())
    return std::unexpected("a URL needs --client-id and --secret-file of a client with the scope operator:read");
  auto secret = read_secret_file(options.secret_file);
  if (!secret)
    return std::unexpected(secret.error().detail);
  return std::make_unique<url_client>(options, std::move(*secret));
}

} // namespace fondaco::tools
