// Token buckets: so many results a second, evenly, a burst of at most one batch; and so many bytes
// a second. Pure.
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
  void refund(std::size_t n) {  // of what was taken
    tokens_ = std::min(burst_, tokens_ + static_cast<double>(n));
  }
  // When at least one may go.
  [[nodiscard]] Steady next(Steady now) const;

 private:
  double rate_;
  double burst_;
  double tokens_;
  Steady filled_{};
};

// A bucket of what goes in a second. What something takes is known only when it goes, so whoever
// finds the bucket full may take as much as it likes, and who comes next waits until that is paid
// for: a batch larger than the bucket passes, too. Waiting for the full bucket, and not for the
// first byte in it, lets batches stay large where more waits than may go: else each would go alone
// as soon as it may, with a request's head of its own.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t per_second)  // 0 = unlimited
      : rate_(static_cast<double>(per_second)), tokens_(rate_) {}
  [[nodiscard]] bool unlimited() const { return rate_ <= 0; }
  // About how many bytes may go now; 0 while what went is not yet paid for.
  [[nodiscard]] std::size_t available(Steady now);
  void charge(std::size_t bytes, Steady now);
  void refund(std::size_t bytes, Steady now);  // of what was charged
  // When bytes are available.
  [[nodiscard]] Steady next(Steady now) const;

 private:
  void fill(Steady now);
  double rate_;
  double tokens_;  // below 0: debt
  Steady filled_{};
};

}  // namespace checkrelay
