// Schedules that were made up together with a plain statement of what they mean, and clocks on
// walls that are watched minute by minute. Slow, and independent of the arithmetic that it checks.
#pragma once

#include <random>
#include <set>
#include <string>
#include <vector>

#include "agent/policy/zone.h"

namespace checkrelay {

struct MadeUp {
  std::string text{};
  std::set<int> minutes{}, hours{}, days{}, back{}, months{}, weekdays{};  // Sunday = 0
  std::set<std::pair<int, int>> nth{};  // weekday, and which one in its month; 0 = the last
  bool either_day = false;

  [[nodiscard]] bool on(CivilDay day) const;
  [[nodiscard]] bool at(Civil time) const;  // whole minutes
};
[[nodiscard]] MadeUp made_up_cron(std::mt19937& random);
[[nodiscard]] MadeUp made_up_calendar(std::mt19937& random);

// What a clock does in each minute of a stretch: the times that it reaches then, the ones that a
// change skips among them, the ones that it showed before not.
class Watched {
 public:
  Watched(const Zone& zone, Wall begin, std::size_t minutes);
  [[nodiscard]] std::vector<Wall> moments(const MadeUp& schedule) const;
  [[nodiscard]] Wall begin() const { return begin_; }
  [[nodiscard]] Wall end() const { return begin_ + std::chrono::minutes(reached_.size()); }

 private:
  Wall begin_;
  std::vector<std::vector<Civil>> reached_;
};

// The instants at which a zone's clocks are changed.
[[nodiscard]] std::vector<Wall> changes(const Zone& zone, Wall from, Wall to);

}  // namespace checkrelay
