#include "actors/ports/log.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <mutex>

#include <unistd.h>

#include "protocols/base/time.hpp"

namespace fondaco {

namespace {

/// The longest line, in bytes; what does not fit is cut and the line says so.
constexpr size_t log_line_bytes_max = 16u << 10;
/// The longest message or field value, in bytes as written.
constexpr size_t log_value_bytes_max = 4u << 10;

std::atomic<severity> lowest_level{severity::info};
std::mutex sink_mutex;
std::function<void(const log_line&)> redirected;

std::string_view name_of(severity s) {
  constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
  return names[static_cast<size_t>(s)];
}

std::string_view name_of(log_category c) {
  constexpr std::array<std::string_view, 5> names{"application", "audit", "dsp", "dps", "dcp"};
  return names[static_cast<size_t>(c)];
}

/// The length of the well-formed UTF-8 sequence at the front, 0 if there is none.
size_t sequence_length(std::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto lead = byte(0);
  const size_t n = lead < 0x80                   ? 1
                   : lead >= 0xc2 && lead < 0xe0 ? 2
                   : lead >= 0xe0 && lead < 0xf0 ? 3
                   : lead >= 0xf0 && lead < 0xf5 ? 4
                                                 : 0;
  if (n == 0 || s.size() < n)
    return 0;
  for (size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool surrogate_or_beyond = (lead == 0xed && byte(1) > 0x9f) || (lead == 0xf4 && byte(1) > 0x8f);
  return overlong || surrogate_or_beyond ? 0 : n;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
  case '"': out += "\\\""; return;
  case '\\': out += "\\\\"; return;
  case '\n': out += "\\n"; return;
  case '\r': out += "\\r"; return;
  case '\t': out += "\\t"; return;
  default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte == 0x7f) {
    out += "\\u00";
    out += hex[byte >> 4];
    out += hex[byte & 0x0f];
  } else {
    out += c;
  }
}

void append_string(std::string& out, std::string_view s) {
  out += '"';
  const auto begin = out.size();
  while (!s.empty() && out.size() - begin < log_value_bytes_max) {
    const auto n = sequence_length(s);
    if (n == 0)
      out += "\xef\xbf\xbd"; // U+FFFD: what came from outside may be any bytes, the line stays valid JSON
    else if (n == 1)
      append_escaped(out, s[0]);
    else
      out += s.substr(0, n);
    s.remove_prefix(n == 0 ? 1 : n);
  }
  out += s.empty() ? "\"" : "...\"";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += out.empty() ? '{' : ',';
  append_string(out, name);
  out += ':';
  append_string(out, value);
}

/// One write() a line, so that lines of several threads and processes do not mix.
void write_to_stderr(std::string_view line) {
  while (!line.empty()) {
    const auto n = ::write(STDERR_FILENO, line.data(), line.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return; // there is nowhere left to complain to
    line.remove_prefix(static_cast<size_t>(n));
  }
}

} // namespace

std::string render_log(const log_line& line, std::string_view rfc3339_time) {
  constexpr std::string_view cut_mark = R"(,"truncated":"true"})";
  std::string out;
  append_field(out, "time", rfc3339_time);
  append_field(out, "severity", name_of(line.level));
  append_field(out, "component", line.component);
  append_field(out, "category", name_of(line.category));
  append_field(out, "message", line.message);
  for (const auto& [name, value] : line.fields) {
    if (value.empty())
      continue;
    const auto before = out.size();
    append_field(out, name, value);
    if (out.size() + cut_mark.size() > log_line_bytes_max) {
      out.resize(before);
      out += cut_mark;
      return out;
    }
  }
  out += '}';
  return out;
}

void write_log(log_line line) {
  if (line.level < lowest_level.load(std::memory_order_relaxed))
    return;
  {
    const std::lock_guard lock(sink_mutex);
    if (redirected) {
      redirected(line);
      return;
    }
  }
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  write_to_stderr(render_log(line, to_rfc3339(now)) + '\n');
}

void redirect_log(std::function<void(const log_line&)> sink) {
  const std::lock_guard lock(sink_mutex);
  redirected = std::move(sink);
}

void set_log_level(severity lowest) { lowest_level.store(lowest, std::memory_order_relaxed); }

} // namespace fondaco
