#include "persistence/copy.hpp"

#include "persistence/detail/copying.hpp"

namespace fondaco::persistence {

namespace {

constexpr auto integer = column_type::integer;
constexpr auto text = column_type::text;
constexpr auto bytes = column_type::bytes;

std::vector<column_type> types_of(const copied_table& t) {
  std::vector<column_type> out;
  for (const auto& c : t.columns)
    out.push_back(c.type);
  return out;
}

bool is_postgres(const store_options& o) {
  return o.url.starts_with("postgresql://") || o.url.starts_with("postgres://");
}

} // namespace

std::span<const copied_table> copied_tables() {
  static const std::vector<copied_table> tables{
      {"shard",
       {{"group", text}, {"shard", integer}, {"epoch", integer}, {"last_position", integer}},
       R"("group", shard)"},
      {"entity",
       {{"key", integer},
        {"tenant", text},
        {"kind", text},
        {"id", text},
        {"shard", integer},
        {"seq", integer},
        {"status", text},
        {"view", text},
        {"created_at", integer},
        {"updated_at", integer}},
       "key"},
      {"journal",
       {{"shard", integer},
        {"position", integer},
        {"entity", integer},
        {"seq", integer},
        {"type", text},
        {"version", integer},
        {"format", text},
        {"payload", bytes},
        {"at", integer},
        {"cause", text},
        {"chain", bytes}},
       "shard, position"},
      {"tenant_chain", {{"tenant", text}, {"shard", integer}, {"chain", bytes}}, "tenant, shard"},
      {"wake", {{"entity", integer}, {"shard", integer}, {"due", integer}}, "entity"},
      {"snapshot", {{"entity", integer}, {"seq", integer}, {"version", integer}, {"payload", bytes}}, "entity"},
      {"document",
       {{"tenant", text},
        {"kind", text},
        {"id", text},
        {"version", integer},
        {"body", text},
        {"created_at", integer},
        {"updated_at", integer}},
       "tenant, kind, id"},
      {"seen", {{"tenant", text}, {"id", text}, {"until", integer}}, "tenant, id"},
      {"name",
       {{"space", text}, {"name", text}, {"tenant", text}, {"kind", text}, {"id", text}, {"shard", integer}},
       "space, name"},
      {"checkpoint", {{"consumer", text}, {"shard", integer}, {"position", integer}}, "consumer, shard"},
      {"secret", {{"tenant", text}, {"name", text}, {"sealed", bytes}}, "tenant, name"},
  };
  return tables;
}

std::expected<void, fault> store_reader::read(const copied_table& t, const row_taker& take) {
  // A document's body is jsonb in one of the databases.
  std::string columns;
  for (const auto& c : t.columns) {
    const auto quoted = "\"" + std::string(c.name) + "\"";
    columns += (columns.empty() ? "" : ", ") + (c.name == "body" ? "cast(" + quoted + " as text)" : quoted);
  }
  const auto types = types_of(t);
  return read("select " + columns + " from " + std::string(t.name) + " order by " + std::string(t.order), types, take);
}

std::expected<std::unique_ptr<store_reader>, fault> open_reader(const store_options& options) {
  return is_postgres(options) ? open_postgres_reader(options) : open_sqlite_reader(options);
}

std::expected<std::unique_ptr<store_filler>, fault> open_filler(const store_options& options) {
  // The schema first, as a node makes it at its start.
  if (auto made = open_store(options); !made)
    return std::unexpected(std::move(made.error()));
  return is_postgres(options) ? open_postgres_filler(options) : open_sqlite_filler(options);
}

std::expected<void, fault> read_waiting(store_reader& store, const std::function<void(entity_row)>& take) {
  const std::vector<column_type> types{text, text, text, integer, integer, text, text, integer, integer, integer};
  return store.read(
      "select e.tenant, e.kind, e.id, e.shard, e.seq, e.status, e.view, e.created_at, e.updated_at, w.due "
      "from wake w join entity e on e.key = w.entity order by w.due",
      types, [&](auto row) -> std::expected<void, fault> {
        const auto words = [&](size_t i) { return std::get<std::string>(row[i]); };
        const auto number = [&](size_t i) { return std::get<int64_t>(row[i]); };
        take({{tenant(words(0)), words(1), words(2)},
              static_cast<shard_number>(number(3)),
              number(4),
              words(5),
              words(6),
              from_epoch_ms(number(7)),
              from_epoch_ms(number(8)),
              from_epoch_ms(number(9))});
        return {};
      });
}

namespace detail {

std::string column_list(const copied_table& t) {
  std::string out;
  for (const auto& c : t.columns)
    out.append(out.empty() ? "" : ", ").append("\"").append(c.name).append("\"");
  return out;
}

std::vector<cell> restored_row(const copied_table& t, std::span<const cell> row) {
  std::vector<cell> out(row.begin(), row.end());
  if (t.name == "shard")
    for (size_t i = 0; i < out.size(); ++i)
      if (t.columns[i].name == "epoch")
        std::get<int64_t>(out[i]) += limits::restored_epochs;
  return out;
}

std::string occupied_query() {
  std::string sql;
  for (const auto& t : copied_tables())
    sql.append(sql.empty() ? "select count(*) from (" : " union all ")
        .append("select * from (select 1 as one from ")
        .append(t.name)
        .append(" limit 1) as ")
        .append("t_")
        .append(t.name);
  return sql + ") as occupied";
}

fault not_empty() {
  return {"store_not_empty", "the store holds something already: give one that is new and empty", cure::fix_input};
}

fault wrong_schema(int64_t version) {
  return {"schema_differs",
          "the store has schema version " + std::to_string(version) + ", this program works with version " +
              std::to_string(schema_version()) + ": run `fondaco migrate`, or the program that made it",
          cure::fix_input};
}

} // namespace detail
} // namespace fondaco::persistence
