#include "conformance/dsp_driver/node.hpp"

#include <array>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <random>

namespace fondaco::conformance::driver {

namespace {

/// A token is renewed this long before it ends.
constexpr std::chrono::seconds token_margin{30};
/// The lifetime of a token whose answer does not say.
constexpr int64_t token_seconds_default = 60;

std::string form_encoded(std::string_view in) {
  std::string out;
  for (unsigned char c : in) {
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
        c == '.') {
      out += static_cast<char>(c);
    } else {
      constexpr std::string_view digits = "0123456789ABCDEF";
      out += {'%', digits[c >> 4], digits[c & 15]};
    }
  }
  return out;
}

} // namespace

void pause(std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, time, [] { return false; });
}

std::string random_uuid() {
  static std::mutex guard;
  static std::mt19937_64 source{std::random_device{}()};
  std::lock_guard lock(guard);
  auto high = (source() & ~0xf000ULL) | 0x4000ULL;
  auto low = (source() & ~(3ULL << 62)) | (1ULL << 63);
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>((high >> 16) & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text.data();
}

std::string now_instant() {
  auto now = ::time(nullptr);
  tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

std::string text_of(const json::value& body, std::string_view key) {
  const auto* object = body.if_object();
  const auto* v = object == nullptr ? nullptr : object->if_contains(key);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

json::object management_body(std::string_view type) {
  return {{"@context", json::array{"https://w3id.org/edc/connector/management/v2"}}, {"@type", type}};
}

result<std::unique_ptr<node>> node::open(const options& o) {
  auto secret = read_secret(o.secret_file);
  auto token = read_secret(o.counterparty_token_file);
  if (!secret || !token) {
    return std::unexpected(secret ? token.error() : secret.error());
  }
  return std::make_unique<node>(o, std::move(*secret), std::move(*token));
}

node::node(const options& o, std::string client_secret, std::string counterparty_token)
    : options_(o), client_secret_(std::move(client_secret)), counterparty_token_(std::move(counterparty_token)) {}

result<void> node::await(std::chrono::steady_clock::time_point until) {
  for (;;) {
    auto got = token(true);
    if (got) {
      return {};
    }
    if (std::chrono::steady_clock::now() >= until) {
      return std::unexpected(got.error());
    }
    pause(start_poll);
  }
}

result<std::string> node::token(bool fresh) {
  std::lock_guard lock(mutex_);
  auto now = std::chrono::steady_clock::now();
  if (!fresh && now < token_until_) {
    return token_;
  }
  auto form = "grant_type=client_credentials&client_id=" + form_encoded(options_.client_id) +
              "&client_secret=" + form_encoded(client_secret_);
  form += options_.scope.empty() ? "" : "&scope=" + form_encoded(options_.scope);
  auto answer =
      http_.exchange("POST", options_.token_url,
                     {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}}, form);
  if (!answer || !answer->success()) {
    return std::unexpected("token from " + options_.token_url + ": " +
                           (answer ? "status " + std::to_string(answer->status) : answer.error()));
  }
  boost::system::error_code ec;
  auto body = json::parse(answer->raw.body, ec);
  token_ = ec ? std::string() : text_of(body, "access_token");
  if (token_.empty()) {
    return std::unexpected("token from " + options_.token_url + ": the answer has no access_token");
  }
  const auto* lifetime = body.get_object().if_contains("expires_in");
  auto seconds = lifetime != nullptr && lifetime->is_int64() ? lifetime->get_int64() : token_seconds_default;
  token_until_ = now + std::chrono::seconds(seconds) - token_margin;
  return token_;
}

result<json::value> node::understood(const std::string& what, const result<http::response>& answer, bool exists_ok) {
  if (!answer) {
    return std::unexpected(what + ": " + answer.error());
  }
  if (!answer->success() && !(exists_ok && answer->status == 409)) {
    return std::unexpected(what + ": status " + std::to_string(answer->status) + " " + answer->raw.body);
  }
  boost::system::error_code ec;
  auto body = json::parse(answer->raw.body, ec);
  return ec ? json::value(nullptr) : body;
}

result<json::value> node::manage(const std::string& method, const std::string& path, const json::object& body,
                                 bool exists_ok) {
  auto url = options_.management_url + "/api/management/v5beta" + path;
  auto text = body.empty() ? std::string() : json::serialize(body);
  for (bool renewed : {false, true}) {
    auto bearer = token(renewed);
    if (!bearer) {
      return std::unexpected(bearer.error());
    }
    http::header_list headers{{"Authorization", "Bearer " + *bearer}, {"Accept", "application/json"}};
    if (!text.empty()) {
      headers.emplace_back("Content-Type", "application/json");
    }
    auto answer = http_.exchange(method, url, headers, text);
    if (renewed || !answer || answer->status != 401) {
      return understood(method + " " + url, answer, exists_ok);
    }
  }
  return std::unexpected(method + " " + url + ": not authorized");
}

result<json::value> node::manage_participant(const std::string& method, const std::string& path,
                                             const json::object& body, bool exists_ok) {
  return manage(method, "/participants/" + options_.participant_context + path, body, exists_ok);
}

result<json::value> node::send(const std::string& url, const json::object& message) {
  auto backoff = message_retry_pause;
  for (int attempt = 1;; ++attempt) {
    auto answer = http_.exchange(
        "POST", url, {{"Content-Type", "application/json"}, {"Authorization", counterparty_authorization()}},
        json::serialize(message));
    if (!answer || answer->success() || attempt == message_attempts_max) {
      return understood("POST " + url, answer, false);
    }
    pause(backoff);
    backoff *= 2;
  }
}

result<json::value> node::read(const std::string& url) {
  return understood("GET " + url, http_.exchange("GET", url, {{"Authorization", counterparty_authorization()}}), false);
}

} // namespace fondaco::conformance::driver
