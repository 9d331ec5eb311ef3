#pragma once

#include <atomic>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "persistence/postgres/connection.hpp"

namespace fondaco::contract {

/// A schema of its own in the PostgreSQL server at FONDACO_TEST_POSTGRES, dropped with the test.
class postgres_schema {
public:
  postgres_schema() {
    static std::atomic<int> serial{0};
    const char* server = std::getenv("FONDACO_TEST_POSTGRES");
    REQUIRE_MESSAGE(server, "FONDACO_TEST_POSTGRES must be the postgresql:// URL of a scratch server's superuser");
    server_ = server;
    name_ = "fondaco_" + std::to_string(::getpid()) + "_" + std::to_string(++serial);
    run("create schema " + name_);
  }
  postgres_schema(const postgres_schema&) = delete;
  postgres_schema& operator=(const postgres_schema&) = delete;
  ~postgres_schema() {
    if (auto c = persistence::postgres::connection::open({server_}))
      (void)c->run("drop schema " + name_ + " cascade");
  }

  /// The schema's name.
  const std::string& name() const noexcept { return name_; }

  /// The URL of a connection whose tables are in this schema.
  std::string url() const {
    return server_ + (server_.find('?') == std::string::npos ? "?" : "&") + "options=-csearch_path%3D" + name_;
  }

private:
  void run(const std::string& sql) {
    auto c = persistence::postgres::connection::open({server_});
    REQUIRE_MESSAGE(c.has_value(), (c ? "" : c.error().detail));
    REQUIRE(c->run(sql).has_value());
  }

  std::string server_;
  std::string name_;
};

} // namespace fondaco::contract
