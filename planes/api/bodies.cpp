#include "planes/api/bodies.hpp"

#include <algorithm>
#include <utility>

#include "planes/api/errors.hpp"

namespace fondaco::planes::api {

namespace {

std::string joined(const std::vector<std::string>& types) {
  std::string out;
  for (const auto& t : types)
    out += (out.empty() ? "" : ", ") + t;
  return out;
}

bool holds_context(const json::object& o) {
  const auto* context = json::array_at(o, "@context");
  if (!context)
    return false;
  bool found = false;
  for (const auto& c : *context) {
    if (!c.is_string())
      return false;
    found = found || std::string_view(c.get_string()) == management_context;
  }
  return found;
}

std::expected<size_t, gateway::response> bound(const json::object& o, const char* name, int64_t least,
                                               size_t otherwise) {
  if (!o.contains(name))
    return otherwise;
  auto n = json::integer_at(o, name);
  if (!n || *n < least)
    return std::unexpected(invalid_field(std::string(name) + " must be an integer of at least " + std::to_string(least),
                                         name, o.at(name)));
  return static_cast<size_t>(*n);
}

std::expected<persistence::criterion, gateway::response> read_criterion(const json::value& v) {
  const auto* c = v.if_object();
  auto left = c ? json::string_at(*c, "operandLeft") : std::nullopt;
  auto op = c ? json::string_at(*c, "operator") : std::nullopt;
  if (!left || !op || !c->contains("operandRight") || json::string_at(*c, "@type") != "Criterion")
    return std::unexpected(
        invalid_field("a Criterion has @type 'Criterion', operandLeft and operator as strings, and operandRight",
                      "filterExpression", v));
  return persistence::criterion{std::string(*left), std::string(*op), c->at("operandRight")};
}

} // namespace

std::expected<json::object, gateway::response> read_plain_body(const gateway::request& r) {
  auto type = gateway::header(r, "content-type");
  if (type && !type->starts_with("application/json"))
    return std::unexpected(error_response(
        415, {{"Content-Type must be application/json", "UnsupportedMediaType", "", json::value(*type)}}));
  if (r.body.empty())
    return std::unexpected(invalid_request("The request has no body; a JSON object is expected."));
  auto parsed = json::parse(r.body);
  if (!parsed)
    return std::unexpected(invalid_request("The body is not acceptable JSON: " + parsed.error().detail));
  if (!parsed->is_object())
    return std::unexpected(invalid_request("The body must be a JSON object."));
  return std::move(parsed->get_object());
}

std::expected<json::object, gateway::response> read_body(const gateway::request& r, std::vector<std::string> types) {
  auto body = read_plain_body(r);
  if (!body)
    return body;
  auto type = json::string_at(*body, "@type");
  if (!type)
    return std::unexpected(invalid_request("JsonObject is missing required property: @type"));
  if (std::find(types.begin(), types.end(), *type) == types.end())
    return std::unexpected(invalid_request("JsonObject type '" + std::string(*type) +
                                           "' does not match expected types: [" + joined(types) + "]"));
  if (!holds_context(*body))
    return std::unexpected(invalid_field(
        "@context must be an array of strings that contains '" + std::string(management_context) + "'", "@context"));
  return body;
}

std::expected<persistence::query_spec, gateway::response> read_query(const gateway::request& r) {
  if (r.body.empty())
    return persistence::query_spec{};
  auto body = read_body(r, {"QuerySpec"});
  if (!body)
    return std::unexpected(std::move(body.error()));
  return read_query_object(*body);
}

std::expected<persistence::query_spec, gateway::response> read_query_object(const json::object& o) {
  persistence::query_spec q;
  auto offset = bound(o, "offset", 0, q.offset);
  if (!offset)
    return std::unexpected(std::move(offset.error()));
  auto limit = bound(o, "limit", 1, q.limit);
  if (!limit)
    return std::unexpected(std::move(limit.error()));
  q.offset = *offset;
  q.limit = *limit;
  q.sort_field = json::string_at(o, "sortField").value_or("");
  if (o.contains("sortOrder")) {
    auto order = json::string_at(o, "sortOrder");
    if (order != "ASC" && order != "DESC")
      return std::unexpected(invalid_field("sortOrder must be ASC or DESC", "sortOrder", o.at("sortOrder")));
    q.descending = *order == "DESC";
  }
  if (!o.contains("filterExpression"))
    return q;
  json::array filter;
  const auto& given = o.at("filterExpression");
  if (given.is_array())
    filter = given.get_array();
  else
    filter.push_back(given);
  for (const auto& v : filter) {
    auto c = read_criterion(v);
    if (!c)
      return std::unexpected(std::move(c.error()));
    q.filter.push_back(std::move(*c));
  }
  return q;
}

gateway::response object_response(json::object o) {
  json::object out;
  out["@context"] = json::array{management_context};
  for (auto& member : o)
    out[member.key()] = std::move(member.value());
  return gateway::json_response(200, json::write(out));
}

gateway::response array_response(std::vector<json::object> objects) {
  json::array out;
  for (auto& o : objects) {
    json::object with;
    with["@context"] = json::array{management_context};
    for (auto& member : o)
      with[member.key()] = std::move(member.value());
    out.push_back(std::move(with));
  }
  return gateway::json_response(200, json::write(out));
}

gateway::response id_response(std::string_view id, timepoint created_at) {
  return object_response({{"@type", "IdResponse"}, {"@id", id}, {"createdAt", to_epoch_ms(created_at)}});
}

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= limits::id_bytes_max &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

} // namespace fondaco::planes::api
