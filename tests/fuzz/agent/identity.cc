// What is an object stays one, with an id and a time, and otherwise as it was.
#include <nlohmann/json.hpp>

#include "agent/cli/feed.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line = fuzz::text_of(data, size);
  const std::string named =
      with_identity(line, "made-up", Wall(std::chrono::seconds(1'700'000'000)));
  require(!parse_reply(line).ok || parse_reply(line).error.empty());
  if (!line.starts_with('{')) {
    require(named == line);
    return 0;
  }
  if (line.find('\0') != line.npos) return 0;  // the other reader ends there
  const auto before = nlohmann::json::parse(line, nullptr, false);
  if (!before.is_object()) return 0;
  auto after = nlohmann::json::parse(named, nullptr, false);
  require(after.is_object() && after.contains("id") && after.contains("time"));
  for (const char* key : {"id", "time"}) {
    if (!before.contains(key)) after.erase(key);
  }
  require(after == before);
  return 0;
}
