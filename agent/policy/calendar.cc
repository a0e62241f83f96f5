// systemd's OnCalendar.
#include <algorithm>

#include "agent/base/text.h"
#include "agent/policy/schedule_text.h"

namespace checkrelay {
namespace {

constexpr FieldKind kYear{"year", kFirstYear, kLastYear}, kMonth{"month", 1, 12},
    kDay{"day", 1, 31}, kHour{"hour", 0, 23}, kMinute{"minute", 0, 59}, kSecond{"second", 0, 59};

struct Shorthand {
  std::string_view name{}, meaning{};
};
constexpr std::array<Shorthand, 11> kShorthands{{{"minutely", "*-*-* *:*:00"},
                                                 {"hourly", "*-*-* *:00:00"},
                                                 {"daily", "*-*-* 00:00:00"},
                                                 {"weekly", "Mon *-*-* 00:00:00"},
                                                 {"monthly", "*-*-01 00:00:00"},
                                                 {"quarterly", "*-01,04,07,10-01 00:00:00"},
                                                 {"semiannually", "*-01,07-01 00:00:00"},
                                                 {"semi-annually", "*-01,07-01 00:00:00"},
                                                 {"biannually", "*-01,07-01 00:00:00"},
                                                 {"yearly", "*-01-01 00:00:00"},
                                                 {"annually", "*-01-01 00:00:00"}}};

Result<int> value(const FieldKind& kind, std::string_view word) {
  auto number = plain_number(word);
  if (number && kind.low == kFirstYear && word.size() <= 2)
    *number += *number < kFirstYear % 100 ? 2000 : 1900;
  if (!number || *number < kind.low || *number > kind.high) return out_of_range(kind, word);
  return *number;
}

// Which way a field counts: days from the month's end go down.
enum class Count { up, down };

// "5", "1..5", "*"; one that is repeated reaches to the field's end.
Result<Span> range(const FieldKind& kind, std::string_view text, bool repeated, Count count) {
  if (text == "*") return Span{kind.low, kind.high};
  const std::size_t dots = text.find("..");
  auto first = value(kind, text.substr(0, dots));
  if (!first) return tl::unexpected<Error>(first.error());
  if (dots == std::string_view::npos) {
    if (!repeated) return Span{*first, *first};
    return count == Count::up ? Span{*first, kind.high} : Span{kind.low, *first};
  }
  auto last = value(kind, text.substr(dots + 2));
  if (!last) return tl::unexpected<Error>(last.error());
  if (count == Count::down) return Span{std::min(*first, *last), std::max(*first, *last)};
  if (*last < *first) return bad(kind.name, text, "runs backwards");
  return Span{*first, *last};
}

Result<Span> item(const FieldKind& kind, std::string_view text, Count count) {
  const std::size_t slash = text.find('/');
  const bool repeated = slash != std::string_view::npos;
  auto span = range(kind, text.substr(0, slash), repeated, count);
  if (!span || !repeated) return span;
  auto step = parse_step(kind, text.substr(slash + 1), span->high - span->low);
  if (!step) return tl::unexpected<Error>(step.error());
  span->step = *step;
  if (count == Count::down) span->low += (span->high - span->low) % *step;
  return span;
}

Result<std::vector<Span>> chain(const FieldKind& kind, std::string_view text,
                                Count count = Count::up) {
  std::vector<Span> spans;
  for (std::string_view part : split(text, ',')) {
    auto span = item(kind, part, count);
    if (!span) return tl::unexpected<Error>(span.error());
    spans.push_back(*span);
  }
  return spans;
}

template <typename Set>
Result<void> put(Set& set, const FieldKind& kind, std::string_view text, int zero) {
  auto spans = chain(kind, text);
  if (!spans) return tl::unexpected<Error>(spans.error());
  set = static_cast<Set>(bits(*spans, zero));
  return {};
}

Result<void> put_years(CalendarFields& f, std::string_view text) {
  auto spans = chain(kYear, text);
  if (!spans) return tl::unexpected<Error>(spans.error());
  for (const Span& s : *spans)
    for (int y = s.low; y <= s.high; y += s.step) f.years.set(static_cast<std::size_t>(y - 1970));
  return {};
}

Result<void> put_days(CalendarFields& f, std::string_view text, Count count) {
  auto spans = chain(kDay, text, count);
  if (!spans) return tl::unexpected<Error>(spans.error());
  const auto set = static_cast<std::uint32_t>(bits(*spans, 1));
  (count == Count::up ? f.days : f.days_from_end) = set;
  return {};
}

// [YEAR-]MONTH-DAY or [YEAR-]MONTH~DAY
Result<void> put_date(CalendarFields& f, std::string_view text) {
  const std::size_t mark = text.find_last_of("-~");
  const auto before = split(text.substr(0, mark), '-');
  if (mark == std::string_view::npos || before.size() > 2)
    return bad("date", text, "is not [YEAR-]MONTH-DAY or [YEAR-]MONTH~DAY");
  auto year = put_years(f, before.size() == 2 ? before.front() : "*");
  if (!year) return year;
  if (auto month = put(f.months, kMonth, before.back(), 1); !month) return month;
  auto day = put_days(f, text.substr(mark + 1), text[mark] == '~' ? Count::down : Count::up);
  if (day && !has_such_day(f)) return bad("date", text, "is impossible: no month has that day");
  return day;
}

// HH:MM[:SS]
Result<void> put_time(CalendarFields& f, std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return bad("time", text, "is not HH:MM or HH:MM:SS");
  if (auto hour = put(f.hours, kHour, parts[0], 0); !hour) return hour;
  if (auto minute = put(f.minutes, kMinute, parts[1], 0); !minute) return minute;
  return put(f.seconds, kSecond, parts.size() == 3 ? parts[2] : "00", 0);
}

// "Mon", "Mon..Fri", "Mon-Fri"
Result<std::uint8_t> weekday_range(std::string_view text) {
  const std::size_t mark = std::min(text.find(".."), text.find('-'));
  const std::size_t skip = mark < text.size() && text[mark] == '.' ? 2 : 1;
  const auto first = name_index(kWeekdayNames, text.substr(0, mark));
  const auto last =
      mark < text.size() ? name_index(kWeekdayNames, text.substr(mark + skip)) : first;
  if (!first || !last) return bad("weekday", text, "is not Mon to Sun, or a range of these");
  if (*last < *first) return bad("weekday", text, "runs backwards");
  const Span span{*first, *last};
  return static_cast<std::uint8_t>(bits({&span, 1}));
}

Result<void> put_weekdays(CalendarFields& f, std::string_view text) {
  for (std::string_view part : split(text, ',')) {
    auto set = weekday_range(part);
    if (!set) return tl::unexpected<Error>(set.error());
    set_weekdays(f, *set);
  }
  return {};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

const Shorthand* shorthand(std::string_view word) {
  for (const Shorthand& s : kShorthands)
    if (equals_ignoring_case(s.name, word)) return &s;
  return nullptr;
}

bool is_weekdays(std::string_view word) {
  return name_index(kWeekdayNames, word.substr(0, word.find_first_of(".,-"))).has_value();
}

bool is_time(std::string_view word) { return word.find(':') != std::string_view::npos; }

// The words in their order, each taken once.
class Reader {
 public:
  explicit Reader(std::span<const std::string_view> words) : words_(words) {}

  Result<CalendarText> read() {
    Result<void> done = read_moment();
    if (!done) return tl::unexpected<Error>(done.error());
    if (at_ < words_.size() && is_letter(words_[at_].front())) {
      auto zone = Zone::find(words_[at_]);
      if (!zone) return tl::unexpected<Error>(zone.error());
      text_.zone = *zone;
      ++at_;
    }
    if (at_ < words_.size())
      return fail(Errc::invalid, quoted(words_[at_]) + " is not where OnCalendar has it: " +
                                     "[WEEKDAYS] [DATE] [TIME] [ZONE]");
    return text_;
  }

 private:
  Result<void> read_moment() {
    if (const Shorthand* s = shorthand(words_.front())) {
      at_ = 1;
      text_.fields = Reader(words_of(s->meaning)).read()->fields;
      return {};
    }
    return read_parts();
  }

  Result<void> read_parts() {
    CalendarFields& f = text_.fields;
    const bool weekdays = is_weekdays(words_[at_]);
    Result<void> done = weekdays ? put_weekdays(f, words_[at_++]) : Result<void>();
    if (!weekdays) set_weekdays(f, kEveryWeekday);
    const bool date = done && more() && !is_time(words_[at_]);
    if (done) done = put_date(f, date ? words_[at_++] : "*-*-*");
    const bool time = done && more() && is_time(words_[at_]);
    if (done) done = put_time(f, time ? words_[at_++] : "00:00:00");
    if (done && !weekdays && !date && !time)
      return fail(Errc::invalid, quoted(words_[at_]) + " is neither cron nor OnCalendar");
    return done;
  }

  // A word that is no zone is left.
  [[nodiscard]] bool more() const { return at_ < words_.size() && !is_letter(words_[at_].front()); }

  std::span<const std::string_view> words_;
  std::size_t at_ = 0;
  CalendarText text_{};
};

}  // namespace

Result<CalendarText> parse_on_calendar(std::string_view text) {
  return Reader(words_of(text)).read();
}

}  // namespace checkrelay
