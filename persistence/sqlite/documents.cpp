#include "persistence/sqlite/documents.hpp"

#include <utility>

#include "persistence/query.hpp"
#include "persistence/sqlite/connection.hpp"

namespace fondaco::persistence {
namespace {

using sqlite::connection;
using sqlite::connection_pool;
using sqlite::statement;

query_error error_of(const sqlite::failure& f) {
  return {query_errc::unavailable,
          "the database did not answer the query (SQLite code " + std::to_string(f.code) + ")"};
}

entity_key key_of(const statement& row) {
  return {tenant{std::string{row.text(0)}}, std::string{row.text(1)}, std::string{row.text(2)}};
}

document read_document(const statement& row) {
  return {key_of(row), row.integer(3), std::string{row.text(4)}, from_epoch_ms(row.integer(5)),
          from_epoch_ms(row.integer(6))};
}

entity_row read_entity(const statement& row) {
  entity_row out{key_of(row),
                 static_cast<shard_number>(row.integer(3)),
                 row.integer(4),
                 std::string{row.text(5)},
                 std::string{row.text(6)},
                 from_epoch_ms(row.integer(7)),
                 from_epoch_ms(row.integer(8)),
                 std::nullopt};
  if (!row.is_null(9))
    out.wake = from_epoch_ms(row.integer(9));
  return out;
}

class sqlite_documents final : public document_store {
public:
  explicit sqlite_documents(const store_options& options)
      : readers_([url = options.url] { return connection::open(url, sqlite::open_mode::read_only); }, options.readers),
        time_max_(options.statement_timeout_ms) {}

  std::expected<std::optional<document>, query_error> get(const entity_key& key) override {
    auto rows = read(document_statement(sql_dialect::sqlite, key), read_document);
    if (!rows)
      return std::unexpected(std::move(rows.error()));
    if (rows->empty())
      return std::nullopt;
    return std::move(rows->front());
  }

  std::expected<std::vector<document>, query_error> query(const tenant& owner, std::string_view kind,
                                                          const query_spec& spec) override {
    auto sql = compile_query(sql_dialect::sqlite, query_source::documents, owner, kind, spec);
    if (!sql)
      return std::unexpected(std::move(sql.error()));
    return read(*sql, read_document);
  }

  std::expected<std::vector<entity_row>, query_error> query_entities(const tenant& owner, std::string_view kind,
                                                                     const query_spec& spec) override {
    auto sql = compile_query(sql_dialect::sqlite, query_source::entities, owner, kind, spec);
    if (!sql)
      return std::unexpected(std::move(sql.error()));
    return read(*sql, read_entity);
  }

  std::expected<std::vector<entity_row>, query_error> list_entities(std::string_view kind, size_t offset,
                                                                    size_t limit) override {
    return read(list_statement(sql_dialect::sqlite, kind, offset, limit), read_entity);
  }

  std::expected<std::vector<entity_row>, query_error> find_entities(std::string_view id) override {
    return read(find_statement(sql_dialect::sqlite, id), read_entity);
  }

private:
  template <class Row>
  std::expected<std::vector<Row>, query_error> read(const sql_statement& sql, Row (*read_row)(const statement&)) {
    auto lent = readers_.acquire();
    if (!lent)
      return std::unexpected(error_of(lent.error()));
    (*lent)->limit_time(time_max_);
    auto s = (*lent)->prepare(sql.text);
    for (const auto& parameter : sql.parameters) {
      if (const auto* number = std::get_if<int64_t>(&parameter))
        s.bind(*number);
      else
        s.bind(std::string_view{std::get<std::string>(parameter)});
    }
    std::vector<Row> rows;
    for (;;) {
      auto more = s.step();
      if (!more)
        return std::unexpected(error_of(more.error()));
      if (!*more)
        return rows;
      rows.push_back(read_row(s));
    }
  }

  connection_pool readers_;
  milliseconds time_max_;
};

} // namespace

std::unique_ptr<document_store> make_sqlite_documents(const store_options& options) {
  return std::make_unique<sqlite_documents>(options);
}

} // namespace fondaco::persistence
