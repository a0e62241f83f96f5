// Sizes, numbers, patterns and near words: what a configuration's texts go through.
#include "agent/base/text.h"

#include <array>
#include <vector>

#include "agent/config/value.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::string_view a = fuzz::take_text(input);
  const std::string_view b = fuzz::take_text(input);
  if (auto bytes = parse_size(a)) {
    require(*bytes <= std::size_t{1} << 62U);
    require(parse_size(format_size(*bytes)).has_value());
  }
  if (auto number = parse_integer(a, -5, 70'000)) require(*number >= -5 && *number <= 70'000);
  (void)parse_number(a);
  if (auto listen = parse_listen(a)) require(listen->port >= 0 && listen->port <= 65535);
  if (a.size() + b.size() <= 200) (void)glob_match(a, b);
  const bool plain = b.find_first_of("*?[\\") == b.npos;
  require(glob_match("*", a) && (!plain || glob_match(b, b)));
  std::string joined;
  for (std::string_view part : split(a, ';')) joined += std::string(part) + ";";
  require(joined == std::string(a) + ";");
  require(equals_ignoring_case(lower(a), a) && trimmed(trimmed(a)) == trimmed(a));
  require(same_secret(a, b) == (a == b));
  const std::array<std::string_view, 3> words{b, "destination", "discard"};
  if (a.size() <= 64) (void)closest(a, words);
  return 0;
}
