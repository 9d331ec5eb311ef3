#include "tools/fondaco/private_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fondaco::tools {

namespace {

constexpr size_t buffer_bytes = 1u << 20;

} // namespace

std::expected<private_file, fault> private_file::create(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::exists(path, unknown))
    return std::unexpected(
        fault{"file_exists", "the file '" + path + "' exists; give a name that is free", cure::fix_input});
  private_file f(path, -1);
  // What an interrupted run left under this name is nobody's.
  ::unlink(f.part().c_str());
  f.fd_ = ::open(f.part().c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (f.fd_ < 0)
    return std::unexpected(f.failed("made"));
  return f;
}

private_file::private_file(private_file&& other) noexcept
    : path_(std::move(other.path_)), waiting_(std::move(other.waiting_)), fd_(std::exchange(other.fd_, -1)) {}

private_file::~private_file() {
  if (fd_ < 0)
    return;
  ::close(fd_);
  ::unlink(part().c_str());
}

fault private_file::failed(const char* what) const {
  return {"file_unwritable", "the file '" + path_ + "' cannot be " + what + ": " + std::strerror(errno),
          cure::fix_input};
}

std::expected<void, fault> private_file::flush() {
  size_t written = 0;
  while (written < waiting_.size()) {
    const auto n = ::write(fd_, waiting_.data() + written, waiting_.size() - written);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return std::unexpected(failed("written"));
    written += static_cast<size_t>(n);
  }
  waiting_.clear();
  return {};
}

std::expected<void, fault> private_file::write(std::string_view text) {
  waiting_.append(text);
  if (waiting_.size() < buffer_bytes)
    return {};
  return flush();
}

std::expected<void, fault> private_file::finish() {
  if (auto flushed = flush(); !flushed)
    return flushed;
  if (::fsync(fd_) != 0)
    return std::unexpected(failed("written"));
  // A link does not replace what is there, as a rename would.
  if (::link(part().c_str(), path_.c_str()) != 0)
    return std::unexpected(failed("given its name"));
  ::unlink(part().c_str());
  ::close(std::exchange(fd_, -1));
  const auto folder = std::filesystem::absolute(path_).parent_path();
  if (const int at = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); at >= 0) {
    ::fsync(at);
    ::close(at);
  }
  return {};
}

std::expected<void, fault> write_private_file(const std::string& path, std::string_view text) {
  auto file = private_file::create(path);
  if (!file)
    return std::unexpected(std::move(file.error()));
  if (auto written = file->write(text); !written)
    return written;
  return file->finish();
}

} // namespace fondaco::tools
