#include "persistence/query.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "persistence/detail/append_check.hpp"
#include "persistence/detail/query_writer.hpp"

namespace fondaco::persistence {
namespace {

using detail::is_storable_text;
using detail::query_writer;
using detail::scalars;
using detail::target;

constexpr std::string_view operators_known = "=, !=, <, <=, >, >=, in, not in, like, ilike, contains";

std::unexpected<query_error> refuse(query_errc code, std::string detail) {
  return std::unexpected(query_error{code, std::move(detail)});
}

bool starts_bare(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@'; }

std::expected<std::string, query_error> take_quoted(std::string_view path, size_t& at) {
  size_t end = path.find('\'', at + 1);
  if (end == std::string_view::npos)
    return refuse(query_errc::bad_path, "the path has a single quote that is not closed");
  std::string name{path.substr(at + 1, end - at - 1)};
  at = end + 1;
  return name;
}

std::expected<std::string, query_error> take_bare(std::string_view path, size_t& at) {
  size_t end = std::min(path.find('.', at), path.size());
  std::string name{path.substr(at, end - at)};
  at = end;
  if (name.empty())
    return refuse(query_errc::bad_path, "the path has an empty name");
  if (name.find_first_of(" '") != std::string::npos)
    return refuse(query_errc::bad_path, "a name with a blank, a dot or a quote has to stand in single quotes");
  return name;
}

target target_of(query_source source, std::vector<std::string> path) {
  bool entities = source == query_source::entities;
  if (path.size() == 1) {
    const auto& name = path.front();
    if (name == "id" || (name == "@id" && !entities))
      return {target::type::text_column, "r.id", {}};
    if (name == "createdAt")
      return {target::type::integer_column, "r.created_at", {}};
    if (name == "updatedAt" || (name == "stateTimestamp" && entities))
      return {target::type::integer_column, "r.updated_at", {}};
    if (name == "state" && entities)
      return {target::type::text_column, "r.status", {}};
  }
  return {target::type::json, "", std::move(path)};
}

std::string json_column(sql_dialect dialect, query_source source) {
  if (source == query_source::documents)
    return "r.body";
  return dialect == sql_dialect::sqlite ? "nullif(r.view, '')" : "nullif(r.view, '')::jsonb";
}

std::expected<void, query_error> add_scalar(scalars& out, const json::value& v) {
  if (v.is_string()) {
    const auto& text = v.get_string();
    if (text.size() > limits::operand_bytes_max)
      return refuse(query_errc::bad_criterion,
                    "a string operand is longer than " + std::to_string(limits::operand_bytes_max) + " bytes");
    if (!is_storable_text({text.data(), text.size()}))
      return refuse(query_errc::bad_criterion, "a string operand is not UTF-8 or holds U+0000");
    out.strings.emplace_back(text.data(), text.size());
  } else if (v.is_number()) {
    out.numbers.push_back(v.to_number<double>());
  } else if (v.is_bool()) {
    (v.get_bool() ? out.yes : out.no) = true;
  } else {
    return refuse(query_errc::bad_criterion, "the right operand has to be a string, a number or a boolean");
  }
  return {};
}

std::expected<scalars, query_error> scalars_of(const json::value& right, bool list) {
  scalars out;
  if (!list) {
    if (auto added = add_scalar(out, right); !added)
      return std::unexpected(added.error());
    return out;
  }
  if (!right.is_array())
    return refuse(query_errc::bad_criterion, "the operators in and not in need an array as their right operand");
  const auto& values = right.get_array();
  if (values.size() > limits::operand_values_max)
    return refuse(query_errc::bad_criterion, "the array of the right operand has more than " +
                                                 std::to_string(limits::operand_values_max) + " values");
  for (const auto& value : values)
    if (auto added = add_scalar(out, value); !added)
      return std::unexpected(added.error());
  return out;
}

std::string exists(const std::string& from, const std::string& test) {
  return "exists (select 1 from " + from + " where " + test + ")";
}

std::expected<std::string, query_error> compile_equality(query_writer& w, const target& t, const json::value& right,
                                                         bool list, bool negated) {
  auto wanted = scalars_of(right, list);
  if (!wanted)
    return std::unexpected(wanted.error());
  if (negated) {
    std::string present = exists(w.values_of(t), w.is_present());
    return present + " and not " + exists(w.values_of(t), w.equals_any(*wanted));
  }
  bool only_strings = wanted->numbers.empty() && !wanted->yes && !wanted->no && !wanted->strings.empty();
  if (t.what == target::type::text_column && only_strings) { // the way that an index can serve
    std::string values;
    for (const auto& value : wanted->strings)
      values += (values.empty() ? "" : ", ") + w.text(value);
    return t.column + " in (" + values + ")";
  }
  return exists(w.values_of(t), w.equals_any(*wanted));
}

std::expected<std::string, query_error> compile_order(query_writer& w, const target& t, std::string_view op,
                                                      const json::value& right) {
  auto wanted = scalars_of(right, false);
  if (!wanted)
    return std::unexpected(wanted.error());
  if (wanted->yes || wanted->no)
    return refuse(query_errc::bad_criterion,
                  "the operator " + std::string{op} + " needs a number or a string as its right operand");
  std::string from = w.values_of(t);
  return exists(from, wanted->numbers.empty() ? w.compares_to(op, wanted->strings.front())
                                              : w.compares_to(op, wanted->numbers.front()));
}

std::expected<std::string, query_error> compile_like(query_writer& w, const target& t, const json::value& right,
                                                     bool fold_case) {
  if (!right.is_string())
    return refuse(query_errc::bad_criterion, "the operators like and ilike need a string as their right operand");
  if (right.get_string().size() > limits::pattern_bytes_max)
    return refuse(query_errc::bad_criterion,
                  "the pattern is longer than " + std::to_string(limits::pattern_bytes_max) + " bytes");
  auto wanted = scalars_of(right, false);
  if (!wanted)
    return std::unexpected(wanted.error());
  std::string from = w.values_of(t);
  return exists(from, w.is_like(wanted->strings.front(), fold_case));
}

std::expected<std::string, query_error> compile_contains(query_writer& w, const target& t, const json::value& right) {
  auto wanted = scalars_of(right, false);
  if (!wanted)
    return std::unexpected(wanted.error());
  if (t.what != target::type::json)
    return "1 = 0";
  std::string from = w.elements_of(t);
  return exists(from, w.equals_any(*wanted));
}

std::expected<std::string, query_error> compile_criterion(query_writer& w, const target& t, const criterion& c) {
  std::string op = c.op;
  std::ranges::transform(op, op.begin(), [](char ch) { return ch >= 'A' && ch <= 'Z' ? char(ch - 'A' + 'a') : ch; });
  if (op == "=" || op == "!=")
    return compile_equality(w, t, c.operand_right, false, op == "!=");
  if (op == "in" || op == "not in")
    return compile_equality(w, t, c.operand_right, true, op == "not in");
  if (op == "<" || op == "<=" || op == ">" || op == ">=")
    return compile_order(w, t, op, c.operand_right);
  if (op == "like" || op == "ilike")
    return compile_like(w, t, c.operand_right, op == "ilike");
  if (op == "contains")
    return compile_contains(w, t, c.operand_right);
  return refuse(query_errc::bad_criterion, "the operator is not known; allowed are " + std::string{operators_known});
}

std::string select_from(sql_dialect dialect, query_source source) {
  if (source == query_source::entities)
    return "select r.tenant, r.kind, r.id, r.shard, r.seq, r.status, r.view, r.created_at, r.updated_at, w.due "
           "from entity r left join wake w on w.entity = r.key";
  std::string body = dialect == sql_dialect::sqlite ? "r.body" : "r.body::text";
  return "select r.tenant, r.kind, r.id, r.version, " + body + ", r.created_at, r.updated_at from document r";
}

/// The LIMIT clause; a number that no database row count reaches is cut, not refused.
std::string page(query_writer& w, size_t offset, size_t limit) {
  auto first = static_cast<int64_t>(std::min<uint64_t>(offset, std::numeric_limits<int64_t>::max()));
  auto count = static_cast<int64_t>(std::min(limit, limits::read_rows_max));
  std::string rows = w.integer(count);
  return " limit " + rows + " offset " + w.integer(first);
}

std::string id_order(sql_dialect dialect) { return dialect == sql_dialect::sqlite ? "r.id" : "r.id collate \"C\""; }

} // namespace

std::expected<std::vector<std::string>, query_error> parse_path(std::string_view path) {
  if (path.empty() || path.size() > limits::path_bytes_max)
    return refuse(query_errc::bad_path, "a path has 1 to " + std::to_string(limits::path_bytes_max) + " bytes");
  bool plain = std::ranges::all_of(
      path, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '"' && c != '\\'; });
  if (!plain || !is_storable_text(path))
    return refuse(query_errc::bad_path, "a path is UTF-8 without double quotes, backslashes and control characters");
  if (!starts_bare(path.front()) && path.front() != '\'')
    return refuse(query_errc::bad_path, "a path starts with a letter, '_', '@' or a single quote");
  std::vector<std::string> names;
  for (size_t at = 0;;) {
    auto name = at < path.size() && path[at] == '\'' ? take_quoted(path, at) : take_bare(path, at);
    if (!name)
      return std::unexpected(name.error());
    if (name->empty())
      return refuse(query_errc::bad_path, "the path has an empty name");
    names.push_back(std::move(*name));
    if (names.size() > limits::path_segments_max)
      return refuse(query_errc::bad_path, "a path has at most " + std::to_string(limits::path_segments_max) + " names");
    if (at == path.size())
      return names;
    if (path[at] != '.')
      return refuse(query_errc::bad_path, "after a quoted name the path ends or goes on with a dot");
    ++at;
  }
}

std::expected<sql_statement, query_error> compile_query(sql_dialect dialect, query_source source, const tenant& owner,
                                                        std::string_view kind, const query_spec& spec) {
  if (spec.filter.size() > limits::criteria_max)
    return refuse(query_errc::bad_criterion,
                  "filterExpression has more than " + std::to_string(limits::criteria_max) + " criteria");
  query_writer w{dialect};
  std::string text = select_from(dialect, source);
  text += " where r.tenant = " + w.text(owner.id());
  text += " and r.kind = " + w.text(kind);
  for (size_t i = 0; i < spec.filter.size(); ++i) {
    std::string where = "filterExpression[" + std::to_string(i) + "]";
    auto path = parse_path(spec.filter[i].operand_left);
    if (!path)
      return refuse(path.error().code, where + ".operandLeft: " + path.error().detail);
    target t = target_of(source, std::move(*path));
    if (t.what == target::type::json)
      t.column = json_column(dialect, source);
    auto test = compile_criterion(w, t, spec.filter[i]);
    if (!test)
      return refuse(test.error().code, where + ": " + test.error().detail);
    text += " and " + *test;
  }
  std::string direction = spec.descending ? "desc" : "asc";
  text += " order by ";
  if (!spec.sort_field.empty()) {
    auto path = parse_path(spec.sort_field);
    if (!path)
      return refuse(path.error().code, "sortField: " + path.error().detail);
    target t = target_of(source, std::move(*path));
    if (t.what == target::type::json)
      t.column = json_column(dialect, source);
    text += w.order_of(t, direction) + ", ";
  }
  text += "r.created_at " + direction + ", " + id_order(dialect) + " " + direction;
  text += page(w, spec.offset, spec.limit);
  return std::move(w).finish(std::move(text));
}

sql_statement document_statement(sql_dialect dialect, const entity_key& key) {
  query_writer w{dialect};
  std::string text = select_from(dialect, query_source::documents);
  text += " where r.tenant = " + w.text(key.owner.id());
  text += " and r.kind = " + w.text(key.kind);
  text += " and r.id = " + w.text(key.id);
  return std::move(w).finish(std::move(text));
}

sql_statement list_statement(sql_dialect dialect, std::string_view kind, size_t offset, size_t limit) {
  query_writer w{dialect};
  std::string text = select_from(dialect, query_source::entities);
  if (!kind.empty())
    text += " where r.kind = " + w.text(kind);
  text += " order by r.updated_at desc, r.key desc" + page(w, offset, limit);
  return std::move(w).finish(std::move(text));
}

sql_statement find_statement(sql_dialect dialect, std::string_view id) {
  query_writer w{dialect};
  std::string text = select_from(dialect, query_source::entities);
  text += " where r.id = " + w.text(id);
  text += " order by r.tenant, r.kind" + page(w, 0, limits::read_rows_max);
  return std::move(w).finish(std::move(text));
}

} // namespace fondaco::persistence
