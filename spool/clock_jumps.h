// How the wall clock has jumped against the steady one since the start. Ages are the difference of
// two readings of the wall clock: where it was set in between they are wrong by as much, and
// nothing may expire, or count as unknown id, for that. Jumps before the start are not known, and a
// machine that slept looks as if its clock had jumped. Pure.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "agent/base/time.h"
#include "agent/port/journal.h"

namespace checkrelay {

class ClockJumps {
 public:
  static constexpr auto kLeast = std::chrono::minutes(1);  // less is slewing, or a slow turn
  static constexpr auto kRemembered = std::chrono::hours(48);
  static constexpr std::size_t kMost = 16;

  // `next`: the number of the record that is stored next.
  void tick(Instant now, Seq next) {
    if (last_) {
      const auto by = (now.wall - last_->wall) -
                      std::chrono::duration_cast<Duration>(now.steady - last_->steady);
      if (by >= kLeast || by <= -Duration(kLeast)) add({now.steady, next, by});
    }
    last_ = now;
    if (!jumps_.empty() && now.steady - jumps_.back().at > kRemembered) jumps_.clear();
  }

  // By how much the record may seem older than it is.
  [[nodiscard]] Duration ahead_since(Seq seq) const {
    Duration sum{};
    for (const Jump& j : jumps_)
      if (j.next > seq) sum += j.by;
    return std::max(sum, Duration{});
  }
  // By how much anything that was noted since the start may seem older than it is.
  [[nodiscard]] Duration ahead_at_most() const {
    Duration most{};
    for (const Jump& j : jumps_) most = std::max(most + j.by, Duration{});
    return most;
  }

 private:
  struct Jump {
    Steady at{};
    Seq next = 0;
    Duration by{};
  };
  void add(const Jump& jump) {
    if (jumps_.size() == kMost) {  // the two oldest become one
      jumps_[1].by += jumps_[0].by;
      jumps_.erase(jumps_.begin());
    }
    jumps_.push_back(jump);
  }

  std::optional<Instant> last_{};
  std::vector<Jump> jumps_;
};

}  // namespace checkrelay
