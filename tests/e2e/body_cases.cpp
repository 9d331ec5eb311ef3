#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr uint64_t gigabyte = 1ull << 30;
/// What may leave us before a listener that reads 1 MiB at most has cut us off: the rest is the kernel's buffers.
constexpr uint64_t cut_within_bytes = 64ull << 20;
constexpr auto header_deadline = milliseconds(10'000);

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

struct bad_text {
  std::string what;
  std::string body;
};

// Bodies that no door takes. `type` makes them look right from outside.
std::vector<bad_text> bad_texts(const std::string& type, const std::string& context) {
  auto head = "{\"@context\":[\"" + context + "\"],\"@type\":\"" + type + "\",";
  return {{"a body that is no JSON", "this is no JSON"},
          {"a body that breaks off", head + "\"a\":"},
          {"an empty body", ""},
          {"a body with something behind its end", head + "\"a\":1} {}"},
          {"a duplicate key", head + "\"a\":1,\"a\":2}"},
          {"a duplicate @type", head + "\"@type\":\"Asset\"}"},
          {"JSON nested 10,000 deep", head + "\"a\":" + nested(10'000) + "}"},
          {"JSON nested 10,000 deep from the first byte", nested(10'000)},
          {"a string with U+0000", head + "\"a\":\"x\\u0000y\"}"},
          {"bytes that are no UTF-8", head + "\"a\":\"\xff\xfe\"}"},
          {"an array", "[" + head + "\"a\":1}]"}};
}

void over_dsp(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.initech), w.other_side);
  n.begin("dataset-2");
  for (const auto& one : bad_texts("ContractRequestMessage", "https://w3id.org/dspace/2025/1/context.jsonld")) {
    check_dsp_error(one.what + " as a request", n.to().post_text("/negotiations/request", one.body), 400,
                    "ContractNegotiationError");
    check_dsp_error(one.what + " as a termination",
                    n.to().post_text("/negotiations/" + n.provider_pid() + "/termination", one.body), 400,
                    "ContractNegotiationError");
    check_dsp_error(one.what + " as a transfer request", n.to().post_text("/transfers/request", one.body), 400,
                    "TransferError");
    check_dsp_error(one.what + " as a catalog request", n.to().post_text("/catalog/request", one.body), 400,
                    "CatalogError");
  }
  check_equal("the state after all that", n.state(), "REQUESTED");
}

void over_management(bed& b) {
  auto& w = b.shared();
  for (const auto& one : bad_texts("Asset", "https://w3id.org/edc/connector/management/v2")) {
    auto got = w.provider_admin.send("POST", w.acme.path("/assets"), one.body);
    check_equal("the status of " + one.what, got.status, 400);
    auto list = got.value();
    check(list.is_array() && !list.get_array().empty(),
          "the answer to " + one.what + " is no error array: " + got.body);
    for (const auto& e : list.get_array())
      check(!text_at(e.as_object(), "message").empty() && !text_at(e.as_object(), "type").empty(),
            "an error lacks message or type: " + got.body);
  }
}

void over_signaling(bed& b) {
  auto& w = b.shared();
  for (const auto& one : bad_texts("DataFlowStartMessage", "https://example.org")) {
    auto got = send("POST", w.provider.url("signaling") + "/api/dataplane/acme/dataflows/start",
                    {{"Content-Type", "application/json"}}, one.body);
    check(got.status == 400, one.what + " was answered " + std::to_string(got.status) + " at the data plane's door");
  }
}

struct door {
  std::string listener;
  std::string path;
};

std::vector<door> doors() {
  return {{"protocol", "/api/dsp/acme/closed/negotiations/request"},
          {"management", "/api/management/v5beta/participants/acme/assets"},
          {"management", "/oauth2/token"},
          {"signaling", "/api/dataplane/acme/dataflows/start"},
          {"public", "/api/public/flow"},
          {"observability", "/metrics"}};
}

void too_long(bed& b) {
  auto& w = b.shared();
  for (const auto& d : doors()) {
    raw_connection c(w.provider.port(d.listener));
    c.send("POST " + d.path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(gigabyte) + "\r\n\r\n");
    const auto begin = steady::now();
    auto text = c.rest(milliseconds(5'000));
    check_equal("the status of 1 GiB announced at " + d.path, status_of(text), 413);
    check(steady::now() - begin < milliseconds(4'000), "1 GiB announced at " + d.path + " was not answered at once");
  }
}

void too_long_in_chunks(bed& b) {
  auto& w = b.shared();
  const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  for (const auto& d : doors()) {
    raw_connection c(w.provider.port(d.listener));
    uint64_t sent = c.send("POST " + d.path +
                           " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n");
    while (sent < gigabyte) {
      auto n = c.send(chunk);
      sent += n;
      if (n < chunk.size())
        break;
    }
    check(sent < cut_within_bytes, "a chunked body at " + d.path + " was taken for " + std::to_string(sent) + " bytes");
    auto status = status_of(c.rest(milliseconds(5'000)));
    check(status == 413 || status == 0, "a chunked body at " + d.path + " was answered " + std::to_string(status));
  }
}

// A header that grows without end, and headers without end.
void too_long_headers(bed& b) {
  auto& w = b.shared();
  for (bool one_line : {true, false}) {
    raw_connection c(w.provider.port("protocol"));
    uint64_t sent = c.send("GET /api/dsp/acme/closed/catalog/datasets/x HTTP/1.1\r\nHost: x\r\n");
    const std::string more = one_line ? std::string(4096, 'a') : "X-Header: " + std::string(100, 'a') + "\r\n";
    while (sent < gigabyte) {
      auto n = c.send(more);
      sent += n;
      if (n < more.size())
        break;
    }
    check(sent < cut_within_bytes, "a header was taken for " + std::to_string(sent) + " bytes");
    auto status = status_of(c.rest(milliseconds(5'000)));
    check(status == 431 || status == 400 || status == 0, "an endless header was answered " + std::to_string(status));
  }
}

void smuggling(bed& b) {
  auto& w = b.shared();
  const std::string line = "POST /api/dsp/acme/closed/negotiations/request HTTP/1.1\r\nHost: x\r\n";
  const std::vector<bad_text> requests{
      {"two lengths", line + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "},
      {"a length and chunks", line + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"two hosts", line + "Host: y\r\nContent-Length: 0\r\n\r\n"},
      {"no host", "GET / HTTP/1.1\r\n\r\n"},
      {"no HTTP at all", "hello there\r\n\r\n"}};
  for (const auto& r : requests) {
    raw_connection c(w.provider.port("protocol"));
    c.send(r.body);
    auto text = c.rest(milliseconds(5'000));
    auto status = status_of(text);
    check(status == 400 || status == 505, "a request with " + r.what + " was answered " + std::to_string(status));
    check(text.find("HTTP/1.1 ", 9) == std::string::npos, "a request with " + r.what + " was answered twice");
  }
}

// Every connection says one byte at a time; none of them may keep the listener from others.
void slow_loris(bed& b) {
  auto& w = b.shared();
  constexpr size_t count = 50;
  constexpr auto slack = milliseconds(5'000);
  std::vector<std::unique_ptr<raw_connection>> all;
  for (size_t i = 0; i < count; ++i)
    all.push_back(std::make_unique<raw_connection>(w.provider.port("protocol")));
  const std::string head = "GET /api/dsp/acme/.well-known/dspace-version HTTP/1.1\r\nX-Slow: " + std::string(4096, 'a');
  const auto end = steady::now() + header_deadline + slack;
  for (auto& c : all)
    c->send(head.substr(0, 1));
  size_t said = 1, ended = 0;
  while (ended < count && steady::now() < end) {
    auto quick = send("GET", w.provider.url("protocol") + "/api/dsp/acme/.well-known/dspace-version", {});
    check_equal("the status of a request beside the slow ones", quick.status, 200);
    std::string text;
    (void)all.back()->read(text, milliseconds(500));
    ended = 0;
    for (auto& c : all) {
      if (c->answered())
        ++ended;
      else
        c->send(head.substr(said, 1));
    }
    ++said;
  }
  check_equal("the count of slow connections that were ended in time", ended, count);
  auto text = all.front()->rest(milliseconds(1'000));
  check(status_of(text) == 408 || text.empty(), "a slow request was answered: " + text);
}

void wrong_media(bed& b) {
  auto& w = b.shared();
  auto body = json::serialize(managed("Asset"));
  auto got = send("POST", w.provider.url("management") + "/api/management/v5beta" + w.acme.path("/assets"),
                  {{"Authorization", "Bearer " + w.provider_admin.token()}, {"Content-Type", "text/plain"}}, body);
  check_equal("the status of a body in plain text", got.status, 415);
  auto wrong_method = w.provider_admin.send("PATCH", w.acme.path("/assets"), body);
  check_equal("the status of a wrong method", wrong_method.status, 405);
}

} // namespace

cases body_cases() {
  return {
      {"malformed, doubled and deeply nested JSON is answered 400 with the protocol's error body", over_dsp},
      {"malformed, doubled and deeply nested JSON is answered 400 with the management API's errors", over_management},
      {"malformed, doubled and deeply nested JSON is answered 400 by the data plane", over_signaling},
      {"1 GiB announced is answered 413 at once at every door", too_long},
      {"1 GiB in chunks is cut at the limit at every door", too_long_in_chunks},
      {"an endless header is cut at the limit", too_long_headers},
      {"a request that two readers could read in two ways is answered 400 once", smuggling},
      {"slow clients are ended within the header's deadline while others are served", slow_loris},
      {"another media type is answered 415, another method 405", wrong_media}};
}

} // namespace fondaco::e2e
