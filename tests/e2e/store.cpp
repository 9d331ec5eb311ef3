#include "e2e/store.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "e2e/process.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

class sqlite_store final : public store {
public:
  explicit sqlite_store(std::string folder) : folder_(std::move(folder)) {}
  std::string url() const override { return folder_ + "/fondaco.db"; }
  std::string contents() const override {
    std::string all;
    for (const char* suffix : {"", "-wal", "-shm", "-journal"})
      if (std::filesystem::exists(url() + suffix))
        all += read_file(url() + suffix);
    return all;
  }
  void run(const std::string& sql) const override {
    auto done = run_program({"sqlite3", "-batch", url(), sql});
    check(done.code == 0, "sqlite3: " + done.err);
  }

private:
  std::string folder_;
};

std::string server_url() {
  const char* url = std::getenv("FONDACO_TEST_POSTGRES");
  check(url != nullptr, "FONDACO_TEST_POSTGRES has to name a scratch server: postgresql://...");
  return url;
}

std::string with_database(std::string url, const std::string& name) {
  auto query = std::min(url.find('?'), url.size());
  auto path = std::min(url.find('/', url.find("://") + 3), query);
  return url.substr(0, path) + "/" + name + url.substr(query);
}

std::string psql(const std::string& url, const std::vector<std::string>& more) {
  std::vector<std::string> words{"psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url};
  words.insert(words.end(), more.begin(), more.end());
  auto done = run_program(words);
  check(done.code == 0, "psql: " + done.err);
  return done.out;
}

class postgres_store final : public store {
public:
  postgres_store() : name_(make_name()), url_(with_database(server_url(), name_)) {
    psql(server_url(), {"-c", "create database " + name_ + " encoding 'UTF8' template template0"});
  }
  ~postgres_store() override {
    try {
      psql(server_url(), {"-c", "drop database if exists " + name_ + " with (force)"});
    } catch (const failed&) {
      // the server is a scratch one: what stays goes with it
    }
  }
  std::string url() const override { return url_; }
  std::string contents() const override {
    auto queries = psql(url_, {"-c", "select format('select t::text from %I.%I t', schemaname, tablename) from "
                                     "pg_tables where schemaname not in ('pg_catalog', 'information_schema')"});
    std::string all;
    while (!queries.empty()) {
      auto end = queries.find('\n');
      all += psql(url_, {"-c", queries.substr(0, end)});
      queries.erase(0, end == std::string::npos ? end : end + 1);
    }
    return all;
  }
  void run(const std::string& sql) const override { psql(url_, {"-c", sql}); }

private:
  static std::string make_name() {
    static std::atomic<int> serial{0};
    return "fondaco_e2e_" + std::to_string(::getpid()) + "_" + std::to_string(++serial);
  }

  std::string name_;
  std::string url_;
};

} // namespace

std::unique_ptr<store> make_store(store_kind kind, const std::string& folder) {
  if (kind == store_kind::postgres)
    return std::make_unique<postgres_store>();
  return std::make_unique<sqlite_store>(folder);
}

} // namespace fondaco::e2e
