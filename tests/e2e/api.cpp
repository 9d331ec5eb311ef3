#include "e2e/api.hpp"

#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr auto token_kept = std::chrono::seconds(200);
constexpr const char* management_context = "https://w3id.org/edc/connector/management/v2";
constexpr const char* dsp_context = "https://w3id.org/dspace/2025/1/context.jsonld";

std::string text_of(const json::object& body) { return body.empty() ? std::string() : json::serialize(body); }

} // namespace

std::string answer::header(std::string_view name) const {
  for (const auto& [n, v] : headers)
    if (http::same_name(n, name))
      return v;
  return {};
}

json::value answer::value() const {
  boost::system::error_code wrong;
  auto parsed = json::parse(body, wrong);
  check(!wrong, "an answer with status " + std::to_string(status) + " is no JSON: " + body);
  return parsed;
}

json::object answer::object() const {
  auto parsed = value();
  check(parsed.is_object(), "an answer is no JSON object: " + body);
  return parsed.get_object();
}

answer send(const std::string& method, const std::string& url, http::header_list headers, const std::string& body) {
  http::client once;
  auto got = once.exchange(method, url, std::move(headers), body);
  check(got.has_value(), method + " " + url + ": " + (got ? "" : got.error()));
  return {got->status, std::move(got->raw.headers), std::move(got->raw.body)};
}

std::string text_at(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v && v->is_string() ? std::string(v->get_string()) : std::string();
}

json::object object_at(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v && v->is_object() ? v->get_object() : json::object();
}

json::array array_at(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v && v->is_array() ? v->get_array() : json::array();
}

json::object managed(std::string_view type) { return {{"@context", json::array{management_context}}, {"@type", type}}; }

json::object message(std::string_view type) {
  return {{"@context", json::array{dsp_context}}, {"@type", type}, {"@id", "urn:uuid:" + random_uuid()}};
}

json::object message(std::string_view type, const std::string& consumer_pid, const std::string& provider_pid) {
  auto m = message(type);
  m["consumerPid"] = consumer_pid;
  m["providerPid"] = provider_pid;
  return m;
}

json::object policy(std::string_view operand, std::string_view value) {
  json::object constraint{{"leftOperand", operand}, {"operator", "eq"}, {"rightOperand", value}};
  json::object rule{{"action", "use"}, {"constraint", json::array{std::move(constraint)}}};
  return {{"@type", "Set"}, {"permission", json::array{std::move(rule)}}};
}

management::management(const node& n, std::string client, std::string scope)
    : node_(n), client_(std::move(client)), scope_(std::move(scope)) {}

const std::string& management::token() {
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

answer management::send(const std::string& method, const std::string& path, const std::string& body,
                        http::header_list more) {
  more.emplace_back("Authorization", "Bearer " + token());
  if (!body.empty())
    more.emplace_back("Content-Type", "application/json");
  return e2e::send(method, node_.url("management") + "/api/management/v5beta" + path, std::move(more), body);
}

answer management::send(const std::string& method, const std::string& path, const json::object& body,
                        http::header_list more) {
  return send(method, path, text_of(body), std::move(more));
}

json::value management::call(const std::string& method, const std::string& path, const json::object& body) {
  auto got = send(method, path, body);
  check(got.status >= 200 && got.status < 300, method + " " + path + " on node " + node_.name() + " was answered " +
                                                   std::to_string(got.status) + ": " + got.body);
  return got.body.empty() ? json::value() : got.value();
}

std::string management::create(const std::string& path, const json::object& body) {
  auto made = call("POST", path, body);
  auto id = made.is_object() ? text_at(made.get_object(), "@id") : std::string();
  check(!id.empty(), "POST " + path + " was answered without an @id");
  return id;
}

http::header_list dsp_client::headers() const {
  return token_.empty() ? http::header_list{} : http::header_list{{"Authorization", "Bearer " + token_}};
}

answer dsp_client::post(const std::string& path, const json::object& body) const {
  return post_text(path, json::serialize(body));
}

answer dsp_client::post_text(const std::string& path, const std::string& body) const {
  auto with = headers();
  with.emplace_back("Content-Type", "application/json; charset=utf-8");
  return send("POST", base_ + path, std::move(with), body);
}

answer dsp_client::get(const std::string& path) const { return send("GET", base_ + path, headers()); }

void check_dsp_error(const std::string& what, const answer& a, int status, std::string_view type) {
  check(a.status == status,
        what + " was answered " + std::to_string(a.status) + ", not " + std::to_string(status) + ": " + a.body);
  auto body = a.object();
  check_equal("@type of the answer to " + what, text_at(body, "@type"), std::string(type));
  check(json::serialize(array_at(body, "@context")) == "[\"" + std::string(dsp_context) + "\"]",
        "the error's @context is not the protocol's: " + a.body);
  check(!array_at(body, "reason").empty(), "the error to " + what + " gives no reason: " + a.body);
  if (type != "CatalogError")
    check(body.contains("consumerPid") && body.contains("providerPid"),
          "the error to " + what + " lacks a process id: " + a.body);
}

} // namespace fondaco::e2e
