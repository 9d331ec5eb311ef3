#include <stdexcept>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include "actors/ports/log.hpp"
#include "gateway/detail/address.hpp"
#include "gateway/detail/head.hpp"
#include "gateway/detail/text.hpp"
#include "gateway/form.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/one_connection.hpp"

// HTTP: the bytes go through a real connection to real routes, with a pause at each byte 0x1e. What reaches a handler
// keeps the listener's limits and cannot be read in two ways, and whatever the bytes are, an answer is a 500 only where
// a route failed.

namespace {

using namespace fondaco;
using namespace fondaco::gateway;
using fuzz::demand;

constexpr size_t header_bytes_max = 512;
constexpr size_t body_bytes_max = 256;
constexpr size_t input_bytes_max = 16u << 10;

bool holds_nul(std::string_view text) { return text.find('\0') != text.npos; }

void check_request(const request& r) {
  const auto line_bytes = r.method.size() + r.path.size() + r.query.size();
  size_t header_bytes = 0, hosts = 0, framings = 0;
  for (const auto& [name, value] : r.headers) {
    header_bytes += name.size() + value.size();
    hosts += name == "host" ? 1 : 0;
    framings += name == "content-length" || name == "transfer-encoding" ? 1 : 0;
    demand(detail::is_token(name) && detail::lower(name) == name, "a header's name is a token in lower case");
    demand(detail::is_field_value(value), "a header's value stays on its line");
  }
  // The line and the fields are each held to the header's limit.
  demand(line_bytes <= header_bytes_max && header_bytes <= header_bytes_max, "a header keeps the listener's limit");
  demand(r.body.size() <= body_bytes_max, "a body keeps the listener's limit");
  demand(hosts <= 1 && framings <= 1, "a request has one host and one framing");
  demand(detail::is_token(r.method), "a method is a token");
  const auto path = detail::percent_decoded(r.path);
  demand(path && path->starts_with('/') && !holds_nul(*path), "a path is one, decoded too");
  for (const char* way_up : {"/../", "/./"})
    demand((*path + '/').find(way_up) == std::string::npos, "no path leads up");
  demand(r.query.find('#') == std::string::npos, "a query has no fragment");
  demand(r.traceparent.size() == 55 && detail::trace_id_of(r.traceparent).size() == 32, "a request has a trace");
  if (const auto from_caller = header(r, "traceparent"); from_caller && from_caller->starts_with("00-"))
    demand(detail::continued_traceparent(r.traceparent).substr(0, 35) == r.traceparent.substr(0, 35),
           "a trace that is continued can be continued");
  demand(!r.correlation_id.empty() && r.correlation_id.size() <= 128, "a request has a correlation id");
  for (const auto& [name, value] : r.params)
    demand(!holds_nul(value) && (name != "id" || !value.empty()), "a parameter is not empty and holds no U+0000");
}

/// What a request asked of us can be asked of another: the head that we write says it and nothing more.
void check_call(const request& r, const detail::url_target& to) {
  const actors::http_call call{.method = r.method, .headers = r.headers, .body = r.body, .traceparent = r.traceparent};
  const auto head = detail::request_head(call, to.authority(), to.target);
  demand(head.has_value(), "what was taken from a caller can be sent on");
  demand(head->starts_with(r.method + ' ' + to.target + " HTTP/1.1\r\nHost: " + to.authority() + "\r\n"),
         "a call names its method, target and host");
  demand(head->find("\r\n\r\n") == head->size() - 4, "a call's header ends where we end it");
  size_t lines = 0;
  for (auto at = head->find('\n'); at != head->npos; at = head->find('\n', at + 1))
    ++lines;
  demand(lines <= r.headers.size() + 5, "no field of a call becomes two");
}

/// An address is as public as what it embeds.
void check_address(const std::string& host) {
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(host, ec);
  if (ec)
    return;
  const bool open = detail::is_public(address);
  demand(!open || !(address.is_loopback() || address.is_multicast() || address.is_unspecified()),
         "no public address is loopback, multicast or nothing");
  if (!address.is_v4())
    return;
  const auto mapped = boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4());
  demand(detail::is_public(mapped) == open, "an IPv4 address inside an IPv6 one is as public as alone");
}

