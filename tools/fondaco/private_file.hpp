#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <unistd.h>

#include "protocols/base/fault.hpp"

namespace fondaco::tools {

/// A new file that only its owner can read. It appears under its name once it is whole and on disk; a file of that name
/// is never overwritten.
class private_file {
public:
  /// Begins it beside its name; a fault if the name is taken or the folder cannot be written.
  static std::expected<private_file, fault> create(const std::string& path);
  private_file(private_file&& other) noexcept;
  private_file& operator=(private_file&&) = delete;
  ~private_file();
  /// Adds text.
  std::expected<void, fault> write(std::string_view text);
  /// Makes it durable under its name.
  std::expected<void, fault> finish();

private:
  private_file(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string part() const { return path_ + "." + std::to_string(::getpid()) + ".part"; }
  fault failed(const char* what) const;
  std::expected<void, fault> flush();

  std::string path_;
  std::string waiting_;
  int fd_;
};

/// A whole file at once.
std::expected<void, fault> write_private_file(const std::string& path, std::string_view text);

} // namespace fondaco::tools
