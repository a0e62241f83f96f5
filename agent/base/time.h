// Time without a clock. Steady time is for deadlines and never reaches the disk; wall time is data
// and never decides how long to wait. Both are read in one place, runtime/loop, once a turn.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace checkrelay {

using Duration = std::chrono::microseconds;
using Steady = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using Wall = std::chrono::sys_time<Duration>;  // UTC; Wall{} stands for "not given"

// One reading of both clocks.
struct Instant {
  Steady steady{};
  Wall wall{};
};

// "250ms", "90s", "15m", "24h", "7d"; parts may follow each other ("1h30m"). A bare "0" is zero.
// Never negative; at most 100 years.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Duration d);  // what parse_duration reads, e.g. "1h30m"

// RFC 3339 section 5.6: "2026-01-05T10:15:00.250+01:00", "…Z"; a blank may stand for the T. The
// offset is required. Leap second :60 is read as the second after. Years 1970-9999.
[[nodiscard]] Result<Wall> parse_rfc3339(std::string_view text);
[[nodiscard]] std::string format_rfc3339(
    Wall t);  // UTC with milliseconds, "2026-01-05T10:15:00.250Z"

[[nodiscard]] Result<Wall> wall_from_epoch(
    double seconds);  // 0 to the year 9999, fractions kept to microseconds
[[nodiscard]] inline double to_seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }
[[nodiscard]] inline double epoch_seconds(Wall t) { return to_seconds(t.time_since_epoch()); }

}  // namespace checkrelay
