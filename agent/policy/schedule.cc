#include "agent/policy/schedule.h"

#include <algorithm>
#include <bit>

#include "agent/base/text.h"
#include "agent/policy/schedule_text.h"

namespace checkrelay {
namespace {

using namespace std::chrono;

// Bit sets, asked for the nearest member from `at` on, upwards or downwards; -1 = none.
int up(std::uint64_t set, int at) {
  if (at > 63) return -1;
  const std::uint64_t rest = set & (~std::uint64_t{0} << at);
  return rest ? std::countr_zero(rest) : -1;
}

int down(std::uint64_t set, int at) {
  if (at < 0) return -1;
  const std::uint64_t rest = set & (~std::uint64_t{0} >> (63 - at));
  return rest ? 63 - std::countl_zero(rest) : -1;
}

// ---- one month ----

// The days of a month that one weekday falls on.
std::uint32_t all_of(unsigned weekday, unsigned first_weekday) {
  constexpr std::uint32_t kWeekly = 1U | 1U << 7 | 1U << 14 | 1U << 21 | 1U << 28;
  return kWeekly << ((weekday + 7 - first_weekday) % 7);
}

std::uint32_t weekday_days(const CalendarFields& f, unsigned first_weekday, unsigned length) {
  const std::uint32_t month = (1U << (length - 1) << 1) - 1;
  std::uint32_t found = 0;
  for (unsigned weekday = 0; weekday < 7; ++weekday) {
    const std::uint32_t days = all_of(weekday, first_weekday) & month;
    std::uint32_t rest = days;
    for (const std::uint8_t nth : f.weekdays) {
      const std::uint32_t lowest = rest & (~rest + 1);
      if (nth >> weekday & 1U) found |= lowest;
      rest &= ~lowest;
    }
    if (f.last_weekdays >> weekday & 1U) found |= std::bit_floor(days);
  }
  return found;
}

std::uint32_t month_days(const CalendarFields& f, unsigned length) {
  std::uint32_t found = f.days & ((1U << (length - 1) << 1) - 1);
  for (unsigned back = 0; back < length; ++back)
    if (f.days_from_end >> back & 1U) found |= 1U << (length - 1 - back);
  return found;
}

// Bit 0 = the 1st.
std::uint32_t days_in(const CalendarFields& f, year_month month) {
  const int year_index = static_cast<int>(month.year()) - kFirstYear;
  if (!f.years[static_cast<std::size_t>(year_index)]) return 0;
  if (!(f.months >> (static_cast<unsigned>(month.month()) - 1) & 1U)) return 0;
  const auto length = static_cast<unsigned>((month / last).day());
  const unsigned first = weekday(local_days(month / 1)).iso_encoding() - 1;
  const std::uint32_t by_date = month_days(f, length), by_week = weekday_days(f, first, length);
  return f.either_day ? by_date | by_week : by_date & by_week;
}

bool is_covered(year_month month) {
  return month.year() >= year(kFirstYear) && month.year() <= year(kLastYear);
}

// The nearest day from `from` on, `step` months at a time.
std::optional<CivilDay> find_day(const CalendarFields& f, CivilDay from, int step) {
  const year_month_day date(from);
  year_month month = date.year() / date.month();
  int at = static_cast<int>(static_cast<unsigned>(date.day())) - 1;
  for (; is_covered(month); month += months(step), at = step > 0 ? 0 : 31) {
    const std::uint32_t days = days_in(f, month);
    const int found = step > 0 ? up(days, at) : down(days, at);
    if (found >= 0) return CivilDay(month / 1) + std::chrono::days(found);
  }
  return std::nullopt;
}

// ---- one day ----

seconds of_day(int hour, int minute, int second) {
  return hours(hour) + minutes(minute) + seconds(second);
}

seconds earliest(const CalendarFields& f) {
  return of_day(up(f.hours, 0), up(f.minutes, 0), up(f.seconds, 0));
}

seconds latest(const CalendarFields& f) {
  return of_day(down(f.hours, 23), down(f.minutes, 59), down(f.seconds, 59));
}

struct Clock {
  explicit Clock(seconds of_day) {
    const auto all = static_cast<int>(of_day.count());
    hour = all / 3600;
    minute = all / 60 % 60;
    second = all % 60;
  }
  int hour = 0, minute = 0, second = 0;
};

std::optional<seconds> from(const CalendarFields& f, seconds time) {
  const Clock c(time);
  if (f.hours >> c.hour & 1U) {
    if (f.minutes >> c.minute & 1U)
      if (const int s = up(f.seconds, c.second); s >= 0) return of_day(c.hour, c.minute, s);
    if (const int m = up(f.minutes, c.minute + 1); m >= 0)
      return of_day(c.hour, m, up(f.seconds, 0));
  }
  const int h = up(f.hours, c.hour + 1);
  if (h < 0) return std::nullopt;
  return of_day(h, up(f.minutes, 0), up(f.seconds, 0));
}

std::optional<seconds> up_to(const CalendarFields& f, seconds time) {
  const Clock c(time);
  if (f.hours >> c.hour & 1U) {
    if (f.minutes >> c.minute & 1U)
      if (const int s = down(f.seconds, c.second); s >= 0) return of_day(c.hour, c.minute, s);
    if (const int m = down(f.minutes, c.minute - 1); m >= 0)
      return of_day(c.hour, m, down(f.seconds, 59));
  }
  const int h = down(f.hours, c.hour - 1);
  if (h < 0) return std::nullopt;
  return of_day(h, down(f.minutes, 59), down(f.seconds, 59));
}

// ---- both ----

const Civil kBegin = CivilDay(year(kFirstYear) / January / 1);
const Civil kEnd = CivilDay(year(kLastYear) / December / 31) + days(1) - seconds(1);

std::optional<Civil> at_or_after(const CalendarFields& f, Civil t) {
  if (t > kEnd) return std::nullopt;
  t = std::max(t, kBegin);
  const CivilDay today = floor<days>(t);
  std::optional<CivilDay> day = find_day(f, today, 1);
  if (day == today) {
    if (auto time = from(f, t - today)) return today + *time;
    day = find_day(f, today + days(1), 1);
  }
  if (!day) return std::nullopt;
  return *day + earliest(f);
}

std::optional<Civil> at_or_before(const CalendarFields& f, Civil t) {
  if (t < kBegin) return std::nullopt;
  t = std::min(t, kEnd);
  const CivilDay today = floor<days>(t);
  std::optional<CivilDay> day = find_day(f, today, -1);
  if (day == today) {
    if (auto time = up_to(f, t - today)) return today + *time;
    day = find_day(f, today - days(1), -1);
  }
  if (!day) return std::nullopt;
  return *day + latest(f);
}

// ---- text ----

bool begins_with_letter(std::string_view text) {
  const char c = text.empty() ? '0' : text.front();
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Five words are cron; so are fewer, where nothing speaks for OnCalendar.
bool is_cron(std::string_view text) {
  const auto words = words_of(text);
  if (text.front() == '@' || words.size() >= 5) return true;
  if (words.size() == 1 || text.find(':') != std::string_view::npos) return false;
  return !begins_with_letter(words.front()) && !begins_with_letter(words.back());
}

Result<CalendarText> read(std::string_view text) {
  if (!is_cron(text)) return parse_on_calendar(text);
  auto fields = parse_cron(text);
  if (!fields) return tl::unexpected<Error>(fields.error());
  return CalendarText{*fields, std::nullopt};
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view text) {
  const std::string_view expression = trimmed(text);
  if (expression.empty()) return fail(Errc::invalid, "a schedule is needed, not an empty text");
  if (expression.size() > kMaxSchedule)
    return fail(Errc::invalid,
                quoted(expression) + " is longer than " + std::to_string(kMaxSchedule) + " bytes");
  auto parsed = read(expression);
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  if (!at_or_after(parsed->fields, kBegin))
    return fail(Errc::invalid, quoted(expression) + " is impossible: there is no such day in the " +
                                   "years 1970 to 2199");
  Schedule s;
  s.text_ = expression;
  s.fields_ = parsed->fields;
  s.zone_ = parsed->zone;
  return s;
}

std::optional<Wall> Schedule::next(Wall after, const Zone& zone) const {
  const Zone& where = zone_ ? *zone_ : zone;
  const auto civil = at_or_after(fields_, where.shown(after) + seconds(1));
  return civil ? std::optional<Wall>(where.reached(*civil)) : std::nullopt;
}

std::optional<Wall> Schedule::previous(Wall before, const Zone& zone) const {
  const Zone& where = zone_ ? *zone_ : zone;
  const Wall last = ceil<seconds>(before) - seconds(1);
  const auto civil = at_or_before(fields_, where.shown(last));
  return civil ? std::optional<Wall>(where.reached(*civil)) : std::nullopt;
}

}  // namespace checkrelay
