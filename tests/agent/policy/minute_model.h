// Recurring windows found by living through every minute: a clock on the wall is watched, and
// whenever it shows a start a window opens, whenever it shows an end the oldest one closes. Slow,
// and independent of the arithmetic that it checks. Whole minutes alone.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "agent/policy/window.h"

namespace checkrelay {

// What the clock on a zone's wall does in each minute from `begin` on.
class Timeline {
 public:
  struct Showing {
    Civil civil{};
    bool before = false;  // it was shown earlier already
    bool again = false;   // it will be shown once more
  };
  Timeline(const Zone& zone, Wall begin, std::size_t minutes);
  [[nodiscard]] Wall time(std::size_t i) const { return begin_ + std::chrono::minutes(i); }
  [[nodiscard]] std::size_t size() const { return shown_.size(); }
  // The minute that the clock shows, and the skipped ones that count as if it did.
  [[nodiscard]] const std::vector<Showing>& at(std::size_t i) const { return shown_[i]; }

 private:
  Wall begin_;
  std::vector<std::vector<Showing>> shown_;
};

struct Lived {
  std::vector<bool> in;     // at the minute's first second
  std::vector<bool> after;  // at its second one
  bool sane = true;         // no end came before its start
};
[[nodiscard]] Lived live_through(const Timeline& line, Frequency f, const Moment& start,
                                 const Moment& end, std::size_t warm_up);

}  // namespace checkrelay
