#include "cells/control_plane/catalog_filter.hpp"

#include <algorithm>
#include <utility>

#include "planes/api/bodies.hpp"
#include "protocols/base/base64.hpp"

namespace fondaco::control_plane {

namespace {

/// The first message of an error body of the management API, which shares the QuerySpec.
std::string first_message(const gateway::response& r) {
  const auto body = json::parse(r.body);
  const auto* list = body ? body->if_array() : nullptr;
  const auto* first = list && !list->empty() ? list->front().if_object() : nullptr;
  return first ? std::string(json::string_at(*first, "message").value_or("")) : std::string();
}

/// The member that has no place in a QuerySpec; empty if there is none.
std::string unknown_member(const json::object& spec) {
  static constexpr std::string_view known[] = {"@context",  "@type",     "offset",          "limit",
                                               "sortField", "sortOrder", "filterExpression"};
  for (const auto& member : spec)
    if (std::ranges::find(known, std::string_view(member.key())) == std::end(known))
      return std::string(member.key());
  return {};
}

json::object without_prefixes(const json::object& o) {
  auto out = o;
  for (auto& member : out)
    if (member.key() == "@type" && member.value().is_string() && member.value().get_string().starts_with("edc:"))
      member.value() = json::value(std::string_view(member.value().get_string()).substr(4));
  return out;
}

std::expected<catalog_query, std::string> read_spec(const json::object& spec) {
  if (json::string_at(spec, "@type") != "QuerySpec")
    return std::unexpected("filter: @type must be QuerySpec; other filters are not supported.");
  if (const auto name = unknown_member(spec); !name.empty())
    return std::unexpected("filter: '" + name + "' has no place in a QuerySpec.");
  auto read = planes::api::read_query_object(spec);
  if (!read)
    return std::unexpected("filter: " + first_message(read.error()));
  if (!read->sort_field.empty() && read->sort_field != "createdAt")
    return std::unexpected("filter: sortField must be createdAt or be left out.");
  catalog_query out;
  out.offset = read->offset;
  out.limit = std::min(read->limit, limits::catalog_datasets_max);
  out.descending = read->descending;
  for (auto& criterion : read->filter) {
    const auto path = criterion.operand_left;
    auto mapped = public_criterion(std::move(criterion));
    if (!mapped)
      return std::unexpected("filter: operandLeft '" + path + "' is not a public property.");
    out.filter.push_back(std::move(*mapped));
  }
  return out;
}

std::string link(const std::string& url, const catalog_query& query, size_t offset, const char* relation) {
  auto there = query;
  there.offset = offset;
  return "<" + url + "?continuationToken=" + write_continuation(there) + ">; rel=\"" + relation + "\"";
}

} // namespace

std::expected<catalog_query, std::string> read_catalog_filter(const json::value& filter) {
  if (filter.is_null())
    return catalog_query{};
  const auto* list = filter.if_array();
  if (!list)
    return std::unexpected("filter must be an array.");
  if (list->empty())
    return catalog_query{};
  const auto* only = list->size() == 1 ? list->front().if_object() : nullptr;
  if (!only)
    return std::unexpected("filter must hold one QuerySpec; other filters are not supported.");
  auto spec = without_prefixes(*only);
  if (const auto* criteria = json::array_at(spec, "filterExpression")) {
    json::array plain;
    for (const auto& c : *criteria)
      plain.push_back(c.is_object() ? json::value(without_prefixes(c.get_object())) : c);
    spec["filterExpression"] = std::move(plain);
  }
  return read_spec(spec);
}

std::string write_continuation(const catalog_query& query) {
  json::object spec{{"@type", "QuerySpec"}, {"offset", query.offset}, {"limit", query.limit}};
  spec["sortOrder"] = query.descending ? "DESC" : "ASC";
  json::array criteria;
  for (const auto& c : query.filter)
    criteria.push_back(json::object{{"@type", "Criterion"},
                                    {"operandLeft", c.operand_left},
                                    {"operator", c.op},
                                    {"operandRight", c.operand_right}});
  spec["filterExpression"] = std::move(criteria);
  return base64url_encode(json::write(spec));
}

std::optional<catalog_query> read_continuation(std::string_view token) {
  const auto text = base64url_decode(token);
  const auto body = text ? json::parse(*text) : std::unexpected(json::parse_error{});
  const auto* spec = body ? body->if_object() : nullptr;
  if (!spec)
    return std::nullopt;
  auto query = read_spec(*spec);
  if (!query)
    return std::nullopt;
  return std::move(*query);
}

std::string page_links(const std::string& url, const catalog_query& query, bool more) {
  std::string out;
  if (more)
    out = link(url, query, query.offset + query.limit, "next");
  if (query.offset > 0)
    out += (out.empty() ? "" : ", ") + link(url, query, query.offset - std::min(query.offset, query.limit), "previous");
  return out;
}

} // namespace fondaco::control_plane
