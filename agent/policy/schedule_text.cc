#include "agent/policy/schedule_text.h"

#include <algorithm>

#include "agent/base/text.h"

namespace checkrelay {

std::optional<int> name_index(std::span<const std::string_view> names, std::string_view word) {
  const std::string wanted = lower(word);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (wanted == names[i] || wanted == names[i].substr(0, 3)) return static_cast<int>(i);
  return std::nullopt;
}

std::optional<int> plain_number(std::string_view word) {
  if (word.empty() || word.size() > 4) return std::nullopt;
  if (word.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const auto number = parse_integer(word, 0, 9999);
  return number ? std::optional<int>(static_cast<int>(*number)) : std::nullopt;
}

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlank, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlank, end);
  }
  return words;
}

std::uint64_t bits(std::span<const Span> spans, int zero) {
  std::uint64_t set = 0;
  for (const Span& s : spans)
    for (int i = s.low; i <= s.high; i += s.step) set |= std::uint64_t{1} << (i - zero);
  return set;
}

tl::unexpected<Error> bad(std::string_view field, std::string_view fragment,
                          std::string_view what) {
  return fail(Errc::invalid,
              std::string(field) + ": " + quoted(fragment) + " " + std::string(what));
}

tl::unexpected<Error> out_of_range(const FieldKind& kind, std::string_view word) {
  return bad(kind.name, word,
             "is not " + std::to_string(kind.low) + " to " + std::to_string(kind.high));
}

Result<int> parse_step(const FieldKind& kind, std::string_view word, int room) {
  const auto step = plain_number(word);
  if (!step || *step == 0) return bad(kind.name, word, "is no step: a number from 1 on");
  if (*step > room) return bad(kind.name, word, "is a step that never comes to a second value");
  return *step;
}

bool has_such_day(const CalendarFields& fields) {
  constexpr std::array<unsigned, 12> kLongest{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 0; month < kLongest.size(); ++month) {
    if (!(fields.months >> month & 1U)) continue;
    const std::uint32_t days = (1U << (kLongest[month] - 1) << 1) - 1;
    if ((fields.days | fields.days_from_end) & days) return true;
  }
  return false;
}

void set_weekdays(CalendarFields& fields, std::uint8_t weekdays) {
  for (std::uint8_t& nth : fields.weekdays) nth = static_cast<std::uint8_t>(nth | weekdays);
}

}  // namespace checkrelay
