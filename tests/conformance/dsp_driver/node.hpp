#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include <boost/json.hpp>

#include "conformance/dsp_driver/options.hpp"
#include "conformance/http_client.hpp"

namespace fondaco::conformance::driver {

namespace json = boost::json;

/// The participant id that the driver and the kit play.
inline constexpr std::string_view tck_participant = "TCK_PARTICIPANT";
/// Attempts of a DSP message that the node refuses; the first pause, doubled each time. Covers a node that is still
/// busy with our last answer.
inline constexpr int message_attempts_max = 4;
inline constexpr std::chrono::milliseconds message_retry_pause{200};
/// Pause between looks at a node that is starting.
inline constexpr std::chrono::milliseconds start_poll{200};

template <class T> using result = std::expected<T, std::string>;

/// Waits for this time.
void pause(std::chrono::milliseconds time);
/// A random UUID.
std::string random_uuid();
/// The current time, UTC, in whole seconds, as `2025-01-01T01:00:00Z`.
std::string now_instant();
/// A string member; empty if there is none.
std::string text_of(const json::value& body, std::string_view key);

/// The running node, as its two kinds of clients see it: an administrator over the Management API, and TCK_PARTICIPANT
/// over DSP. Thread-safe. Errors are sentences that name method, URL, status and body, never a secret.
class node {
public:
  /// Reads the secrets.
  static result<std::unique_ptr<node>> open(const options& o);
  node(const options& o, std::string client_secret, std::string counterparty_token);

  /// Waits until the token endpoint answers.
  result<void> await(std::chrono::steady_clock::time_point until);
  /// A call below `/api/management/v5beta`. `exists_ok`: 409 is no error, for what an earlier run made.
  result<json::value> manage(const std::string& method, const std::string& path, const json::object& body = {},
                             bool exists_ok = false);
  /// A call below the participant context.
  result<json::value> manage_participant(const std::string& method, const std::string& path,
                                         const json::object& body = {}, bool exists_ok = false);
  /// Sends a DSP message as TCK_PARTICIPANT, again if it is refused.
  result<json::value> send(const std::string& url, const json::object& message);
  /// Reads a DSP resource as TCK_PARTICIPANT.
  result<json::value> read(const std::string& url);
  /// The `Authorization` value of TCK_PARTICIPANT.
  [[nodiscard]] const std::string& counterparty_token() const { return counterparty_token_; }
  [[nodiscard]] std::string counterparty_authorization() const { return "Bearer " + counterparty_token_; }

private:
  result<std::string> token(bool fresh);
  result<json::value> understood(const std::string& what, const result<http::response>& answer, bool exists_ok);

  const options& options_;
  const std::string client_secret_, counterparty_token_;
  http::client http_;
  std::mutex mutex_;
  std::string token_;
  std::chrono::steady_clock::time_point token_until_{};
};

/// A management body of a type, with the context that each needs.
json::object management_body(std::string_view type);

} // namespace fondaco::conformance::driver
