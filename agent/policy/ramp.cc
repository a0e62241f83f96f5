#include "agent/policy/ramp.h"

#include <algorithm>
#include <cmath>

namespace checkrelay {
namespace {

// Trouble that is over sooner has gathered neither many sites nor much of a backlog.
constexpr Duration kOutage = std::chrono::seconds(5);

}  // namespace

void Ramp::trouble(Steady now) {
  if (!troubled_) troubled_ = now;
  rose_ = rose_ || rising(now);
  begun_.reset();
}

// Trouble on the way up begins it anew, however short it was: it may have been too fast.
void Ramp::recovered(Steady now) {
  const bool long_enough = troubled_ && now - *troubled_ >= kOutage;
  if (long_enough || rose_) begin(now);
  troubled_.reset();
  rose_ = false;
}

void Ramp::begin(Steady now) {
  if (spread_ > Duration{}) begun_ = now;
  spent_ = 0;
}

void Ramp::spent(Duration conversation, std::size_t results) {
  if (!begun_) return;
  const double open = to_seconds(conversation) / static_cast<double>(conversations_);
  const double paced = rate_ > 0 ? static_cast<double>(results) / rate_ : 0;
  spent_ += std::max(open, paced);
}

std::size_t Ramp::conversations(Steady now) const {
  if (!rising(now)) return conversations_;
  const double share = to_seconds(now - *begun_) / to_seconds(spread_);
  const auto allowed =
      static_cast<std::size_t>(std::ceil(share * static_cast<double>(conversations_)));
  return std::clamp<std::size_t>(allowed, 1, conversations_);
}

// A share of t / spread adds up to t * t / (2 * spread) seconds at full load.
Steady Ramp::next(Steady now) const {
  if (!rising(now)) return now;
  const double after = std::sqrt(2 * to_seconds(spread_) * spent_);
  const double most = to_seconds(spread_);
  return *begun_ + Duration(std::llround(std::ceil(std::min(after, most) * 1e6)));
}

}  // namespace checkrelay
