#include <doctest/doctest.h>

#include <mutex>
#include <vector>

#include "gateway/otlp_exporter.hpp"
#include "protocols/json/json.hpp"

using namespace fondaco;

namespace {

/// Answers when told to.
class held_collector final : public actors::http_exchange {
public:
  void send(actors::http_call call, std::function<void(actors::http_result)> done) override {
    calls.push_back(std::move(call));
    waiting.push_back(std::move(done));
  }
  void answer(int status) {
    auto done = std::move(waiting.front());
    waiting.erase(waiting.begin());
    done(actors::http_answer{status, {}, ""});
  }
  std::vector<actors::http_call> calls;
  std::vector<std::function<void(actors::http_result)>> waiting;
};

class counting_random final : public actors::random_source {
public:
  uint64_t next() override { return ++last_; }

private:
  uint64_t last_ = 0;
};

struct bench {
  held_collector collector;
  counting_random random;
  gateway::metrics counts;
  gateway::otlp_exporter exporter{"http://collector/v1/traces", "fondaco", "node-1", collector, random, counts};

  void finish(const char* name, std::string failure = {}) {
    exporter.finished({name,
                       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                       from_epoch_ms(1000),
                       from_epoch_ms(1250),
                       {{"participant_context", "acme"}, {"counterparty", ""}},
                       std::move(failure)});
  }
  json::array spans_of(size_t call) {
    auto body = json::parse(collector.calls.at(call).body);
    REQUIRE(body.has_value());
    return body->at_pointer("/resourceSpans/0/scopeSpans/0/spans").as_array();
  }
};

} // namespace

TEST_CASE("a span is sent with its trace, parent, times, attributes and failure") {
  bench b;
  b.finish("negotiation", "the credential is missing");
  REQUIRE(b.collector.calls.size() == 1);
  CHECK(b.collector.calls[0].url == "http://collector/v1/traces");
  const auto spans = b.spans_of(0);
  REQUIRE(spans.size() == 1);
  const auto& s = spans[0].as_object();
  CHECK(s.at("traceId") == "0af7651916cd43dd8448eb211c80319c");
  CHECK(s.at("parentSpanId") == "b7ad6b7169203331");
  CHECK(s.at("startTimeUnixNano") == "1000000000");
  CHECK(s.at("endTimeUnixNano") == "1250000000");
  CHECK(s.at("attributes").as_array().size() == 1);
  CHECK(s.at("status").at("message") == "the credential is missing");
  b.collector.answer(200);
}

TEST_CASE("spans that end during a request go out together in the next one") {
  bench b;
  b.finish("first");
  b.finish("second");
  b.finish("third");
  REQUIRE(b.collector.calls.size() == 1);
  b.collector.answer(200);
  REQUIRE(b.collector.calls.size() == 2);
  CHECK(b.spans_of(1).size() == 2);
  b.collector.answer(200);
  CHECK(b.collector.calls.size() == 2);
}

TEST_CASE("what a collector does not take is tried once more and then dropped") {
  bench b;
  b.finish("only");
  b.collector.answer(503);
  REQUIRE(b.collector.calls.size() == 2);
  CHECK(b.collector.calls[1].body == b.collector.calls[0].body);
  b.collector.answer(503);
  CHECK(b.collector.calls.size() == 2);
  CHECK(b.counts.render().find("fondaco_spans_total{outcome=\"dropped\"} 1") != std::string::npos);
}

TEST_CASE("a span without a trace is not sent") {
  bench b;
  b.exporter.finished({"lost", "", from_epoch_ms(1), from_epoch_ms(2), {}, ""});
  CHECK(b.collector.calls.empty());
}
