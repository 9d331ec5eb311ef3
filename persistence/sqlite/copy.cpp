#include <optional>

#include "persistence/detail/copying.hpp"
#include "persistence/sqlite/connection.hpp"
#include "persistence/sqlite/migrate.hpp"

namespace fondaco::persistence {

namespace {

using sqlite::connection;
using sqlite::open_mode;

cell cell_at(const sqlite::statement& row, int column, column_type type) {
  if (row.is_null(column))
    return std::monostate{};
  if (type == column_type::integer)
    return row.integer(column);
  return std::string(type == column_type::text ? row.text(column) : row.blob(column));
}

class sqlite_reader final : public store_reader {
public:
  explicit sqlite_reader(connection c) : connection_(std::move(c)) {}
  ~sqlite_reader() override { (void)connection_.run("rollback"); }

  // The first read of the transaction fixes what all of them see.
  std::expected<void, fault> begin() {
    if (auto begun = connection_.run("begin"); !begun)
      return std::unexpected(sqlite::fault_of(begun.error()));
    auto version = connection_.prepare("select coalesce(max(version), 0) from schema_version");
    if (auto there = version.step(); !there)
      return std::unexpected(sqlite::fault_of(there.error()));
    if (version.integer(0) != schema_version())
      return std::unexpected(detail::wrong_schema(version.integer(0)));
    return {};
  }

  std::expected<void, fault> read(const std::string& sql, std::span<const column_type> types,
                                  const row_taker& take) override {
    auto rows = connection_.prepare(sql);
    std::vector<cell> row(types.size());
    for (;;) {
      const auto there = rows.step();
      if (!there)
        return std::unexpected(sqlite::fault_of(there.error()));
      if (!*there)
        return {};
      for (size_t i = 0; i < types.size(); ++i)
        row[i] = cell_at(rows, static_cast<int>(i), types[i]);
      if (auto taken = take(row); !taken)
        return taken;
    }
  }

private:
  connection connection_;
};

class sqlite_filler final : public store_filler {
public:
  explicit sqlite_filler(connection c) : connection_(std::move(c)) {}

  std::expected<void, fault> begin() {
    auto begun = sqlite::transaction::begin(connection_);
    if (!begun)
      return std::unexpected(sqlite::fault_of(begun.error()));
    work_.emplace(std::move(*begun));
    auto occupied = connection_.prepare(detail::occupied_query());
    if (auto there = occupied.step(); !there)
      return std::unexpected(sqlite::fault_of(there.error()));
    if (occupied.integer(0) > 0)
      return std::unexpected(detail::not_empty());
    return {};
  }

  std::expected<void, fault> add(const copied_table& t, std::span<const cell> row) override {
    std::string marks;
    for (size_t i = 0; i < t.columns.size(); ++i)
      marks += i == 0 ? "?" : ", ?";
    auto insert = connection_.prepare("insert into " + std::string(t.name) + "(" + detail::column_list(t) +
                                      ") values (" + marks + ")");
    const auto values = detail::restored_row(t, row);
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::holds_alternative<std::monostate>(values[i]))
        insert.bind_null();
      else if (const auto* number = std::get_if<int64_t>(&values[i]))
        insert.bind(*number);
      else if (t.columns[i].type == column_type::bytes)
        insert.bind_blob(std::get<std::string>(values[i]));
      else
        insert.bind(std::string_view(std::get<std::string>(values[i])));
    }
    if (auto done = insert.run(); !done)
      return std::unexpected(sqlite::fault_of(done.error()));
    return {};
  }

  std::expected<void, fault> finish() override {
    if (auto done = work_->commit(); !done)
      return std::unexpected(sqlite::fault_of(done.error()));
    return {};
  }

private:
  connection connection_;
  std::optional<sqlite::transaction> work_;
};

} // namespace

std::expected<std::unique_ptr<store_reader>, fault> open_sqlite_reader(const store_options& options) {
  auto c = connection::open(options.url, open_mode::read_only);
  if (!c)
    return std::unexpected(sqlite::fault_of(c.error()));
  auto reader = std::make_unique<sqlite_reader>(std::move(*c));
  if (auto begun = reader->begin(); !begun)
    return std::unexpected(std::move(begun.error()));
  return reader;
}

std::expected<std::unique_ptr<store_filler>, fault> open_sqlite_filler(const store_options& options) {
  auto c = connection::open(options.url);
  if (!c)
    return std::unexpected(sqlite::fault_of(c.error()));
  auto filler = std::make_unique<sqlite_filler>(std::move(*c));
  if (auto begun = filler->begin(); !begun)
    return std::unexpected(std::move(begun.error()));
  return filler;
}

} // namespace fondaco::persistence
