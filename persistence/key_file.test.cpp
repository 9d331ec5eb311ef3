#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "persistence/store.hpp"

namespace fondaco::persistence {
namespace {

const std::string digits = "000102030405060708090a0B0C0d0e0f101112131415161718191a1b1c1d1e1f";

std::string expected_key() {
  std::string key;
  for (char c = 0; c < 32; ++c)
    key += c;
  return key;
}

/// A folder with one file that may be a key.
struct key_folder {
  std::filesystem::path folder;
  key_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "fondaco-key-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
  }
  ~key_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::string write(const std::string& text, mode_t mode = 0600) const {
    std::string path = (folder / "key").string();
    std::filesystem::remove(path);
    std::ofstream{path} << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
  }
};

std::string refusal(const std::expected<std::string, fault>& key) {
  if (key)
    return "";
  CHECK(key.error().code == "bad_key");
  CHECK(key.error().detail.find("0a0B0C") == std::string::npos);
  return key.error().detail;
}

TEST_CASE("a key file of 64 hexadecimal digits that only its owner can read is loaded") {
  key_folder k;
  for (const char* end : {"", "\n", "\r\n"}) {
    CHECK(load_key_file(k.write(digits + end)) == expected_key());
    CHECK(load_key_file(k.write(digits + end, 0400)) == expected_key());
  }
}

TEST_CASE("a key file that others can reach is refused with the command that mends it") {
  key_folder k;
  for (mode_t mode : {0640, 0604, 0644, 0660, 0620, 0602, 0610, 0601, 0777}) {
    auto path = k.write(digits, mode);
    CHECK(refusal(load_key_file(path)).find("chmod 600 " + path) != std::string::npos);
  }
}

TEST_CASE("a key that is not exactly 64 hexadecimal digits is refused without being shown") {
  key_folder k;
  for (const std::string& text :
       {std::string{}, digits.substr(1), digits + "0", digits + " ", " " + digits.substr(1), digits.substr(0, 63) + "g",
        digits + "\n\n\n", std::string(1 << 20, '0'), "0x" + digits.substr(2)}) {
    CHECK(refusal(load_key_file(k.write(text))).find("64 hexadecimal digits") != std::string::npos);
    REQUIRE(::setenv("FONDACO_TEST_KEY", text.substr(0, 1000).c_str(), 1) == 0);
    CHECK(refusal(load_key_environment("FONDACO_TEST_KEY")).find("64 hexadecimal digits") != std::string::npos);
  }
  REQUIRE(::setenv("FONDACO_TEST_KEY", digits.c_str(), 1) == 0);
  CHECK(load_key_environment("FONDACO_TEST_KEY") == expected_key());
  REQUIRE(::unsetenv("FONDACO_TEST_KEY") == 0);
  CHECK(refusal(load_key_environment("FONDACO_TEST_KEY")).find("is not set") != std::string::npos);
}

TEST_CASE("what is no regular file, or somebody else's, is no key file") {
  key_folder k;
  CHECK(refusal(load_key_file((k.folder / "absent").string())).find("cannot be read") != std::string::npos);
  CHECK(refusal(load_key_file(k.folder.string())).find("regular file") != std::string::npos);
  auto pipe = (k.folder / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(refusal(load_key_file(pipe)).find("regular file") != std::string::npos);
  if (::geteuid() == 0) { // only root can give a file away
    auto path = k.write(digits);
    REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
    CHECK(refusal(load_key_file(path)).find("another user") != std::string::npos);
  }
}

} // namespace
} // namespace fondaco::persistence
