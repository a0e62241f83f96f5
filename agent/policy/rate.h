// A token bucket: so many results a second, evenly; a burst of at most one batch.
#pragma once

#include <algorithm>
#include <cstddef>

#include "agent/base/time.h"

namespace checkrelay {

class TokenBucket {
 public:
  TokenBucket(double per_second, std::size_t burst)  // per_second 0 = unlimited
      : rate_(per_second),
        burst_(static_cast<double>(std::max<std::size_t>(burst, 1))),
        tokens_(burst_) {}
  [[nodiscard]] bool unlimited() const { return rate_ <= 0; }
  // How many may go now.
  [[nodiscard]] std::size_t available(Steady now);
  void take(std::size_t n) { tokens_ -= static_cast<double>(n); }
  // When at least one may go.
  [[nodiscard]] Steady next(Steady now) const;

 private:
  double rate_;
  double burst_;
  double tokens_;
  Steady filled_{};
};

}  // namespace checkrelay
