#include "tools/fondaco/backup_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace fondaco;
using namespace fondaco::tools;

namespace {

/// A store of one row a table, without a database.
class one_row final : public persistence::store_reader {
public:
  std::expected<void, fault> read(const std::string&, std::span<const persistence::column_type> types,
                                  const persistence::row_taker& take) override {
    std::vector<persistence::cell> row;
    for (const auto t : types) {
      if (t == persistence::column_type::integer)
        row.emplace_back(int64_t{7});
      else
        row.emplace_back(std::string(t == persistence::column_type::bytes ? std::string("\0\xff\n", 3) : "ü\n\"'"));
    }
    return take(row);
  }
};

struct scratch {
  scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "fondaco-backup-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
  }
  ~scratch() { std::filesystem::remove_all(folder); }
  std::string file() const { return (folder / "backup").string(); }
  std::string text() const {
    std::ifstream in(file(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  void write(const std::string& changed) const { std::ofstream(file(), std::ios::binary) << changed; }
  std::filesystem::path folder;
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

} // namespace

TEST_CASE("what was written to a backup is read from it, and only its owner can read the file") {
  scratch s;
  one_row store;
  const auto written = write_backup(store, from_epoch_ms(1'800'000'000'000), s.file());
  REQUIRE_MESSAGE(written.has_value(), (written ? "" : written.error().detail));
  CHECK((std::filesystem::status(s.file()).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  size_t rows = 0;
  const auto read = read_backup(s.file(), [&](const auto& t, auto row) -> std::expected<void, fault> {
    ++rows;
    for (size_t i = 0; i < row.size(); ++i)
      if (t.columns[i].type == persistence::column_type::bytes)
        CHECK(std::get<std::string>(row[i]) == std::string("\0\xff\n", 3));
    return {};
  });
  REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().detail));
  CHECK(rows == persistence::copied_tables().size());
  CHECK(read->rows == written->rows);
  CHECK(read->schema == persistence::schema_version());
  const auto again = write_backup(store, from_epoch_ms(0), s.file());
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == "file_exists");
}

TEST_CASE("a backup that is not whole, was changed or is of another format is refused") {
  scratch s;
  one_row store;
  REQUIRE(write_backup(store, from_epoch_ms(0), s.file()));
  const auto good = s.text();
  const auto refused = [&](const std::string& text) {
    s.write(text);
    const auto read = read_backup(s.file(), {});
    return read ? std::string("taken") : read.error().code;
  };
  CHECK(refused(good) == "taken");
  CHECK(refused("") == "bad_backup");
  CHECK(refused(good.substr(0, good.size() / 2)) == "bad_backup");
  CHECK(refused(good.substr(0, good.rfind('{'))) == "bad_backup");
  CHECK(refused(good + "more") == "bad_backup");
  CHECK(refused(replaced(good, "7,", "8,")) == "bad_backup");
  CHECK(refused(replaced(good, "[7,", "[\"7\",")) == "bad_backup");
  CHECK(refused(replaced(good, "fondaco-backup", "other")) == "bad_backup");
  CHECK(refused(replaced(good, "\"version\":1,\"schema\"", "\"version\":2,\"schema\"")) == "backup_newer");
  CHECK(refused(replaced(good, "\"schema\":", "\"schema\":9")) == "schema_differs");
  CHECK(refused(replaced(good, "\"table\":\"entity\"", "\"table\":\"wake\"")) == "bad_backup");
  std::filesystem::remove(s.file());
  CHECK(read_backup(s.file(), {}).error().code == "bad_backup");
}
