// The texts that say when an outage begins and ends.
#include <algorithm>
#include <array>
#include <optional>

#include "agent/base/text.h"
#include "agent/policy/window.h"

namespace checkrelay {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> kWeekdays{"mon", "tue", "wed", "thu",
                                                    "fri", "sat", "sun"};
constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};

// Where a word that begins like one of `names` stands among them.
template <std::size_t N>
std::optional<int> index_of(const std::array<std::string_view, N>& names, std::string_view word) {
  const std::string wanted = lower(word.substr(0, 3));
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == wanted) return static_cast<int>(i);
  return std::nullopt;
}

// At least `least` digits and at most two.
std::optional<int> two_digits(std::string_view text, std::size_t least, int low, int high) {
  if (text.size() < least || text.size() > 2) return std::nullopt;
  for (char c : text)
    if (c < '0' || c > '9') return std::nullopt;
  auto number = parse_integer(text, low, high);
  return number ? std::optional<int>(static_cast<int>(*number)) : std::nullopt;
}

// HH:MM[:SS], up to 24:00:00.
std::optional<seconds> clock(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  auto hour = two_digits(parts[0], 1, 0, 24);
  auto minute = two_digits(parts[1], 2, 0, 59);
  auto second = parts.size() == 3 ? two_digits(parts[2], 2, 0, 59) : std::optional<int>(0);
  if (!hour || !minute || !second) return std::nullopt;
  const seconds sum = hours(*hour) + minutes(*minute) + seconds(*second);
  return sum <= hours(24) ? std::optional<seconds>(sum) : std::nullopt;
}

std::optional<int> day_of(Frequency f, std::string_view word) {
  if (f == Frequency::weekly) {
    for (char c : word)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return std::nullopt;
    return index_of(kWeekdays, word);
  }
  auto number = parse_integer(word, -31, 31);
  if (!number) return std::nullopt;
  return *number == 0 ? 1 : static_cast<int>(*number);
}

std::string_view shape(Frequency f) {
  if (f == Frequency::daily) return "HH:MM[:SS]";
  return f == Frequency::weekly ? "WEEKDAY HH:MM[:SS]" : "DAY HH:MM[:SS], DAY 1 to 31 or -1 to -31";
}

std::optional<CivilDay> date_of(int year_number, int month_number, int day_number) {
  const year_month_day date(year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number)));
  if (!date.ok() || year_number < 1970) return std::nullopt;
  return CivilDay(date);
}

std::optional<int> year_of(std::string_view text) {
  if (text.size() != 4) return std::nullopt;
  auto number = parse_integer(text, 1970, 9999);
  return number ? std::optional<int>(static_cast<int>(*number)) : std::nullopt;
}

// "2026-03-01"
std::optional<CivilDay> iso_date(std::string_view text) {
  const auto parts = split(text, '-');
  if (parts.size() != 3) return std::nullopt;
  auto y = year_of(parts[0]);
  auto m = two_digits(parts[1], 2, 1, 12), d = two_digits(parts[2], 2, 1, 31);
  return y && m && d ? date_of(*y, *m, *d) : std::nullopt;
}

// "11-May-2023"
std::optional<CivilDay> named_date(std::string_view text) {
  const auto parts = split(text, '-');
  if (parts.size() != 3) return std::nullopt;
  auto d = two_digits(parts[0], 1, 1, 31);
  auto m = parts[1].size() == 3 ? index_of(kMonths, parts[1]) : std::nullopt;
  auto y = year_of(parts[2]);
  return y && m && d ? date_of(*y, *m + 1, *d) : std::nullopt;
}

struct Offset {
  bool given = false;
  seconds east{0};
};

// "", "Z", "+HH", "+HHMM", "+HH:MM"
std::optional<Offset> offset(std::string_view text) {
  if (text.empty()) return Offset{};
  if (text == "Z" || text == "z") return Offset{true, seconds(0)};
  std::string digits;
  for (char c : text.substr(1))
    if (c != ':') digits += c;
  if (text.size() == 6 && text[3] != ':') return std::nullopt;
  if (digits.size() != 2 && digits.size() != 4) return std::nullopt;
  auto h = two_digits(std::string_view(digits).substr(0, 2), 2, 0, 23);
  auto m = digits.size() == 4 ? two_digits(std::string_view(digits).substr(2), 2, 0, 59)
                              : std::optional<int>(0);
  if (!h || !m) return std::nullopt;
  const seconds east = hours(*h) + minutes(*m);
  return Offset{true, text[0] == '-' ? -east : east};
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Fractions of a second are read and left out.
std::optional<seconds> clock_with_fraction(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot != std::string_view::npos && !all_digits(text.substr(dot + 1))) return std::nullopt;
  return clock(text.substr(0, dot));
}

std::optional<Wall> dated(std::string_view text, const Zone& zone, Edge edge) {
  const std::size_t gap = text.find_first_of("Tt ");
  if (gap == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(gap + 1);
  const std::size_t end = std::min(rest.find_first_of("Zz+-"), rest.size());
  auto day = iso_date(text.substr(0, gap));
  if (!day) day = named_date(text.substr(0, gap));
  auto time = clock_with_fraction(rest.substr(0, end));
  auto shift = offset(rest.substr(end));
  if (!day || !time || !shift) return std::nullopt;
  const Civil civil = *day + *time;
  if (!shift->given) return edge == Edge::end ? zone.second(civil) : zone.first(civil);
  return Wall(civil.time_since_epoch() - shift->east);
}

}  // namespace

Result<Moment> parse_moment(Frequency f, std::string_view text) {
  std::string_view rest = trimmed(text);
  Moment m;
  if (f != Frequency::daily) {
    const std::size_t gap = std::min(rest.find_first_of(" \t"), rest.size());
    auto day = day_of(f, rest.substr(0, gap));
    if (!day) return fail(Errc::invalid, quoted(text) + " is not " + std::string(shape(f)));
    m.day = *day;
    rest = trimmed(rest.substr(gap));
  }
  auto time = clock(rest);
  if (!time) return fail(Errc::invalid, quoted(text) + " is not " + std::string(shape(f)));
  m.of_day = *time;
  return m;
}

Result<Wall> parse_outage_time(std::string_view text, const Zone& zone, Edge edge) {
  const std::string_view word = trimmed(text);
  if (auto number = word.find_first_not_of("0123456789.") == std::string_view::npos
                        ? parse_number(word)
                        : std::nullopt) {
    if (auto wall = wall_from_epoch(*number)) return *wall;
  }
  auto wall = dated(word, zone, edge);
  if (wall && *wall >= Wall{}) return *wall;
  return fail(Errc::invalid,
              quoted(text) + " is no time: epoch seconds, or 2026-03-01T22:00:00+01:00");
}

}  // namespace checkrelay
