#pragma once

#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cfm/services.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::cfm {

namespace limits {
/// The longest answer of an admin API that is read, in bytes.
inline constexpr size_t admin_answer_bytes_max = 1u << 20;
/// A token is not used any more when it has less time left than this.
inline constexpr milliseconds token_reserve_ms{10'000};
} // namespace limits

/// An answer of an admin API.
struct admin_answer {
  int status = 0;
  actors::http_headers headers;
  std::string body;
  /// The body as an object; an empty one if it is none.
  json::object object() const;
  /// True for 200 to 299.
  bool good() const noexcept { return status >= 200 && status < 300; }
  /// True if the same call may succeed later: 408, 429 and 5xx.
  bool may_pass() const noexcept { return status == 408 || status == 429 || status >= 500; }
};

/// A call of an admin API.
struct admin_call {
  std::string method;
  /// The management listener, without a trailing slash.
  std::string base_url;
  /// What follows, as `/api/identity/v1beta/participants`.
  std::string path;
  json::object body;
  /// The caller's name for this call, so that a repeat makes nothing twice; empty for none.
  std::string idempotency_key;
  std::string traceparent;
};

/// Calls admin APIs with the tokens of one API client, which it gets from each listener's `/oauth2/token` and keeps for
/// their lifetime; a 401 gets a fresh token once. Any thread may call.
class admin_client {
public:
  explicit admin_client(services_ref services) : services_(std::move(services)) {}

  /// The answer, whatever its status; a fault if there was none.
  actors::task<std::expected<admin_answer, fault>> call(admin_call c);

private:
  struct token {
    std::string value;
    timepoint until;
  };
  actors::task<std::expected<std::string, fault>> token_for(std::string base_url, bool fresh);

  services_ref services_;
  std::mutex mutex_;
  std::map<std::string, token> tokens_;
};

/// A sentence on an answer that was not good: which call, the status, what the error body says; never a secret.
std::string describe(const admin_call& c, const std::expected<admin_answer, fault>& answer);

} // namespace fondaco::cfm
