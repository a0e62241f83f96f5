// How a destination's load grows after an outage. Pure.
//
// When an upstream that many sites report to comes back, all of them have a backlog, and what it
// could carry before is less than what all of them together may send. So each begins with nothing
// and lets the share of what it may send grow evenly to all of it, over `spread`. The share is one
// of time: of that in which conversations are open, and, where there is a rate, of that which the
// results would take at it. An upstream that answers slowly, because everybody has returned, is
// therefore asked less often, and nobody needs to know what it can carry.
//
// An agent that starts with a backlog does the same: it may be one of many that an outage had kept
// from working, and it cannot tell.
//
// That the sites do not return in the same moment is the breaker's doing: its pauses are random
// from nothing to a length that doubles, hence grows about as long as the outage, and what an
// upstream asked for (Retry-After, which tells all of them the same) is prolonged by up to
// `spread`.
#pragma once

#include <cstddef>
#include <optional>

#include "agent/base/time.h"

namespace checkrelay {

class Ramp {
 public:
  // `conversations`: at once, at full load. `rate`: results a second at full load; 0 = unlimited.
  // A `spread` of 0: full load at once.
  Ramp(Duration spread, std::size_t conversations, double rate)
      : spread_(spread), conversations_(conversations), rate_(rate) {}

  void trouble(Steady now);    // the destination is in trouble
  void recovered(Steady now);  // and out of it
  void begin(Steady now);      // as after an outage
  // A conversation that took so long has ended.
  void spent(Duration conversation, std::size_t results);
  [[nodiscard]] bool rising(Steady now) const { return begun_ && now < *begun_ + spread_; }
  [[nodiscard]] std::size_t conversations(Steady now) const;  // at once
  // When the next one may begin; not later than `now` = at once.
  [[nodiscard]] Steady next(Steady now) const;

 private:
  Duration spread_;
  std::size_t conversations_;
  double rate_;
  std::optional<Steady> troubled_{};  // since
  bool rose_ = false;                 // when trouble came
  std::optional<Steady> begun_{};
  double spent_ = 0;  // since then; seconds at full load
};

}  // namespace checkrelay
