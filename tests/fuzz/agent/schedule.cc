// The first byte chooses a zone, four more a moment; the rest is a schedule. What is read must go
// forwards and backwards over the same moments.
#include "agent/policy/schedule.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/fuzz.h"

namespace {

using namespace checkrelay;
using fuzz::require;

const Zone& zone(std::uint8_t which) {
  static const std::array<Zone, 4> kZones{Zone(), Zone::find("Europe/Stockholm").value_or(Zone()),
                                          Zone::find("Australia/Lord_Howe").value_or(Zone()),
                                          Zone::find("Africa/Cairo").value_or(Zone())};
  return kZones[which % kZones.size()];
}

void walk(const Schedule& schedule, const Zone& where, Wall from) {
  auto t = schedule.next(from, where);
  require(!t || *t > from);
  for (int i = 0; t && i < 5; ++i) {
    const auto next = schedule.next(*t, where);
    require(!next || (*next > *t && schedule.previous(*next, where) == t));
    t = next;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  std::uint32_t moment = 0;
  for (std::size_t i = 1; i < 5; ++i) moment = moment << 8 | data[i];
  const std::string_view text(reinterpret_cast<const char*>(data) + 5, size - 5);
  const auto schedule = Schedule::parse(text);
  if (schedule) walk(*schedule, zone(data[0]), Wall(std::chrono::seconds(moment)));
  return 0;
}
