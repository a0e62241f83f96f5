// What the readers of the two schedule languages share. For schedule.cc, cron.cc and calendar.cc.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/policy/schedule.h"

namespace checkrelay {

constexpr std::array<std::string_view, 7> kWeekdayNames{
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
constexpr std::array<std::string_view, 12> kMonthNames{
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::uint8_t kEveryWeekday = 0x7f;

// Where `word` stands among `names`, by its first three letters or whole, in any case.
[[nodiscard]] std::optional<int> name_index(std::span<const std::string_view> names,
                                            std::string_view word);
// Digits alone, at most four.
[[nodiscard]] std::optional<int> plain_number(std::string_view word);
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text);

// low, low + step … not above high.
struct Span {
  int low = 0, high = 0, step = 1;
};
// Bit 0 = `zero`; members below 64 + zero.
[[nodiscard]] std::uint64_t bits(std::span<const Span> spans, int zero = 0);
// What a field can hold.
struct FieldKind {
  std::string_view name{};
  int low = 0, high = 0;
};
[[nodiscard]] tl::unexpected<Error> out_of_range(const FieldKind& kind, std::string_view word);
// The step behind a `/`; one that would leave [low, high] at once is refused.
[[nodiscard]] Result<int> parse_step(const FieldKind& kind, std::string_view word, int room);
// Whether some month of the fields has one of their days of the month.
[[nodiscard]] bool has_such_day(const CalendarFields& fields);
void set_weekdays(CalendarFields& fields, std::uint8_t weekdays);  // whichever in the month

// `field: "fragment" what`
[[nodiscard]] tl::unexpected<Error> bad(std::string_view field, std::string_view fragment,
                                        std::string_view what);

struct CalendarText {
  CalendarFields fields{};
  std::optional<Zone> zone{};
};
[[nodiscard]] Result<CalendarFields> parse_cron(std::string_view text);
[[nodiscard]] Result<CalendarText> parse_on_calendar(std::string_view text);

}  // namespace checkrelay
