// From the catalog to the byte: one trace, told to a collector by OTLP/HTTP. The test is the collector, unless
// FONDACO_TEST_OTLP_URL and FONDACO_TEST_OTLP_FILE name a real one and the file into which its file exporter writes.

#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "e2e/cases.hpp"
#include "e2e/fabric.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr const char* whole_journey[] = {
    "catalog",  "negotiation", "credential.presentation", "credential.verification", "policy.evaluation", "signaling",
    "transfer", "pull"};

/// What a collector was told, however it was told.
class collector {
public:
  collector() {
    const char* url = std::getenv("FONDACO_TEST_OTLP_URL");
    const char* file = std::getenv("FONDACO_TEST_OTLP_FILE");
    if (url && file) {
      url_ = url;
      file_ = file;
    } else {
      url_ = played_.root() + "/v1/traces";
      played_.behave([](const delivery&) { return json_reply(200, {{"partialSuccess", json::object()}}); });
    }
  }
  const std::string& url() const { return url_; }

  /// Every span of the trace so far, with the service that told it.
  json::array spans() const {
    json::array all;
    for (const auto& request : requests())
      for (const auto& resource : array_at(request, "resourceSpans"))
        for (const auto& scope : array_at(resource.as_object(), "scopeSpans"))
          for (const auto& span : array_at(scope.as_object(), "spans"))
            if (text_at(span.as_object(), "traceId") == trace_id)
              all.push_back(span);
    return all;
  }

private:
  std::vector<json::object> requests() const {
    std::vector<json::object> out;
    if (file_.empty()) {
      for (const auto& d : played_.seen("/v1/traces"))
        out.push_back(d.message());
      return out;
    }
    std::istringstream lines(std::filesystem::exists(file_) ? read_file(file_) : std::string());
    for (std::string line; std::getline(lines, line);) {
      boost::system::error_code partial;
      auto v = json::parse(line, partial);
      if (!partial && v.is_object())
        out.push_back(std::move(v.get_object()));
    }
    return out;
  }

  peer played_;
  std::string url_;
  std::string file_;
};

std::string traceparent() { return std::string("00-") + trace_id + "-00f067aa0ba902b7-01"; }

void check_span(const json::object& span) {
  const auto name = text_at(span, "name");
  check(text_at(span, "spanId").size() == 16 && text_at(span, "parentSpanId").size() == 16,
        "a span without its id or parent: " + json::serialize(span));
  const auto begin = text_at(span, "startTimeUnixNano"), end = text_at(span, "endTimeUnixNano");
  check(begin.size() == end.size() && begin <= end, "the span " + name + " ends before it begins");
  std::set<std::string> known;
  for (const auto& a : array_at(span, "attributes"))
    known.insert(text_at(a.as_object(), "key"));
  check(known.contains("participant_context"), "the span " + name + " does not say whose it is");
}

void run_trace(bed& b) {
  collector to;
  fabric_options o;
  o.kind = b.kind();
  o.split = true;
  o.more = "[telemetry]\notlp_url = \"" + to.url() + "\"\n";
  fabric f(b.fresh_folder(), o);
  f.start();
  auto acme = f.begin("acme"), globex = f.begin("globex");
  f.await_active(acme);
  f.await_active(globex);
  const auto folder = f.files() + "/" + acme.context;
  std::filesystem::create_directories(folder);
  write_private(folder + "/data", "a file of acme");
  f.publish(acme, "dataset-1", folder + "/data");

  f.trace(traceparent());
  const auto negotiation = f.negotiate(globex, acme, "dataset-1", f.find_offer(globex, acme, "dataset-1"));
  f.await_process(globex, "/contractnegotiations/" + negotiation, "FINALIZED");
  const auto transfer = f.start_transfer(globex, acme, negotiation);
  f.await_process(globex, "/transferprocesses/" + transfer, "STARTED");
  check_equal("what was pulled", f.pull(globex, transfer).body, std::string("a file of acme"));
  f.trace("");

  wait_for("spans of the whole journey at the collector", [&](std::string& saw) -> std::optional<bool> {
    std::set<std::string> names;
    for (const auto& s : to.spans())
      names.insert(text_at(s.as_object(), "name"));
    saw.clear();
    for (const auto& n : names)
      saw += n + " ";
    for (const auto* wanted : whole_journey)
      if (!names.contains(wanted))
        return std::nullopt;
    return true;
  });
  for (const auto& s : to.spans())
    check_span(s.as_object());
}

} // namespace

cases trace_cases() {
  return {
      {"from catalog to byte every step of both sides is a span of the client's trace, and a collector gets them all",
       run_trace}};
}

} // namespace fondaco::e2e
