#include "persistence/postgres/documents.hpp"

#include <utility>

#include "persistence/detail/append_check.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/query.hpp"

namespace fondaco::persistence {
namespace {

using detail::is_storable_text;
using postgres::connection;
using postgres::connection_pool;
using postgres::result;

query_error error_of(const postgres::failure& f) {
  return {query_errc::unavailable, "the database did not answer the query" +
                                       (f.sqlstate.empty() ? std::string{} : " (SQLSTATE " + f.sqlstate + ")")};
}

entity_key key_of(const result& r, int row) {
  return {tenant{std::string{r.text(row, 0)}}, std::string{r.text(row, 1)}, std::string{r.text(row, 2)}};
}

document read_document(const result& r, int row) {
  return {key_of(r, row), r.integer(row, 3), std::string{r.text(row, 4)}, from_epoch_ms(r.integer(row, 5)),
          from_epoch_ms(r.integer(row, 6))};
}

entity_row read_entity(const result& r, int row) {
  entity_row out{key_of(r, row),
                 static_cast<shard_number>(r.integer(row, 3)),
                 r.integer(row, 4),
                 std::string{r.text(row, 5)},
                 std::string{r.text(row, 6)},
                 from_epoch_ms(r.integer(row, 7)),
                 from_epoch_ms(r.integer(row, 8)),
                 std::nullopt};
  if (!r.is_null(row, 9))
    out.wake = from_epoch_ms(r.integer(row, 9));
  return out;
}

class postgres_documents final : public document_store {
public:
  explicit postgres_documents(const store_options& options)
      : readers_(
            [settings = postgres::connection_settings{options.url, options.statement_timeout_ms}] {
              return connection::open(settings);
            },
            options.readers) {}

  std::expected<std::optional<document>, query_error> get(const entity_key& key) override {
    if (!is_storable_text(key.owner.id()) || !is_storable_text(key.kind) || !is_storable_text(key.id))
      return std::nullopt;
    auto rows = read(document_statement(sql_dialect::postgres, key), read_document);
    if (!rows)
      return std::unexpected(std::move(rows.error()));
    if (rows->empty())
      return std::nullopt;
    return std::move(rows->front());
  }

  std::expected<std::vector<document>, query_error> query(const tenant& owner, std::string_view kind,
                                                          const query_spec& spec) override {
    auto sql = compile_query(sql_dialect::postgres, query_source::documents, owner, kind, spec);
    if (!sql)
      return std::unexpected(std::move(sql.error()));
    if (!is_storable_text(owner.id()) || !is_storable_text(kind))
      return std::vector<document>{};
    return read(*sql, read_document);
  }

  std::expected<std::vector<entity_row>, query_error> query_entities(const tenant& owner, std::string_view kind,
                                                                     const query_spec& spec) override {
    auto sql = compile_query(sql_dialect::postgres, query_source::entities, owner, kind, spec);
    if (!sql)
      return std::unexpected(std::move(sql.error()));
    if (!is_storable_text(owner.id()) || !is_storable_text(kind))
      return std::vector<entity_row>{};
    return read(*sql, read_entity);
  }

  std::expected<std::vector<entity_row>, query_error> list_entities(std::string_view kind, size_t offset,
                                                                    size_t limit) override {
    if (!is_storable_text(kind))
      return std::vector<entity_row>{};
    return read(list_statement(sql_dialect::postgres, kind, offset, limit), read_entity);
  }

  std::expected<std::vector<entity_row>, query_error> find_entities(std::string_view id) override {
    if (!is_storable_text(id))
      return std::vector<entity_row>{};
    return read(find_statement(sql_dialect::postgres, id), read_entity);
  }

private:
  template <class Row>
  std::expected<std::vector<Row>, query_error> read(const sql_statement& sql, Row (*read_row)(const result&, int)) {
    postgres::parameters parameters;
    for (const auto& parameter : sql.parameters) {
      if (const auto* number = std::get_if<int64_t>(&parameter))
        parameters.add(*number);
      else
        parameters.add(std::string_view{std::get<std::string>(parameter)});
    }
    auto lent = readers_.acquire();
    if (!lent)
      return std::unexpected(error_of(lent.error()));
    auto answer = (*lent)->read(sql.text, parameters);
    if (!answer)
      return std::unexpected(error_of(answer.error()));
    std::vector<Row> rows;
    rows.reserve(static_cast<size_t>(answer->rows()));
    for (int row = 0; row < answer->rows(); ++row)
      rows.push_back(read_row(*answer, row));
    return rows;
  }

  connection_pool readers_;
};

} // namespace

std::unique_ptr<document_store> make_postgres_documents(const store_options& options) {
  return std::make_unique<postgres_documents>(options);
}

} // namespace fondaco::persistence
