// When something is due by the calendar: five-field cron, or a systemd OnCalendar expression. Pure,
// immutable, cheap to copy; next() and previous() cost the same whatever the schedule (they step
// by months, never by minutes, and end with the year 2199).
//
// Cron (crontab(5) of Debian's cron): minute hour day-of-month month day-of-week; `*`, numbers,
// names of months and days (three letters or whole, any case), lists `1,15`, ranges `9-17`, steps
// `*/15`, `8-18/2`, and `30/10` = from 30 to the end; day of week 0-7, 0 and 7 being Sunday.
// `L` is the month's last day, `L-2` two before it; in day of week `5L` or `FRIL` is the month's
// last Friday, `MON#2` its second Monday. Where neither day field begins with `*`, a day that
// matches one of the two is enough; else it must match both. @hourly @daily @midnight @weekly
// @monthly @yearly @annually.
//
// OnCalendar (systemd.time(7), "Calendar Events"): [WEEKDAYS] [[YEAR-]MONTH-DAY] [HH:MM[:SS]]
// [ZONE]; lists, ranges `1..5`, repetition `0/15`, `~` before the day to count from the month's
// end (`*-02~01`), and minutely hourly daily weekly monthly quarterly semiannually yearly. A
// repetition ends with its field. Whole seconds, years 1970-2199; no "@epoch".
//
// Nights on which the clocks change: a local time that is skipped counts as reached at the first
// instant after the gap (several such are one), a local time that comes twice counts once, the
// first time. So in the hour that repeats there is nothing due.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/policy/zone.h"

namespace checkrelay {

constexpr std::size_t kMaxSchedule = 512;  // bytes of text
constexpr int kFirstYear = 1970, kLastYear = 2199;

// What both languages are read into: sets, a bit for each value.
struct CalendarFields {
  std::uint64_t seconds = 1, minutes = 0;  // bit 0 = 0
  std::uint32_t hours = 0;                 // likewise
  std::uint32_t days = 0;                  // bit 0 = the 1st
  std::uint32_t days_from_end = 0;         // bit 0 = the last day of the month
  std::uint16_t months = 0;                // bit 0 = January
  std::array<std::uint8_t, 5> weekdays{};  // bit 0 = Monday; [n] = its n+1st in the month
  std::uint8_t last_weekdays = 0;          // likewise, its last in the month
  bool either_day = false;                 // cron: day of month or day of week, not both
  std::bitset<kLastYear - kFirstYear + 1> years{};
  bool operator==(const CalendarFields&) const = default;
};

class Schedule {
 public:
  // Errors name the field and quote what is wrong in it; a schedule that never comes (31 2) is one.
  [[nodiscard]] static Result<Schedule> parse(std::string_view text);

  // The first moment after `after`, in the expression's own zone or else in `zone`; none where
  // there will be none. Whole seconds.
  [[nodiscard]] std::optional<Wall> next(Wall after, const Zone& zone) const;
  // The last moment before `before`.
  [[nodiscard]] std::optional<Wall> previous(Wall before, const Zone& zone) const;

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::optional<Zone>& zone() const { return zone_; }  // in the expression
  [[nodiscard]] const CalendarFields& fields() const { return fields_; }
  bool operator==(const Schedule&) const = default;

 private:
  Schedule() = default;
  std::string text_{};
  CalendarFields fields_{};
  std::optional<Zone> zone_{};
};

}  // namespace checkrelay
