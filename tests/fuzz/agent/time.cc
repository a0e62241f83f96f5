#include "agent/base/time.h"

#include <bit>
#include <cstring>

#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (auto duration = parse_duration(text)) {
    require(duration->count() >= 0);
    auto again = parse_duration(format_duration(*duration));
    require(again && *again == *duration);
  }
  if (auto wall = parse_rfc3339(text)) {
    auto again = parse_rfc3339(format_rfc3339(*wall));
    require(again && *again == std::chrono::floor<std::chrono::milliseconds>(*wall));
  }
  double seconds = 0;
  std::memcpy(&seconds, data, std::min(size, sizeof seconds));
  if (auto wall = wall_from_epoch(seconds)) {
    require(parse_rfc3339(format_rfc3339(*wall)).has_value());
  }
  return 0;
}
