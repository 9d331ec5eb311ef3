#include "tools/fondaco/demo_http.hpp"

#include <future>

#include "protocols/base/digest.hpp"

namespace fondaco::tools {

namespace {

gateway::client_options loopback_rules() {
  gateway::client_options o;
  o.allow_private_addresses = true;
  o.allow_http = true;
  return o;
}

actors::task<demo_pull> read_all(gateway::client& client, actors::http_call call) {
  demo_pull out;
  auto opened = co_await client.open(std::move(call));
  if (!opened) {
    out.error = actors::name_of(opened.error());
    co_return out;
  }
  out.status = opened->status;
  digest sum;
  for (;;) {
    auto piece = co_await opened->body->next();
    if (!piece) {
      out.error = piece.error().detail;
      co_return out;
    }
    if (piece->empty())
      break;
    out.bytes += piece->size();
    sum.add(*piece);
  }
  out.sha256 = sum.finish();
  co_return out;
}

} // namespace

json::object demo_answer::object() const {
  auto parsed = json::parse(body);
  return parsed && parsed->is_object() ? parsed->get_object() : json::object{};
}

json::array demo_answer::array() const {
  auto parsed = json::parse(body);
  return parsed && parsed->is_array() ? parsed->get_array() : json::array{};
}

demo_http::demo_http() : client_(server_, loopback_rules()) {}

demo_answer demo_http::send(const std::string& method, const std::string& url, const std::string& token,
                            const std::string& body, const std::string& content_type) {
  actors::http_call call;
  call.method = method;
  call.url = url;
  call.body = body;
  if (!token.empty())
    call.headers.emplace_back("Authorization", "Bearer " + token);
  if (!body.empty())
    call.headers.emplace_back("Content-Type", content_type);
  std::promise<actors::http_result> promise;
  auto future = promise.get_future();
  client_.send(std::move(call), [&promise](actors::http_result r) { promise.set_value(std::move(r)); });
  auto result = future.get();
  if (!result)
    return {0, std::string(actors::name_of(result.error()))};
  return {result->status, std::move(result->body)};
}

demo_pull demo_http::pull(const std::string& url, const std::string& authorization) {
  actors::http_call call;
  call.url = url;
  if (!authorization.empty())
    call.headers.emplace_back("Authorization", authorization);
  std::promise<demo_pull> promise;
  auto future = promise.get_future();
  server_.post([this, &promise, call = std::move(call)]() mutable {
    actors::start<demo_pull>(
        read_all(client_, std::move(call)), [&promise](demo_pull p) { promise.set_value(std::move(p)); },
        [&promise](std::exception_ptr) { promise.set_value({0, 0, "", "the pull broke off"}); });
  });
  return future.get();
}

} // namespace fondaco::tools
