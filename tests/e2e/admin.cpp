#include "e2e/admin.hpp"

#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr auto token_kept = std::chrono::seconds(200);

std::string text_of(const json::object& body) { return body.empty() ? std::string() : json::serialize(body); }

} // namespace

admin::admin(const node& n, std::string client, std::string scope)
    : node_(n), client_(std::move(client)), scope_(std::move(scope)) {}

const std::string& admin::token() {
  if (!token_.empty() && steady::now() < until_)
    return token_;
  auto form = "grant_type=client_credentials&client_id=" + client_ + "&client_secret=" + node_.secret(client_) +
              (scope_.empty() ? "" : "&scope=" + replaced(scope_, ":", "%3A"));
  auto got = e2e::send("POST", node_.url("management") + "/oauth2/token",
                       {{"Content-Type", "application/x-www-form-urlencoded"}}, form);
  check(got.status == 200, "the token endpoint answered " + std::to_string(got.status) + ": " + got.body);
  token_ = text_at(got.object(), "access_token");
  until_ = steady::now() + token_kept;
  return token_;
}

answer admin::send(const std::string& method, const std::string& path, const std::string& body,
                   http::header_list more) {
  more.emplace_back("Authorization", "Bearer " + token());
  if (!body.empty())
    more.emplace_back("Content-Type", "application/json");
  return e2e::send(method, node_.url("management") + path, std::move(more), body);
}

answer admin::send(const std::string& method, const std::string& path, const json::object& body,
                   http::header_list more) {
  return send(method, path, text_of(body), std::move(more));
}

json::value admin::call(const std::string& method, const std::string& path, const json::object& body) {
  auto got = send(method, path, body);
  check(got.status >= 200 && got.status < 300, method + " " + path + " on node " + node_.name() + " was answered " +
                                                   std::to_string(got.status) + ": " + got.body);
  return got.body.empty() ? json::value() : got.value();
}

} // namespace fondaco::e2e
