#include "agent/base/time.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr std::int64_t kMaxDuration = std::int64_t{100} * 366 * 24 * 3600 * 1'000'000;
constexpr double kMaxEpoch = 253402300799.0;  // 9999-12-31T23:59:59Z
constexpr Wall kYear10000{std::chrono::seconds(253402300800)};

struct Unit {
  std::string_view name;
  std::int64_t micros;
};
constexpr std::array<Unit, 7> kUnits{{{"d", 86'400'000'000},
                                      {"h", 3'600'000'000},
                                      {"m", 60'000'000},
                                      {"s", 1'000'000},
                                      {"ms", 1'000},
                                      {"us", 1},
                                      {"min", 60'000'000}}};

std::optional<std::int64_t> unit_micros(std::string_view name) {
  for (const Unit& u : kUnits)
    if (u.name == name) return u.micros;
  return std::nullopt;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

// Reads fixed-width fields off the front of a text; any failure sticks.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}
  int number(std::size_t width) {
    int value = 0;
    if (rest_.size() < width) return spoil();
    for (char c : rest_.substr(0, width)) {
      if (!digit(c)) return spoil();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }
  char any_of(std::string_view chars) {
    if (rest_.empty() || chars.find(rest_.front()) == std::string_view::npos) {
      good_ = false;
      return '\0';
    }
    char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  Duration fraction() {
    if (rest_.empty() || rest_.front() != '.') return {};
    rest_.remove_prefix(1);
    if (rest_.empty() || !digit(rest_.front())) spoil();
    std::int64_t micros = 0;
    for (std::int64_t scale = 100'000; !rest_.empty() && digit(rest_.front()); scale /= 10) {
      micros += scale * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return Duration(micros);
  }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }
  [[nodiscard]] bool good() const { return good_; }

 private:
  int spoil() {
    good_ = false;
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

std::chrono::minutes offset(Fields& f) {
  char sign = f.any_of("Zz+-");
  if (sign == 'Z' || sign == 'z' || !f.good()) return {};
  int hours = f.number(2);
  f.any_of(":");
  int minutes = f.number(2);
  if (hours > 23 || minutes > 59) f.any_of("");
  std::chrono::minutes total{hours * 60 + minutes};
  return sign == '-' ? -total : total;
}

// By hand, since a result has one on each of its ways.
void put_digits(std::string& out, std::size_t at, std::size_t count, unsigned value) {
  for (; count > 0; value /= 10) out[at + --count] = static_cast<char>('0' + value % 10);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  auto bad = [&] {
    return fail(Errc::invalid,
                quoted(text) + " is no duration (such as \"90s\", \"15m\", \"24h\")");
  };
  if (text == "0") return Duration{};
  if (text.empty()) return bad();
  double total = 0;
  while (!text.empty()) {
    std::size_t n = text.find_first_not_of("0123456789.");
    if (n == 0 || n == std::string_view::npos) return bad();
    auto value = parse_number(text.substr(0, n));
    std::size_t end = text.find_first_of("0123456789.", n);
    auto micros = unit_micros(text.substr(n, end == std::string_view::npos ? end : end - n));
    if (!value || !micros) return bad();
    total += *value * static_cast<double>(*micros);
    if (total > static_cast<double>(kMaxDuration)) return bad();
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  return Duration(std::llround(total));
}

std::string format_duration(Duration d) {
  if (d.count() <= 0) return "0s";
  std::string out;
  std::int64_t left = d.count();
  for (std::size_t i = 0; i < 6; ++i) {
    if (left < kUnits[i].micros) continue;
    out += fmt::format("{}{}", left / kUnits[i].micros, kUnits[i].name);
    left %= kUnits[i].micros;
  }
  return out;
}

Result<Wall> parse_rfc3339(std::string_view text) {
  Fields f(text);
  int year = f.number(4);
  f.any_of("-");
  int month = f.number(2);
  f.any_of("-");
  int day = f.number(2);
  f.any_of("Tt ");
  int hour = f.number(2);
  f.any_of(":");
  int minute = f.number(2);
  f.any_of(":");
  int second = f.number(2);
  Duration fraction = f.fraction();
  std::chrono::minutes zone = offset(f);
  std::chrono::year_month_day date{std::chrono::year(year),
                                   std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  Wall t{};
  bool good = f.done() && date.ok() && hour <= 23 && minute <= 59 && second <= 60;
  if (good)
    t = Wall(sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
        std::chrono::seconds(second) + fraction - zone;
  if (!good || t < Wall{} || t >= kYear10000)
    return fail(Errc::invalid,
                quoted(text) + " is no RFC 3339 time (such as 2026-01-05T10:15:00Z)");
  return t;
}

std::string format_rfc3339(Wall t) {
  const auto day = std::chrono::floor<days>(t);
  const std::chrono::year_month_day date{day};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t - day).count();
  const int year = static_cast<int>(date.year());
  std::string out = "0000-00-00T00:00:00.000Z";
  put_digits(out, 5, 2, static_cast<unsigned>(date.month()));
  put_digits(out, 8, 2, static_cast<unsigned>(date.day()));
  put_digits(out, 11, 2, static_cast<unsigned>(ms / 3'600'000));
  put_digits(out, 14, 2, static_cast<unsigned>(ms / 60'000 % 60));
  put_digits(out, 17, 2, static_cast<unsigned>(ms / 1000 % 60));
  put_digits(out, 20, 3, static_cast<unsigned>(ms % 1000));
  if (year < 0 || year > 9999) return out.replace(0, 4, fmt::format("{:04}", year));
  put_digits(out, 0, 4, static_cast<unsigned>(year));
  return out;
}

Result<Wall> wall_from_epoch(double seconds) {
  if (!(seconds >= 0 && seconds <= kMaxEpoch))
    return fail(Errc::invalid, fmt::format("{} is no epoch time in seconds", seconds));
  return Wall(Duration(std::llround(seconds * 1e6)));
}

}  // namespace checkrelay
