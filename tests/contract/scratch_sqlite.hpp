#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "persistence/detail/secret_table.hpp"
#include "persistence/sqlite/connection.hpp"
#include "persistence/sqlite/documents.hpp"
#include "persistence/sqlite/migrate.hpp"

namespace fondaco::contract {

/// A SQLite file of its own in a folder that dies with it, its rows written by hand.
class scratch_sqlite {
public:
  scratch_sqlite() : folder_(make_folder()), connection_(open(options().url)) {
    auto ready = persistence::sqlite::migrate(connection_);
    REQUIRE(ready);
  }
  scratch_sqlite(const scratch_sqlite&) = delete;
  scratch_sqlite& operator=(const scratch_sqlite&) = delete;
  ~scratch_sqlite() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  persistence::store_options options() const { return {.url = (folder_ / "scratch.db").string(), .readers = 2}; }
  std::unique_ptr<persistence::document_store> documents() { return persistence::make_sqlite_documents(options()); }
  std::unique_ptr<persistence::detail::secret_table> secrets() {
    auto made = persistence::detail::make_sqlite_secrets(options());
    REQUIRE(made);
    return std::move(*made);
  }

  void add_document(const persistence::entity_key& key, const std::string& body, int64_t created_ms) {
    auto s = connection_.prepare("insert into document(tenant, kind, id, version, body, created_at, updated_at) "
                                 "values(?1, ?2, ?3, 1, ?4, ?5, ?6)");
    s.bind(key.owner.id()).bind(key.kind).bind(key.id).bind(body).bind(created_ms).bind(created_ms + 1);
    auto written = s.run();
    REQUIRE(written);
  }

  void add_entity(const persistence::entity_row& row) {
    auto s =
        connection_.prepare("insert into entity(tenant, kind, id, shard, seq, status, view, created_at, updated_at) "
                            "values(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    s.bind(row.key.owner.id()).bind(row.key.kind).bind(row.key.id).bind(int64_t{row.shard}).bind(row.seq);
    s.bind(row.status).bind(row.view).bind(to_epoch_ms(row.created_at)).bind(to_epoch_ms(row.updated_at));
    REQUIRE(s.run());
    if (!row.wake)
      return;
    auto w = connection_.prepare("insert into wake(entity, shard, due) select max(key), ?1, ?2 from entity");
    REQUIRE(w.bind(int64_t{row.shard}).bind(to_epoch_ms(*row.wake)).run());
  }

  /// Every byte that the database has on disk.
  std::string contents() {
    std::string all;
    for (const auto& file : std::filesystem::directory_iterator{folder_}) {
      std::ifstream in{file.path(), std::ios::binary};
      all.append(std::istreambuf_iterator<char>{in}, {});
    }
    return all;
  }

  void run(const std::string& script) { REQUIRE(connection_.run(script)); }

private:
  static std::filesystem::path make_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "fondaco-contract-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    return pattern;
  }
  static persistence::sqlite::connection open(const std::string& url) {
    auto opened = persistence::sqlite::connection::open(url);
    REQUIRE(opened);
    return std::move(*opened);
  }

  std::filesystem::path folder_;
  persistence::sqlite::connection connection_;
};

} // namespace fondaco::contract
