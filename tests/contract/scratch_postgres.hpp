#pragma once

#include <atomic>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "persistence/detail/secret_table.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/documents.hpp"
#include "persistence/postgres/migrate.hpp"

namespace fondaco::contract {

/// A database of its own on the server that FONDACO_TEST_POSTGRES names, its rows written by hand; dropped in the end.
class scratch_postgres {
public:
  scratch_postgres() : name_(make_name()), server_(open(server_url())) {
    run_on(server_, "create database " + name_ + " encoding 'UTF8' template template0");
    connection_.emplace(open(options().url));
    auto ready = persistence::postgres::migrate(*connection_);
    REQUIRE(ready);
  }
  scratch_postgres(const scratch_postgres&) = delete;
  scratch_postgres& operator=(const scratch_postgres&) = delete;
  ~scratch_postgres() {
    connection_.reset();
    (void)server_.run("drop database if exists " + name_ + " with (force)");
  }

  persistence::store_options options() const {
    std::string url = server_url();
    size_t path = url.find('/', url.find("://") + 3);
    size_t query = std::min(url.find('?'), url.size());
    std::string rest = url.substr(query);
    return {.url = url.substr(0, std::min(path, query)) + "/" + name_ + rest, .readers = 2};
  }
  std::unique_ptr<persistence::document_store> documents() { return persistence::make_postgres_documents(options()); }
  std::unique_ptr<persistence::detail::secret_table> secrets() {
    auto made = persistence::detail::make_postgres_secrets(options());
    REQUIRE(made);
    return std::move(*made);
  }

  void add_document(const persistence::entity_key& key, const std::string& body, int64_t created_ms) {
    persistence::postgres::parameters p;
    p.add(key.owner.id()).add(key.kind).add(key.id).add(body).add(created_ms).add(created_ms + 1);
    auto written = connection_->execute("insert into document(tenant, kind, id, version, body, created_at, updated_at) "
                                        "values($1, $2, $3, 1, $4::text::jsonb, $5, $6)",
                                        p);
    REQUIRE(written);
  }

  void add_entity(const persistence::entity_row& row) {
    persistence::postgres::parameters p;
    p.add(row.key.owner.id()).add(row.key.kind).add(row.key.id).add_int4(row.shard).add(row.seq);
    p.add(row.status).add(row.view).add(to_epoch_ms(row.created_at)).add(to_epoch_ms(row.updated_at));
    REQUIRE(
        connection_->execute("insert into entity(tenant, kind, id, shard, seq, status, view, created_at, updated_at) "
                             "values($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                             p));
    if (!row.wake)
      return;
    persistence::postgres::parameters w;
    w.add_int4(row.shard).add(to_epoch_ms(*row.wake));
    REQUIRE(connection_->execute("insert into wake(entity, shard, due) select max(key), $1, $2 from entity", w));
  }

  /// Every row of every table as text, bytes both in clear and in hexadecimal.
  std::string contents() {
    auto tables = connection_->execute("select quote_ident(tablename) from pg_tables where schemaname = 'public'", {});
    REQUIRE(tables);
    std::string all;
    for (int t = 0; t < tables->rows(); ++t) {
      auto rows = connection_->execute("select r::text from " + std::string{tables->text(t, 0)} + " r", {});
      REQUIRE(rows);
      for (int i = 0; i < rows->rows(); ++i)
        all.append(rows->text(i, 0)) += '\n';
    }
    auto sealed = connection_->execute("select sealed from secret", {});
    REQUIRE(sealed);
    for (int i = 0; i < sealed->rows(); ++i)
      all.append(sealed->text(i, 0)) += '\n';
    return all;
  }

  void run(const std::string& script) { run_on(*connection_, script); }

private:
  static std::string server_url() {
    const char* url = std::getenv("FONDACO_TEST_POSTGRES");
    REQUIRE_MESSAGE(url, "FONDACO_TEST_POSTGRES has to name a scratch server: postgresql://...");
    return url;
  }
  static std::string make_name() {
    static std::atomic<int> serial{0};
    return "fondaco_contract_" + std::to_string(::getpid()) + "_" + std::to_string(++serial);
  }
  static persistence::postgres::connection open(const std::string& url) {
    auto opened = persistence::postgres::connection::open({url});
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
    return std::move(*opened);
  }
  static void run_on(persistence::postgres::connection& c, const std::string& script) {
    auto done = c.run(script);
    REQUIRE_MESSAGE(done, (done ? "" : done.error().detail));
  }

  std::string name_;
  persistence::postgres::connection server_;
  std::optional<persistence::postgres::connection> connection_;
};

} // namespace fondaco::contract
