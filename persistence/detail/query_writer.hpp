#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/query.hpp"

namespace fondaco::persistence::detail {

/// What a path stands for: a column of the row, or the values that it reaches in the row's JSON.
struct target {
  enum class type : uint8_t { json, text_column, integer_column };
  type what = type::json;
  /// The column that holds the value, or the JSON.
  std::string column;
  std::vector<std::string> path;
};

/// The scalars of an operand, apart by type.
struct scalars {
  std::vector<std::string> strings;
  std::vector<double> numbers;
  bool yes = false;
  bool no = false;
};

/// Writes a statement's pieces in one dialect and collects its parameters. Every piece that tests values is an
/// expression over `x`: on SQLite a row of `json_each`, on PostgreSQL a row with the jsonb column `v`.
class query_writer {
public:
  explicit query_writer(sql_dialect dialect) : dialect_(dialect) {}

  /// The placeholder of a text parameter.
  std::string text(std::string_view value);
  /// The placeholder of an integer parameter.
  std::string integer(int64_t value);
  /// The placeholder of a double parameter.
  std::string number(double value);

  /// The FROM clause that gives the values that the target reaches.
  std::string values_of(const target& t);
  /// The FROM clause that gives the elements of the arrays that the target reaches.
  std::string elements_of(const target& t);

  /// True for a value that is not null.
  std::string is_present() const;
  /// True for a value that equals one of the scalars.
  std::string equals_any(const scalars& s);
  /// True for a value that stands in this order to a string.
  std::string compares_to(std::string_view op, std::string_view value);
  /// True for a value that stands in this order to a number.
  std::string compares_to(std::string_view op, double value);
  /// True for a string that matches a pattern of `%` and `_`.
  std::string is_like(std::string_view pattern, bool fold_case);

  /// The ORDER BY terms of a target, with its missing values last.
  std::string order_of(const target& t, std::string_view direction);

  /// The statement with this text and the parameters so far.
  sql_statement finish(std::string text) && { return {std::move(text), std::move(parameters_)}; }

private:
  std::string placeholder();
  std::string step(const target& t, std::string_view prefix, bool last_elements_only);
  std::string number_of_value() const;
  std::string string_of_value() const;
  std::string is_string() const;

  sql_dialect dialect_;
  std::vector<sql_parameter> parameters_;
};

} // namespace fondaco::persistence::detail
