#include "persistence/detail/query_writer.hpp"

#include <array>
#include <charconv>

namespace fondaco::persistence::detail {
namespace {

/// A JSON path of quoted names; `parse_path` has refused the names that would need an escape.
std::string json_path(std::span<const std::string> names) {
  std::string out = "$";
  for (const auto& name : names)
    out += ".\"" + name + "\"";
  return out;
}

std::string shortest(double value) {
  std::array<char, 32> buffer{};
  auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

/// A GLOB pattern, which on SQLite is the one that heeds case.
std::string to_glob(std::string_view pattern) {
  std::string out;
  for (char c : pattern) {
    switch (c) {
    case '%': out += '*'; break;
    case '_': out += '?'; break;
    case '*':
    case '?':
    case '[':
      out += '[';
      out += c;
      out += ']';
      break;
    default: out += c;
    }
  }
  return out;
}

std::string ascii_lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// A numeric outside a double's range is an error in a cast, and one such row must not fail the whole query.
std::string to_double(const std::string& numeric) {
  return "case when abs(" + numeric + ") > 1.7976931348623157e308 then case when " + numeric +
         " > 0 then 'Infinity'::float8 else '-Infinity'::float8 end when abs(" + numeric +
         ") < 3e-324 then 0::float8 else (" + numeric + ")::float8 end";
}

} // namespace

std::string query_writer::placeholder() {
  return (dialect_ == sql_dialect::sqlite ? "?" : "$") + std::to_string(parameters_.size());
}

std::string query_writer::text(std::string_view value) {
  parameters_.emplace_back(std::string{value});
  return dialect_ == sql_dialect::sqlite ? placeholder() : placeholder() + "::text";
}

std::string query_writer::integer(int64_t value) {
  parameters_.emplace_back(value);
  return dialect_ == sql_dialect::sqlite ? placeholder() : placeholder() + "::bigint";
}

std::string query_writer::number(double value) {
  // As text on SQLite too: the same digits in a row and in an operand then take the same way to a double.
  parameters_.emplace_back(shortest(value));
  return dialect_ == sql_dialect::sqlite ? "cast(" + placeholder() + " as real)" : placeholder() + "::float8";
}

std::string query_writer::step(const target& t, std::string_view prefix, bool last_elements_only) {
  std::string from;
  std::string previous;
  for (size_t i = 0; i < t.path.size(); ++i) {
    bool last = i + 1 == t.path.size();
    std::string name = last ? "x" : std::string{prefix} + std::to_string(i);
    std::string path = text(json_path(std::span{t.path}.subspan(i, 1)));
    std::string node = previous.empty()
                           ? t.column + " -> " + path
                           : "case " + previous + ".type when 'object' then " + previous + ".value -> " + path + " end";
    node = "(" + node + ")";
    if (last && last_elements_only)
      from += "json_each(case json_type(" + node + ") when 'array' then " + node + " end) " + name;
    else
      from += "json_each(case json_type(" + node + ") when 'object' then json_array(json(" + node + ")) else " + node +
              " end) " + name + (last ? "" : ", ");
    previous = name;
  }
  return from;
}

std::string query_writer::values_of(const target& t) {
  if (dialect_ == sql_dialect::sqlite) {
    if (t.what == target::type::json)
      return step(t, "e", false);
    std::string type = t.what == target::type::text_column ? "text" : "integer";
    return "(select '" + type + "' as type, " + t.column + " as atom) x";
  }
  if (t.what == target::type::json)
    return "jsonb_path_query(" + t.column + ", " + text(json_path(t.path) + "[*]") + "::jsonpath) x(v)";
  return "(select to_jsonb(" + t.column + ")) x(v)";
}

std::string query_writer::elements_of(const target& t) {
  if (dialect_ == sql_dialect::sqlite)
    return step(t, "e", true);
  return "jsonb_path_query(" + t.column + ", " + text(json_path(t.path)) +
         "::jsonpath) l(v), jsonb_array_elements(case jsonb_typeof(l.v) when 'array' then l.v else '[]'::jsonb end) "
         "x(v)";
}

std::string query_writer::is_present() const {
  return dialect_ == sql_dialect::sqlite ? "x.type <> 'null'" : "jsonb_typeof(x.v) <> 'null'";
}

std::string query_writer::is_string() const {
  return dialect_ == sql_dialect::sqlite ? "x.type = 'text'" : "jsonb_typeof(x.v) = 'string'";
}

std::string query_writer::string_of_value() const {
  return dialect_ == sql_dialect::sqlite ? "x.atom" : "(x.v #>> '{}') collate \"C\"";
}

std::string query_writer::number_of_value() const {
  if (dialect_ == sql_dialect::sqlite)
    return "case x.type when 'integer' then cast(x.atom as real) when 'real' then x.atom when 'text' then case when "
           "length(x.atom) <= 64 and x.atom glob '[-0-9]*' and x.atom glob '*[0-9]' and "
           "x.atom not glob '*[eE]*[0-9][0-9][0-9][0-9]*' and "
           "case when json_valid(x.atom) then json_type(x.atom) in ('integer', 'real') end "
           "then cast(x.atom as real) end end";
  return "case when jsonb_typeof(x.v) = 'number' or (jsonb_typeof(x.v) = 'string' and length(x.v #>> '{}') <= 64 and "
         "(x.v #>> '{}') ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]{1,3})?$') then " +
         to_double("(x.v #>> '{}')::numeric") + " end";
}

std::string query_writer::equals_any(const scalars& s) {
  std::string out;
  auto either = [&out](const std::string& test) { out += (out.empty() ? "" : " or ") + test; };
  if (!s.strings.empty()) {
    std::string list;
    for (const auto& value : s.strings)
      list += (list.empty() ? "" : ", ") + text(value);
    either("(" + is_string() + " and " + string_of_value() + " in (" + list + "))");
  }
  if (!s.numbers.empty()) {
    std::string list;
    for (double value : s.numbers)
      list += (list.empty() ? "" : ", ") + number(value);
    either("(" + number_of_value() + ") in (" + list + ")");
  }
  for (auto [wanted, word] : {std::pair{s.yes, "true"}, std::pair{s.no, "false"}}) {
    if (wanted)
      either(dialect_ == sql_dialect::sqlite ? "x.type = '" + std::string{word} + "'"
                                             : "x.v = '" + std::string{word} + "'::jsonb");
  }
  return out.empty() ? "1 = 0" : "(" + out + ")";
}

std::string query_writer::compares_to(std::string_view op, std::string_view value) {
  return "(" + is_string() + " and " + string_of_value() + " " + std::string{op} + " " + text(value) + ")";
}

std::string query_writer::compares_to(std::string_view op, double value) {
  return "(" + number_of_value() + ") " + std::string{op} + " " + number(value);
}

std::string query_writer::is_like(std::string_view pattern, bool fold_case) {
  std::string wanted = fold_case ? ascii_lower(pattern) : std::string{pattern};
  std::string value = fold_case ? "lower(" + string_of_value() + ")" : string_of_value();
  std::string test = dialect_ == sql_dialect::sqlite ? value + " glob " + text(to_glob(wanted))
                                                     : value + " like " + text(wanted) + " escape ''";
  return "(" + is_string() + " and " + test + ")";
}

std::string query_writer::order_of(const target& t, std::string_view direction) {
  std::string way = " " + std::string{direction};
  if (t.what == target::type::integer_column)
    return t.column + way;
  if (t.what == target::type::text_column)
    return t.column + (dialect_ == sql_dialect::sqlite ? "" : " collate \"C\"") + way;
  std::string rank;
  std::string amount;
  std::string words;
  if (dialect_ == sql_dialect::sqlite) {
    std::string path = text(json_path(t.path));
    std::string type = "json_type(" + t.column + ", " + path + ")";
    std::string value = "json_extract(" + t.column + ", " + path + ")";
    rank = "case when " + type + " in ('integer', 'real') then 0 when " + type +
           " in ('text', 'true', 'false') then 1 end";
    amount = "case when " + type + " in ('integer', 'real') then cast(" + value + " as real) end";
    words = "case " + type + " when 'text' then " + value + " when 'true' then 'true' when 'false' then 'false' end";
  } else {
    std::string value =
        "jsonb_path_query_first(" + t.column + ", " + text("strict " + json_path(t.path)) + "::jsonpath, '{}', true)";
    std::string type = "jsonb_typeof(" + value + ")";
    rank = "case when " + type + " = 'number' then 0 when " + type + " in ('string', 'boolean') then 1 end";
    amount = "case when " + type + " = 'number' then " + to_double("(" + value + ")::numeric") + " end";
    words = "(case when " + type + " in ('string', 'boolean') then " + value + " #>> '{}' end) collate \"C\"";
  }
  return "(" + rank + ") is null, " + rank + way + ", " + amount + way + ", " + words + way;
}

} // namespace fondaco::persistence::detail
