#include "cfm/messages.hpp"

#include <algorithm>
#include <utility>

#include "planes/codec/fields.hpp"

namespace fondaco::cfm {

namespace {

constexpr std::pair<activity_outcome, std::string_view> outcome_names[] = {{activity_outcome::complete, "complete"},
                                                                           {activity_outcome::schedule, "schedule"},
                                                                           {activity_outcome::retry, "retry"},
                                                                           {activity_outcome::fatal, "fatal"}};

std::string dashed(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '.', '-');
  return out;
}

/// Reads the members of a message and remembers the first that is missing or wrong.
class member_reader {
public:
  explicit member_reader(const json::object& o) : from_(o) {}

  std::string text(std::string_view name) {
    const auto found = json::string_at(from_, name);
    if (!found || found->empty())
      wrong(name, "a string that is not empty");
    return std::string(found.value_or(""));
  }
  std::string optional_text(std::string_view name) { return std::string(json::string_at(from_, name).value_or("")); }
  json::object object(std::string_view name) {
    const auto* v = from_.if_contains(name);
    if (v && !v->is_null() && !v->is_object())
      wrong(name, "an object");
    const auto* o = json::object_at(from_, name);
    return o ? *o : json::object{};
  }
  int64_t number(std::string_view name, int64_t otherwise) {
    if (!from_.if_contains(name))
      return otherwise;
    const auto found = json::integer_at(from_, name);
    if (!found || *found < 0)
      wrong(name, "a whole number of at least 0");
    return found.value_or(otherwise);
  }
  bool boolean(std::string_view name) {
    const auto* v = from_.if_contains(name);
    if (!v || !v->is_bool())
      wrong(name, "true or false");
    return v && v->is_bool() && v->get_bool();
  }
  void wrong(std::string_view name, std::string_view allowed) {
    if (!fault_)
      fault_ = fault{"malformed_message", "The field '" + std::string(name) + "' must be " + std::string(allowed) + ".",
                     cure::fix_input};
  }
  template <class T> std::expected<T, fault> give(T value) {
    if (fault_)
      return std::unexpected(std::move(*fault_));
    return value;
  }

private:
  const json::object& from_;
  std::optional<fault> fault_;
};

std::expected<json::object, fault> parsed(std::string_view text) {
  auto body = json::parse(text);
  if (!body || !body->is_object())
    return std::unexpected(fault{"malformed_message", "The message is no JSON object.", cure::fix_input});
  return std::move(body->get_object());
}

} // namespace

std::string subjects::of_activity(std::string_view activity_type) { return "event." + dashed(activity_type); }

std::string subjects::durable(std::string_view subject) {
  const auto dot = subject.find('.');
  return dashed(dot == std::string_view::npos ? subject : subject.substr(dot + 1));
}

std::string write(const orchestration_manifest& m) {
  return json::write(json::object{{"id", m.id},
                                  {"correlationId", m.correlation_id},
                                  {"orchestrationType", m.orchestration_type},
                                  {"payload", m.payload}});
}

std::string write(const orchestration_response& m) {
  json::object o{{"id", m.id},
                 {"manifestId", m.manifest_id},
                 {"correlationId", m.correlation_id},
                 {"orchestrationType", m.orchestration_type},
                 {"success", m.success},
                 {"properties", m.properties}};
  if (!m.error_detail.empty())
    o["errorDetail"] = m.error_detail;
  return json::write(o);
}

std::string write(const activity_message& m) {
  return json::write(json::object{{"orchestrationID", m.orchestration_id},
                                  {"activity", planes::to_json(m.what)},
                                  {"run", m.run},
                                  {"processingData", m.processing_data}});
}

std::string write(const activity_result& m) {
  const auto name = std::ranges::find(outcome_names, m.outcome, [](const auto& n) { return n.first; })->second;
  return json::write(json::object{{"orchestrationID", m.orchestration_id},
                                  {"activityID", m.activity_id},
                                  {"run", m.run},
                                  {"outcome", name},
                                  {"waitMs", static_cast<int64_t>(m.wait_ms.count())},
                                  {"values", m.values},
                                  {"output", m.output},
                                  {"detail", m.detail}});
}

std::expected<orchestration_manifest, fault> read_manifest(const json::object& body) {
  member_reader r(body);
  orchestration_manifest m;
  m.id = r.text("id");
  m.correlation_id = r.text("correlationId");
  m.orchestration_type = r.text("orchestrationType");
  m.payload = r.object("payload");
  return r.give(std::move(m));
}

std::expected<orchestration_manifest, fault> read_manifest(std::string_view text) {
  auto body = parsed(text);
  if (!body)
    return std::unexpected(std::move(body.error()));
  return read_manifest(*body);
}

std::expected<orchestration_response, fault> read_response(std::string_view text) {
  auto body = parsed(text);
  if (!body)
    return std::unexpected(std::move(body.error()));
  member_reader r(*body);
  orchestration_response m;
  m.id = r.text("id");
  m.manifest_id = r.text("manifestId");
  m.correlation_id = r.text("correlationId");
  m.orchestration_type = r.text("orchestrationType");
  m.success = r.boolean("success");
  m.error_detail = r.optional_text("errorDetail");
  m.properties = r.object("properties");
  return r.give(std::move(m));
}

std::expected<activity_message, fault> read_activity_message(std::string_view text) {
  auto body = parsed(text);
  if (!body)
    return std::unexpected(std::move(body.error()));
  member_reader r(*body);
  activity_message m;
  m.orchestration_id = r.text("orchestrationID");
  m.run = r.number("run", 1);
  m.processing_data = r.object("processingData");
  const auto* what = body->if_contains("activity");
  if (!what || !planes::from_json(*what, m.what) || m.what.id.empty() || m.what.type.empty())
    r.wrong("activity", "an object with id, type and discriminator");
  return r.give(std::move(m));
}

std::expected<activity_result, fault> read_activity_result(std::string_view text) {
  auto body = parsed(text);
  if (!body)
    return std::unexpected(std::move(body.error()));
  member_reader r(*body);
  activity_result m;
  m.orchestration_id = r.text("orchestrationID");
  m.activity_id = r.text("activityID");
  m.run = r.number("run", 1);
  const auto word = r.text("outcome");
  const auto found = std::ranges::find(outcome_names, word, [](const auto& n) { return n.second; });
  if (found == std::end(outcome_names))
    r.wrong("outcome", "one of complete, schedule, retry, fatal");
  else
    m.outcome = found->first;
  m.wait_ms = milliseconds(r.number("waitMs", 0));
  m.values = r.object("values");
  m.output = r.object("output");
  m.detail = r.optional_text("detail");
  return r.give(std::move(m));
}

} // namespace fondaco::cfm
