#include <optional>

#include "persistence/detail/copying.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/migrate.hpp"
#include "persistence/schema.hpp"

namespace fondaco::persistence {

namespace {

using postgres::connection;
using postgres::parameters;

/// Between two steps of a copy its transaction is idle as long as the reader of its rows takes.
std::expected<connection, fault> open_patient(const store_options& options) {
  auto c = connection::open({options.url, limits::copy_step_timeout, false});
  if (!c)
    return std::unexpected(postgres::fault_of(c.error()));
  if (auto set = c->run("set idle_in_transaction_session_timeout = 0"); !set)
    return std::unexpected(postgres::fault_of(set.error()));
  return std::move(*c);
}

cell cell_at(const postgres::result& rows, int row, int column, column_type type) {
  if (rows.is_null(row, column))
    return std::monostate{};
  if (type == column_type::integer)
    return rows.integer(row, column);
  return std::string(rows.text(row, column));
}

class postgres_reader final : public store_reader {
public:
  explicit postgres_reader(connection c) : connection_(std::move(c)) {}

  std::expected<void, fault> begin() {
    auto begun = postgres::transaction::begin(connection_);
    if (!begun)
      return std::unexpected(postgres::fault_of(begun.error()));
    work_.emplace(std::move(*begun));
    if (auto set = connection_.run("set transaction isolation level repeatable read, read only"); !set)
      return std::unexpected(postgres::fault_of(set.error()));
    auto version = connection_.read("select coalesce(max(version), 0)::bigint from schema_version", {});
    if (!version)
      return std::unexpected(postgres::fault_of(version.error()));
    if (version->integer(0, 0) != schema_version())
      return std::unexpected(detail::wrong_schema(version->integer(0, 0)));
    return {};
  }

  std::expected<void, fault> read(const std::string& sql, std::span<const column_type> types,
                                  const row_taker& take) override {
    // Each cursor has a name of its own: a statement stays prepared, and another one's rows have other columns.
    const auto cursor = "copied_" + std::to_string(++cursors_);
    if (auto declared = connection_.run("declare " + cursor + " no scroll cursor for " + sql); !declared)
      return std::unexpected(postgres::fault_of(declared.error()));
    const auto fetch = "fetch " + std::to_string(limits::copy_rows_per_step) + " from " + cursor;
    std::vector<cell> row(types.size());
    for (int got = limits::copy_rows_per_step; got == limits::copy_rows_per_step;) {
      auto rows = connection_.read(fetch, {});
      if (!rows)
        return std::unexpected(postgres::fault_of(rows.error()));
      got = rows->rows();
      for (int r = 0; r < got; ++r) {
        for (size_t i = 0; i < types.size(); ++i)
          row[i] = cell_at(*rows, r, static_cast<int>(i), types[i]);
        if (auto taken = take(row); !taken)
          return taken;
      }
    }
    if (auto closed = connection_.run("close " + cursor); !closed)
      return std::unexpected(postgres::fault_of(closed.error()));
    return {};
  }

private:
  connection connection_;
  std::optional<postgres::transaction> work_;
  int cursors_ = 0;
};

/// The type that a column has in this database, for a parameter.
std::string_view cast_of(const copied_table& t, const column& c) {
  if (t.name == "document" && c.name == "body")
    return "jsonb";
  if (c.name == "format")
    return "\"char\"";
  if (c.name == "shard")
    return "int";
  if (c.name == "version" && (t.name == "journal" || t.name == "snapshot"))
    return "int2";
  switch (c.type) {
  case column_type::integer: return "bigint";
  case column_type::text: return "text";
  case column_type::bytes: return "bytea";
  }
  return "text";
}

parameters parameters_of(const copied_table& t, std::span<const cell> row) {
  parameters p;
  for (size_t i = 0; i < row.size(); ++i) {
    const auto type = t.columns[i].type;
    if (std::holds_alternative<std::monostate>(row[i]))
      p.add_null(type == column_type::integer ? postgres::type::int8
                 : type == column_type::bytes ? postgres::type::bytea
                                              : postgres::type::text);
    else if (const auto* number = std::get_if<int64_t>(&row[i]))
      p.add(*number);
    else if (type == column_type::bytes)
      p.add_bytes(std::get<std::string>(row[i]));
    else
      p.add(std::string_view(std::get<std::string>(row[i])));
  }
  return p;
}

class postgres_filler final : public store_filler {
public:
  explicit postgres_filler(connection c) : connection_(std::move(c)) {}

  std::expected<void, fault> begin() {
    auto begun = postgres::transaction::begin(connection_);
    if (!begun)
      return std::unexpected(postgres::fault_of(begun.error()));
    work_.emplace(std::move(*begun));
    // Nobody else fills it, or starts on it, before this is over.
    std::string all;
    for (const auto& t : copied_tables())
      all.append(all.empty() ? "" : ", ").append(t.name);
    if (auto locked = connection_.run("lock table " + all + " in exclusive mode"); !locked)
      return std::unexpected(postgres::fault_of(locked.error()));
    auto occupied = connection_.read(detail::occupied_query(), {});
    if (!occupied)
      return std::unexpected(postgres::fault_of(occupied.error()));
    if (occupied->integer(0, 0) > 0)
      return std::unexpected(detail::not_empty());
    return {};
  }

  std::expected<void, fault> add(const copied_table& t, std::span<const cell> row) override {
    std::string marks;
    for (size_t i = 0; i < t.columns.size(); ++i)
      marks.append(i == 0 ? "$" : ", $")
          .append(std::to_string(i + 1))
          .append("::")
          .append(t.columns[i].type == column_type::integer ? "bigint::" : "")
          .append(cast_of(t, t.columns[i]));
    const auto sql = "insert into " + std::string(t.name) + "(" + detail::column_list(t) + ") values (" + marks + ")";
    if (auto done = connection_.execute(sql, parameters_of(t, detail::restored_row(t, row))); !done)
      return std::unexpected(postgres::fault_of(done.error()));
    return {};
  }

  std::expected<void, fault> finish() override {
    // New entities get keys from blocks after the ones that are taken.
    const auto block = std::to_string(limits::entity_keys_block);
    const auto next = "select setval(pg_get_serial_sequence('entity', 'key'), (coalesce(max(key), 0) / " + block +
                      " + 1) * " + block + " + 1, false) from entity";
    if (auto set = connection_.run(next); !set)
      return std::unexpected(postgres::fault_of(set.error()));
    if (auto done = work_->commit(); !done)
      return std::unexpected(postgres::fault_of(done.error()));
    return {};
  }

private:
  connection connection_;
  std::optional<postgres::transaction> work_;
};

} // namespace

std::expected<std::unique_ptr<store_reader>, fault> open_postgres_reader(const store_options& options) {
  auto c = open_patient(options);
  if (!c)
    return std::unexpected(std::move(c.error()));
  auto reader = std::make_unique<postgres_reader>(std::move(*c));
  if (auto begun = reader->begin(); !begun)
    return std::unexpected(std::move(begun.error()));
  return reader;
}

std::expected<std::unique_ptr<store_filler>, fault> open_postgres_filler(const store_options& options) {
  auto c = open_patient(options);
  if (!c)
    return std::unexpected(std::move(c.error()));
  auto filler = std::make_unique<postgres_filler>(std::move(*c));
  if (auto begun = filler->begin(); !begun)
    return std::unexpected(std::move(begun.error()));
  return filler;
}

} // namespace fondaco::persistence
