// Civil time of one time zone, from the system's zone database. A value; copies are cheap. The
// database is read at the first find() and kept; after that all calls are pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

// What a clock on the wall shows, without a zone.
using Civil = std::chrono::local_seconds;
using CivilDay = std::chrono::local_days;

class Zone {
 public:
  Zone() = default;  // UTC
  // "Europe/Stockholm"; "" = the system's own, UTC where it has none.
  [[nodiscard]] static Result<Zone> find(std::string_view name);
  [[nodiscard]] std::string name() const;

  [[nodiscard]] Civil civil(Wall t) const;  // whole seconds, rounded down
  // A civil time that a change of the clocks skips is moved on by what is skipped (02:30 to 03:30).
  // Of one that comes twice the first, or the second.
  [[nodiscard]] Wall first(Civil t) const;
  [[nodiscard]] Wall second(Civil t) const;
  // When the clock first shows `t` or, where a change skips it, anything later: of a skipped time
  // the end of the gap, of one that comes twice the first. Never falls while `t` grows.
  [[nodiscard]] Wall reached(Civil t) const;
  // The latest time that the clock has shown up to `t`; other than civil() while times come for
  // the second time. reached(c) <= t exactly if c <= shown(t).
  [[nodiscard]] Civil shown(Wall t) const;
  bool operator==(const Zone&) const = default;

 private:
  explicit Zone(const void* zone) : zone_(zone) {}
  const void* zone_ = nullptr;  // date::time_zone, which lives as long as the program; null: UTC
};

}  // namespace checkrelay
