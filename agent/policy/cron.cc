// Five-field cron.
#include <algorithm>

#include "agent/base/text.h"
#include "agent/policy/schedule_text.h"

namespace checkrelay {
namespace {

constexpr FieldKind kMinute{"minute", 0, 59}, kHour{"hour", 0, 23}, kDay{"day of month", 1, 31},
    kMonth{"month", 1, 12}, kWeekday{"day of week", 0, 7};
constexpr int kSunday = 7;  // and 0

struct Nickname {
  std::string_view name{}, fields{};
};
constexpr std::array<Nickname, 7> kNicknames{{{"@hourly", "0 * * * *"},
                                              {"@daily", "0 0 * * *"},
                                              {"@midnight", "0 0 * * *"},
                                              {"@weekly", "0 0 * * 0"},
                                              {"@monthly", "0 0 1 * *"},
                                              {"@yearly", "0 0 1 1 *"},
                                              {"@annually", "0 0 1 1 *"}}};

std::span<const std::string_view> names_of(const FieldKind& kind) {
  if (kind.name == kMonth.name) return kMonthNames;
  if (kind.name == kWeekday.name) return kWeekdayNames;
  return {};
}

// Names count from 1: Monday is 1, and so is January.
Result<int> value(const FieldKind& kind, std::string_view word) {
  if (auto index = name_index(names_of(kind), word)) return *index + 1;
  const auto number = plain_number(word);
  if (!number || *number < kind.low || *number > kind.high) return out_of_range(kind, word);
  return *number;
}

// "9", "9-17", "*"; `stepped`: a single value reaches to the end.
Result<Span> range(const FieldKind& kind, std::string_view text, bool stepped) {
  if (text == "*") return Span{kind.low, kind.high};
  const std::size_t dash = text.find('-');
  auto low = value(kind, text.substr(0, dash));
  if (!low) return tl::unexpected<Error>(low.error());
  const bool begins_with_sunday = kind.name == kWeekday.name && *low == kSunday;
  if (dash == std::string_view::npos) {
    if (stepped && begins_with_sunday) low = 0;
    return Span{*low, stepped ? kind.high : *low};
  }
  auto high = value(kind, text.substr(dash + 1));
  if (!high) return tl::unexpected<Error>(high.error());
  if (begins_with_sunday && *high != kSunday) low = 0;
  if (*high < *low) return bad(kind.name, text, "runs backwards");
  return Span{*low, *high};
}

// A weekday's seven days end with 6 where it is stepped through: 7 is Sunday again.
Result<Span> item(const FieldKind& kind, std::string_view text) {
  const std::size_t slash = text.find('/');
  const bool stepped = slash != std::string_view::npos;
  auto span = range(kind, text.substr(0, slash), stepped);
  if (!span || !stepped) return span;
  if (kind.name == kWeekday.name && text.find('-') == std::string_view::npos)
    span->high = std::max(kSunday - 1, span->low);
  auto step = parse_step(kind, text.substr(slash + 1), span->high - span->low);
  if (!step) return tl::unexpected<Error>(step.error());
  span->step = *step;
  return span;
}

Result<std::uint64_t> set_of(const FieldKind& kind, std::string_view text) {
  std::vector<Span> spans;
  for (std::string_view part : split(text, ',')) {
    auto span = item(kind, part);
    if (!span) return tl::unexpected<Error>(span.error());
    spans.push_back(*span);
  }
  return bits(spans);
}

bool is_letter_l(char c) { return c == 'L' || c == 'l'; }

// "L", "L-2"
Result<void> add_from_end(CalendarFields& f, std::string_view text) {
  int back = 0;
  if (text.size() > 1) {
    const auto number = text[1] == '-' ? plain_number(text.substr(2)) : std::nullopt;
    if (!number || *number > 30) return bad(kDay.name, text, "is not L or L-1 to L-30");
    back = *number;
  }
  f.days_from_end |= 1U << back;
  return {};
}

Result<void> add_days(CalendarFields& f, std::string_view text) {
  for (std::string_view part : split(text, ',')) {
    if (!part.empty() && is_letter_l(part.front())) {
      if (auto done = add_from_end(f, part); !done) return done;
      continue;
    }
    auto set = set_of(kDay, part);
    if (!set) return tl::unexpected<Error>(set.error());
    f.days |= static_cast<std::uint32_t>(*set >> 1);
  }
  return {};
}

std::uint8_t weekday_bit(int number) { return static_cast<std::uint8_t>(1U << ((number + 6) % 7)); }

// "5L", "FRI#2"
Result<void> add_one_weekday(CalendarFields& f, std::string_view text, std::size_t mark) {
  auto weekday = value(kWeekday, text.substr(0, mark));
  if (!weekday) return tl::unexpected<Error>(weekday.error());
  std::uint8_t* set = &f.last_weekdays;
  if (text[mark] == '#') {
    const auto nth = plain_number(text.substr(mark + 1));
    if (!nth || *nth < 1 || *nth > 5) return bad(kWeekday.name, text, "is not DAY#1 to DAY#5");
    set = &f.weekdays[static_cast<std::size_t>(*nth - 1)];
  }
  *set = static_cast<std::uint8_t>(*set | weekday_bit(*weekday));
  return {};
}

Result<void> add_weekdays(CalendarFields& f, std::string_view text) {
  for (std::string_view part : split(text, ',')) {
    const std::size_t hash = part.find('#');
    const bool ends_with_l = part.size() > 1 && is_letter_l(part.back());
    if (hash != std::string_view::npos || ends_with_l) {
      auto done = add_one_weekday(f, part, ends_with_l ? part.size() - 1 : hash);
      if (!done) return done;
      continue;
    }
    auto set = set_of(kWeekday, part);
    if (!set) return tl::unexpected<Error>(set.error());
    for (int day = 0; day <= kSunday; ++day)
      if (*set >> day & 1U) set_weekdays(f, weekday_bit(day));
  }
  return {};
}

Result<CalendarFields> fields_of(std::span<const std::string_view> words) {
  CalendarFields f;
  f.years.set();
  auto minute = set_of(kMinute, words[0]), hour = set_of(kHour, words[1]);
  if (!minute) return tl::unexpected<Error>(minute.error());
  if (!hour) return tl::unexpected<Error>(hour.error());
  if (auto done = add_days(f, words[2]); !done) return tl::unexpected<Error>(done.error());
  auto month = set_of(kMonth, words[3]);
  if (!month) return tl::unexpected<Error>(month.error());
  if (auto done = add_weekdays(f, words[4]); !done) return tl::unexpected<Error>(done.error());
  f.minutes = *minute;
  f.hours = static_cast<std::uint32_t>(*hour);
  f.months = static_cast<std::uint16_t>(*month >> 1);
  f.either_day = words[2].front() != '*' && words[4].front() != '*';
  if (!f.either_day && !has_such_day(f))
    return bad(kDay.name, words[2], "is impossible: it does not come in month " + quoted(words[3]));
  return f;
}

}  // namespace

Result<CalendarFields> parse_cron(std::string_view text) {
  std::string_view expression = text;
  if (text.front() == '@') {
    const auto* found = std::find_if(kNicknames.begin(), kNicknames.end(), [&](const Nickname& n) {
      return equals_ignoring_case(n.name, text);
    });
    if (found == kNicknames.end())
      return fail(Errc::invalid, quoted(text) + " is not @hourly, @daily, @midnight, @weekly, " +
                                     "@monthly, @yearly or @annually");
    expression = found->fields;
  }
  const auto words = words_of(expression);
  if (words.size() == 5) return fields_of(words);
  return fail(Errc::invalid, quoted(text) + " has " + std::to_string(words.size()) +
                                 " fields; cron has five: minute, hour, day of month, month, day " +
                                 "of week");
}

}  // namespace checkrelay
