#include <algorithm>
#include <map>
#include <vector>

#include <libpq-fe.h>

#include "tools/bench/raw_journal.hpp"

namespace fondaco::bench {

namespace {

enum oid : uint32_t { oid_bytea = 17, oid_char = 18, oid_int8 = 20, oid_int2 = 21, oid_int4 = 23, oid_text = 25 };
enum array_oid : uint32_t {
  array_bytea = 1001,
  array_char = 1002,
  array_int2 = 1005,
  array_int4 = 1007,
  array_text = 1009,
  array_int8 = 1016,
};

constexpr const char* schema = R"sql(
create table shard(
  shard int primary key, epoch bigint not null, last_position bigint not null) with (fillfactor = 10);
create table journal(
  shard int not null, position bigint not null, entity bigint not null, seq bigint not null,
  type text not null, version int2 not null, format "char" not null, payload bytea not null,
  at bigint not null, cause text not null, chain bytea not null,
  primary key (shard, position),
  unique (entity, seq));
)sql";

constexpr const char* append = R"sql(
with s as (
  update shard h set last_position = h.last_position + u.events
  from unnest($1::int4[], $2::int8[]) u(shard, events) where h.shard = u.shard and h.epoch = 1
  returning h.shard, h.last_position - u.events as base)
insert into journal(shard, position, entity, seq, type, version, format, payload, at, cause, chain)
select u.shard, s.base + u.off, u.entity, u.seq, u.type, u.version, u.format, u.payload, u.at, u.cause, u.chain
from unnest($3::int4[], $4::int8[], $5::int8[], $6::int8[], $7::text[], $8::int2[], $9::"char"[], $10::bytea[],
            $11::int8[], $12::text[], $13::bytea[])
  u(shard, off, entity, seq, type, version, format, payload, at, cause, chain) join s on s.shard = u.shard)sql";

constexpr uint32_t parameter_types[] = {array_int4, array_int8, array_int4, array_int8, array_int8,
                                        array_int8, array_text, array_int2, array_char, array_bytea,
                                        array_int8, array_text, array_bytea};

void put(std::string& out, uint64_t v, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(v >> shift));
}

// A one-dimensional array without nulls in PostgreSQL's binary form.
class binary_array {
public:
  explicit binary_array(oid element) {
    for (const uint32_t word : {1u, 0u, uint32_t{element}, 0u, 1u})
      put(bytes_, word, 4);
  }
  void add(int64_t v, int width) {
    put(bytes_, static_cast<uint64_t>(width), 4);
    put(bytes_, static_cast<uint64_t>(v), width);
    ++size_;
  }
  void add(std::string_view v) {
    put(bytes_, v.size(), 4);
    bytes_.append(v);
    ++size_;
  }
  const std::string& finish() {
    std::string count;
    put(count, size_, 4);
    bytes_.replace(12, 4, count);
    return bytes_;
  }

private:
  std::string bytes_;
  uint32_t size_ = 0;
};

struct closer {
  void operator()(PGconn* c) const noexcept { PQfinish(c); }
  void operator()(PGresult* r) const noexcept { PQclear(r); }
};
using server = std::unique_ptr<PGconn, closer>;
using answer = std::unique_ptr<PGresult, closer>;

measured<server> connect(const std::string& url) {
  server c(PQconnectdb(url.c_str()));
  if (!c || PQstatus(c.get()) != CONNECTION_OK)
    return std::unexpected("PostgreSQL cannot be reached: " + std::string(c ? PQerrorMessage(c.get()) : "no memory"));
  PQsetNoticeProcessor(c.get(), [](void*, const char*) {}, nullptr);
  return c;
}

