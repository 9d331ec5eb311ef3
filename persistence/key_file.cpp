#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include "persistence/embedded_vault.hpp"
#include "persistence/store.hpp"

namespace fondaco::persistence {
namespace {

constexpr size_t key_digits = 2 * detail::key_bytes;
constexpr size_t key_file_bytes_max = key_digits + 2; // with the end of its line

std::unexpected<fault> refuse(std::string detail) {
  return std::unexpected(fault{"bad_key", std::move(detail), cure::fix_input});
}

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

std::optional<std::string> key_of(std::string_view digits) {
  for (char end_of_line : {'\n', '\r'})
    if (digits.ends_with(end_of_line))
      digits.remove_suffix(1);
  if (digits.size() != key_digits)
    return std::nullopt;
  std::string key;
  key.reserve(detail::key_bytes);
  for (size_t i = 0; i < digits.size(); i += 2) {
    int high = digit_of(digits[i]);
    int low = digit_of(digits[i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    key += static_cast<char>(high << 4 | low);
  }
  return key;
}

class descriptor {
public:
  explicit descriptor(int number) : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  int number() const { return number_; }

private:
  int number_;
};

std::expected<void, fault> check_rights(const std::string& path, const struct stat& about) {
  if (!S_ISREG(about.st_mode))
    return refuse("the key file " + path + " is not a regular file");
  if (about.st_uid != ::geteuid() && about.st_uid != 0)
    return refuse("the key file " + path + " belongs to another user; it has to be yours or root's");
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return refuse("the key file " + path + " is open to its group or to others: chmod 600 " + path);
  return {};
}

} // namespace

std::expected<std::string, fault> load_key_file(const std::string& path) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (file.number() < 0)
    return refuse("the key file " + path + " cannot be read: " + std::strerror(errno));
  struct stat about{};
  if (::fstat(file.number(), &about) != 0)
    return refuse("the key file " + path + " cannot be examined: " + std::strerror(errno));
  if (auto safe = check_rights(path, about); !safe)
    return std::unexpected(std::move(safe.error()));
  std::string text(key_file_bytes_max + 1, '\0');
  size_t length = 0;
  while (length < text.size()) {
    ssize_t got = ::read(file.number(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return refuse("the key file " + path + " cannot be read: " + std::strerror(errno));
    if (got == 0)
      break;
    length += static_cast<size_t>(got);
  }
  auto key = key_of(std::string_view{text}.substr(0, length));
  OPENSSL_cleanse(text.data(), text.size());
  if (!key)
    return refuse("the key file " + path + " has to hold 64 hexadecimal digits: openssl rand -hex 32 makes them");
  return std::move(*key);
}

std::expected<std::string, fault> load_key_environment(const std::string& variable) {
  const char* text = std::getenv(variable.c_str());
  if (!text)
    return refuse("the environment variable " + variable + " is not set; it has to hold 64 hexadecimal digits");
  auto key = key_of(text);
  if (!key)
    return refuse("the environment variable " + variable +
                  " has to hold 64 hexadecimal digits: openssl rand -hex 32 makes them");
  return std::move(*key);
}

std::expected<std::unique_ptr<vault>, fault> open_vault(const store_options& options, std::string key_encryption_key) {
  detail::secret_bytes key{std::move(key_encryption_key)};
  if (options.url.empty())
    return std::unexpected(fault{"bad_url", "the vault's url is empty: give the store's", cure::fix_input});
  bool postgres = options.url.starts_with("postgresql://") || options.url.starts_with("postgres://");
  auto table = postgres ? detail::make_postgres_secrets(options) : detail::make_sqlite_secrets(options);
  if (!table)
    return std::unexpected(std::move(table.error()));
  return embedded_vault::open_over(std::move(*table), std::move(key));
}

} // namespace fondaco::persistence