void check_values(const request& r) {
  if (const auto value = query_value(r, "u")) {
    demand(!holds_nul(*value), "a query's value holds no U+0000");
    if (const auto url = detail::parse_url(*value)) {
      demand(url->host.find_first_of("@/?#\\ ") == std::string::npos && url->port != 0, "a URL's host is one");
      const auto again = detail::parse_url((url->tls ? "https://" : "http://") + url->authority() + url->target);
      demand(again && again->key() == url->key() && again->target == url->target, "a URL is spelled as the same");
      check_call(r, *url);
      check_address(url->host);
    }
  }
  if (const auto form = parse_form(r.body)) {
    demand(form->size() <= gateway::limits::form_parameters_max, "a form keeps its limit");
    for (const auto& [name, value] : *form)
      demand(!value.empty() && !holds_nul(name) && !holds_nul(value), "a form's parameters hold something");
  }
}

class two_pieces final : public body_source {
public:
  task<std::expected<std::string_view, fault>> next() override {
    co_return left_-- > 0 ? std::string_view("piece") : std::string_view{};
  }

private:
  int left_ = 2;
};

/// The first promise that a request broke: an answer has to be found for it all the same.
std::string broken;

/// How many requests asked a route for an answer that cannot be given.
size_t failures_asked = 0;

task<response> answer(std::shared_ptr<const request> r) {
  try {
    check_request(*r);
    check_values(*r);
  } catch (const fuzz::broken_promise& e) {
    broken = e.what();
  }
  response out = json_response(r->method == "DELETE" ? 204 : 200, "{}");
  if (r->path.starts_with("/stream"))
    out.stream = std::make_shared<two_pieces>();
  if (r->path == "/stream/ten")
    out.content_length = 10;
  if (r->path == "/stream/three")
    out.content_length = 3;
  co_return out;
}

/// Repeats a value of the query in a header, where a line end must not become one.
task<response> repeat(std::shared_ptr<const request> r) {
  response out = json_response(200, "{}");
  const auto value = query_value(*r, "v").value_or("");
  failures_asked += detail::is_field_value(value) ? 0 : 1;
  out.headers.emplace_back("X-Value", value);
  co_return out;
}

task<response> fail(std::shared_ptr<const request> r) {
  ++failures_asked;
  throw std::runtime_error("cannot " + r->method);
  co_return response{};
}

listener_options limits_of_listener() {
  // No deadline is ever met, however slow the machine: the guest ends each exchange.
  constexpr milliseconds never = std::chrono::hours(24);
  return {.name = "fuzz",
          .header_bytes_max = header_bytes_max,
          .body_bytes_max = body_bytes_max,
          .header_timeout_ms = never,
          .body_timeout_ms = never,
          .answer_timeout_ms = never,
          .idle_timeout_ms = never};
}

router routes() {
  router out;
  for (const char* pattern :
       {"/", "/stream", "/stream/ten", "/stream/three", "/items/{id}", "/items/{id}/parts/{part}", "/files/{path...}"})
    out.add("GET", pattern, answer);
  out.add("GET", "/repeat", repeat);
  out.add("GET", "/fail", fail);
  out.add("POST", "/items", answer);
  out.add("DELETE", "/items/{id}", answer);
  return out;
}

} // namespace

void fuzz::http_target(std::string_view input) {
  const auto bytes = input.substr(0, input_bytes_max);
  redirect_log([](const log_line&) {});
  broken.clear();
  failures_asked = 0;
  const auto answers = fuzz::exchange(bytes, limits_of_listener(), routes());
  demand(broken.empty(), broken.c_str());
  demand(answers.empty() || answers.starts_with("HTTP/1.1 "), "an answer is HTTP");
  size_t failures = 0;
  for (auto at = answers.find("HTTP/1.1 500"); at != answers.npos; at = answers.find("HTTP/1.1 500", at + 1))
    ++failures;
  demand(failures <= failures_asked, "no request makes us fail");
}
