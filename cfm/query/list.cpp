#include "cfm/query/list.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "cfm/rest.hpp"

namespace fondaco::cfm {

namespace api = planes::api;
using api::request_ptr;
using gateway::response;

namespace {

constexpr size_t page_rows = 1000;

struct page {
  int64_t offset = 0;
  /// 0 for no limit.
  int64_t limit = 0;
};

std::string link(const std::string& path, int64_t offset, int64_t limit, const char* rel) {
  return "<" + path + "?offset=" + std::to_string(offset) + "&limit=" + std::to_string(limit) + ">; rel=\"" + rel +
         "\"";
}

std::string links(const std::string& path, const page& p, int64_t total) {
  auto out = link(path, p.offset, p.limit, "self");
  if (p.limit > 0 && p.offset + p.limit < total)
    out += ", " + link(path, p.offset + p.limit, p.limit, "next");
  if (p.offset > 0)
    out += ", " + link(path, std::max<int64_t>(0, p.offset - p.limit), p.limit, "prev");
  out += ", " + link(path, 0, p.limit, "first");
  if (p.limit > 0)
    out += ", " + link(path, total > 0 ? (total - 1) / p.limit * p.limit : 0, p.limit, "last");
  return out;
}

response answer(const std::vector<json::object>& all, const page& p, const std::string& path) {
  json::array out;
  const auto total = static_cast<int64_t>(all.size());
  const auto end = p.limit > 0 ? std::min(total, p.offset + p.limit) : total;
  for (auto i = p.offset; i < end; ++i)
    out.push_back(all[static_cast<size_t>(i)]);
  auto r = gateway::json_response(200, json::write(out));
  r.headers.emplace_back("X-Total-Count", std::to_string(total));
  r.headers.emplace_back("Link", links(path, p, total));
  return r;
}

json::object stored_of(const persistence::document& d) { return api::stored_object(d.body); }
json::object stored_of(const persistence::entity_row& row) { return api::stored_object(row.view); }

bool is_there(const persistence::document&) { return true; }
bool is_there(const persistence::entity_row& row) { return row.status != "REMOVED"; }

/// All things that the predicate (or every thing, without one) holds for. Blocks; nothing if there are too many or the
/// store does not answer.
template <class Read>
std::optional<std::vector<json::object>> scan(Read read, const std::optional<predicate>& wanted, show_stored show) {
  std::vector<json::object> out;
  for (size_t offset = 0; offset < limits::query_scanned_max; offset += page_rows) {
    persistence::query_spec spec;
    spec.offset = offset;
    spec.limit = page_rows;
    auto rows = read(spec);
    if (!rows)
      return std::nullopt;
    for (const auto& row : *rows) {
      if (!is_there(row))
        continue;
      const auto stored = stored_of(row);
      if (!wanted || wanted->holds(stored))
        out.push_back(show(stored));
    }
    if (rows->size() < page_rows)
      return out;
  }
  return std::nullopt;
}

struct question {
  std::optional<predicate> wanted;
  page where;
};

api::result<question> read_question(const gateway::request& r) {
  auto body = read_cfm_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  auto parsed = predicate::parse(json::string_at(*body, "predicate").value_or(""));
  if (!parsed)
    return std::unexpected(cfm_error(400, "Client error: " + parsed.error().detail));
  question q{std::move(*parsed), {}};
  q.where.offset = json::integer_at(*body, "offset").value_or(0);
  q.where.limit = json::integer_at(*body, "limit").value_or(0);
  if (q.where.offset < 0 || q.where.limit < 0)
    return std::unexpected(cfm_error(400, "Bad request: offset and limit must not be negative."));
  if (q.where.limit == 0 || q.where.limit > limits::query_limit_max)
    q.where.limit = limits::query_limit_max;
  return q;
}

api::result<int64_t> number_in(const gateway::request& r, const char* name, const char* title) {
  const auto text = gateway::query_value(r, name);
  int64_t n = 0;
  if (!text)
    return n;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
  if (error != std::errc{} || end != text->data() + text->size() || n < 0)
    return std::unexpected(cfm_error(400, std::string("Invalid ") + title + ": must be a number of at least 0"));
  return n;
}

response too_many() { return cfm_error(503, "Too many things to look at, or the store does not answer."); }

template <class Read>
actors::task<response> scanned(cfm_services& s, question q, std::string path, show_stored show, Read read) {
  auto shared = std::make_shared<question>(std::move(q));
  auto scanning = actors::in_pool(s.pool, s.edge, [shared, show, read] { return scan(read, shared->wanted, show); });
  auto found = co_await std::move(scanning);
  if (!found || !*found)
    co_return too_many();
  co_return answer(**found, shared->where, path);
}

} // namespace

actors::task<response> query_rows(cfm_services& s, request_ptr r, std::string kind, std::string path,
                                  show_stored show) {
  auto q = read_question(*r);
  if (!q)
    co_return std::move(q.error());
  auto read = [&s, kind](const persistence::query_spec& spec) {
    return s.documents.query_entities(cfm_tenant, kind, spec);
  };
  auto scanning = scanned(s, std::move(*q), std::move(path), show, std::move(read));
  co_return co_await std::move(scanning);
}

actors::task<response> query_records(cfm_services& s, request_ptr r, std::string kind, std::string path,
                                     show_stored show) {
  auto q = read_question(*r);
  if (!q)
    co_return std::move(q.error());
  auto read = [&s, kind](const persistence::query_spec& spec) { return s.documents.query(cfm_tenant, kind, spec); };
  auto scanning = scanned(s, std::move(*q), std::move(path), show, std::move(read));
  co_return co_await std::move(scanning);
}

actors::task<response> list_records(cfm_services& s, request_ptr r, std::string kind, std::string path,
                                    show_stored show) {
  const auto offset = number_in(*r, "offset", "offset");
  const auto limit = number_in(*r, "limit", "limit");
  if (!offset || !limit)
    co_return !offset ? offset.error() : limit.error();
  question q;
  q.where = {*offset, *limit};
  auto read = [&s, kind](const persistence::query_spec& spec) { return s.documents.query(cfm_tenant, kind, spec); };
  auto scanning = scanned(s, std::move(q), std::move(path), show, std::move(read));
  co_return co_await std::move(scanning);
}

} // namespace fondaco::cfm