measured<answer> checked(const server& c, PGresult* given) {
  answer r(given);
  const auto status = PQresultStatus(r.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    return std::unexpected("PostgreSQL says: " + std::string(PQerrorMessage(c.get())));
  return r;
}

measured<void> run(const server& c, const std::string& script) {
  const auto done = checked(c, PQexec(c.get(), script.c_str()));
  if (!done)
    return std::unexpected(done.error());
  return {};
}

class raw_postgres final : public raw_journal {
public:
  explicit raw_postgres(server c) : connection_(std::move(c)) {}

  measured<void> prepare(uint32_t shards) {
    // As the product's writer: one plan by index, made once.
    auto ok = run(connection_, "set plan_cache_mode = force_generic_plan;");
    if (ok)
      ok = run(connection_, schema);
    if (ok)
      ok = run(connection_,
               "insert into shard select n, 1, 0 from generate_series(0, " + std::to_string(shards - 1) + ") n");
    if (!ok)
      return ok;
    const auto made = checked(
        connection_, PQprepare(connection_.get(), "append", append, std::size(parameter_types), parameter_types));
    if (!made)
      return std::unexpected(made.error());
    return {};
  }

  measured<void> commit(std::span<const raw_row> rows) override {
    std::map<shard_number, int64_t> counts;
    binary_array shard(oid_int4), offset(oid_int8), entity(oid_int8), seq(oid_int8), type(oid_text), version(oid_int2),
        format(oid_char), payload(oid_bytea), at(oid_int8), cause(oid_text), chain(oid_bytea);
    for (const auto& r : rows) {
      shard.add(r.shard, 4);
      offset.add(++counts[r.shard], 8);
      entity.add(r.entity, 8);
      seq.add(r.seq, 8);
      type.add(r.event->type);
      version.add(r.event->version, 2);
      format.add(r.event->format, 1);
      payload.add(r.event->payload);
      at.add(r.at, 8);
      cause.add(r.event->cause);
      chain.add(raw_chain);
    }
    binary_array heads(oid_int4), events(oid_int8);
    for (const auto& [number, n] : counts) {
      heads.add(number, 4);
      events.add(n, 8);
    }
    return execute(
        {&heads, &events, &shard, &offset, &entity, &seq, &type, &version, &format, &payload, &at, &cause, &chain},
        rows.size());
  }

private:
  measured<void> execute(std::vector<binary_array*> arrays, size_t rows) {
    std::vector<const char*> values;
    std::vector<int> lengths, formats(arrays.size(), 1);
    for (auto* a : arrays) {
      const auto& bytes = a->finish();
      values.push_back(bytes.data());
      lengths.push_back(static_cast<int>(bytes.size()));
    }
    const auto done = checked(connection_, PQexecPrepared(connection_.get(), "append", static_cast<int>(arrays.size()),
                                                          values.data(), lengths.data(), formats.data(), 1));
    if (!done)
      return std::unexpected(done.error());
    if (PQcmdTuples(done->get()) != std::to_string(rows))
      return std::unexpected("the reference did not insert all its rows");
    return {};
  }

  server connection_;
};

} // namespace

measured<std::unique_ptr<raw_journal>> open_raw_postgres(const std::string& url, uint32_t shards) {
  auto c = connect(url);
  if (!c)
    return std::unexpected(c.error());
  auto raw = std::make_unique<raw_postgres>(std::move(*c));
  if (auto ready = raw->prepare(shards); !ready)
    return std::unexpected(ready.error());
  return raw;
}

scratch_database::scratch_database(std::string server_url, std::string name)
    : server_url_(std::move(server_url)), name_(std::move(name)) {
  const auto query = std::min(server_url_.find('?'), server_url_.size());
  const auto path = std::min(server_url_.find('/', server_url_.find("://") + 3), query);
  url_ = server_url_.substr(0, path) + "/" + name_ + server_url_.substr(query);
}

measured<std::unique_ptr<scratch_database>> scratch_database::make(const std::string& server_url,
                                                                   const std::string& name) {
  if (!server_url.starts_with("postgresql://"))
    return std::unexpected("--postgres has to name a server: postgresql://...");
  const auto c = connect(server_url);
  if (!c)
    return std::unexpected(c.error());
  auto ok = run(*c, "drop database if exists " + name + " with (force)");
  if (ok)
    ok = run(*c, "create database " + name + " encoding 'UTF8' template template0");
  if (!ok)
    return std::unexpected(ok.error());
  return std::make_unique<scratch_database>(server_url, name);
}

scratch_database::~scratch_database() {
  if (const auto c = connect(server_url_))
    (void)run(*c, "drop database if exists " + name_ + " with (force)");
}

} // namespace fondaco::bench
