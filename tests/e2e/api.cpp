#include "e2e/api.hpp"

#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

const std::string root = "/api/management/v5beta";
constexpr const char* management_context = "https://w3id.org/edc/connector/management/v2";
constexpr const char* dsp_context = "https://w3id.org/dspace/2025/1/context.jsonld";

} // namespace

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

answer management::send(const std::string& method, const std::string& path, const std::string& body,
                        http::header_list more) {
  return admin_.send(method, root + path, body, std::move(more));
}

answer management::send(const std::string& method, const std::string& path, const json::object& body,
                        http::header_list more) {
  return admin_.send(method, root + path, body, std::move(more));
}

json::value management::call(const std::string& method, const std::string& path, const json::object& body) {
  return admin_.call(method, root + path, body);
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
