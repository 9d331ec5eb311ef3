#include "protocols/base/time.hpp"

#include <algorithm>

namespace fondaco {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr timepoint first_moment = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
constexpr timepoint last_moment = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - milliseconds{1};

/// Eats fixed parts from the front of a text; the first part that does not fit spoils all.
class reader {
public:
  explicit reader(std::string_view text) : rest_(text) {}

  int digits(size_t count) {
    int number = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!next_is_digit()) {
        ok_ = false;
        return 0;
      }
      number = number * 10 + (take() - '0');
    }
    return number;
  }
  void one_of(std::string_view allowed) {
    ok_ = ok_ && !rest_.empty() && allowed.contains(rest_.front());
    if (ok_)
      take();
  }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool next_is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void spoil() { ok_ = false; }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

private:
  std::string_view rest_;
  bool ok_ = true;
};

milliseconds read_fraction(reader& in) {
  if (!in.next_is('.'))
    return {};
  in.take();
  if (!in.next_is_digit())
    in.spoil();
  int ms = 0;
  for (int weight = 100; in.next_is_digit(); weight /= 10)
    ms += (in.take() - '0') * weight;
  return milliseconds{ms};
}

minutes read_offset(reader& in) {
  if (in.next_is('Z') || in.next_is('z')) {
    in.take();
    return {};
  }
  const bool west = in.next_is('-');
  in.one_of("+-");
  const int hour = in.digits(2);
  in.one_of(":");
  const int minute = in.digits(2);
  if (hour > 23 || minute > 59)
    in.spoil();
  const auto offset = hours{hour} + minutes{minute};
  return west ? -offset : offset;
}

/// A leap second ends June or December in UTC, so the moment after it starts July or January.
bool follows_leap_second(timepoint t) {
  const auto day = std::chrono::floor<days>(t);
  const std::chrono::year_month_day date{day};
  const bool half_year =
      date.day() == std::chrono::day{1} && (date.month() == std::chrono::January || date.month() == std::chrono::July);
  return half_year && t - day < seconds{1};
}

void append_padded(std::string& out, unsigned number, size_t width) {
  const std::string digits = std::to_string(number);
  out.append(width - std::min(width, digits.size()), '0');
  out += digits;
}

} // namespace

std::string to_rfc3339(timepoint t) {
  t = std::clamp(t, first_moment, last_moment);
  const auto day = std::chrono::floor<days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss<milliseconds> time{t - day};
  std::string out;
  out.reserve(24);
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_padded(out, static_cast<unsigned>(time.hours().count()), 2);
  out += ':';
  append_padded(out, static_cast<unsigned>(time.minutes().count()), 2);
  out += ':';
  append_padded(out, static_cast<unsigned>(time.seconds().count()), 2);
  if (time.subseconds().count() != 0) {
    out += '.';
    append_padded(out, static_cast<unsigned>(time.subseconds().count()), 3);
  }
  out += 'Z';
  return out;
}

std::optional<timepoint> parse_rfc3339(std::string_view text) {
  reader in(text);
  const int year = in.digits(4);
  in.one_of("-");
  const int month = in.digits(2);
  in.one_of("-");
  const int day = in.digits(2);
  in.one_of("Tt");
  const int hour = in.digits(2);
  in.one_of(":");
  const int minute = in.digits(2);
  in.one_of(":");
  const int second = in.digits(2);
  const auto fraction = read_fraction(in);
  const auto offset = read_offset(in);
  if (!in.done())
    return std::nullopt;
  const auto date = std::chrono::year{year} / month / day;
  if (!date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const timepoint t = std::chrono::sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + fraction - offset;
  if (second == 60 && !follows_leap_second(t))
    return std::nullopt;
  if (t < first_moment || t > last_moment)
    return std::nullopt;
  return t;
}

} // namespace fondaco
