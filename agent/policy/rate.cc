#include "agent/policy/rate.h"

#include <cmath>
#include <limits>

namespace checkrelay {
namespace {

constexpr double kHair = 0.5;  // bytes: timers and fractions are rounded

}  // namespace

std::size_t TokenBucket::available(Steady now) {
  if (rate_ <= 0) return std::numeric_limits<std::size_t>::max();
  tokens_ = std::min(burst_, tokens_ + to_seconds(std::max(now - filled_, Duration{})) * rate_);
  filled_ = now;
  // A hair under one is one: the timer that brought us here was rounded to its clock.
  return static_cast<std::size_t>(std::max(0.0, std::floor(tokens_ + 1e-6)));
}

Steady TokenBucket::next(Steady now) const {
  if (rate_ <= 0 || tokens_ >= 1) return now;
  return filled_ + Duration(std::llround(std::ceil((1 - tokens_) / rate_ * 1e6)));
}

void ByteBudget::fill(Steady now) {
  tokens_ = std::min(rate_, tokens_ + to_seconds(std::max(now - filled_, Duration{})) * rate_);
  filled_ = std::max(filled_, now);
}

std::size_t ByteBudget::available(Steady now) {
  if (unlimited()) return std::numeric_limits<std::size_t>::max();
  fill(now);
  return tokens_ > rate_ - kHair ? static_cast<std::size_t>(rate_) : 0;
}

void ByteBudget::charge(std::size_t bytes, Steady now) {
  if (unlimited()) return;
  fill(now);
  tokens_ -= static_cast<double>(bytes);
}

void ByteBudget::refund(std::size_t bytes, Steady now) {
  if (unlimited()) return;
  fill(now);
  tokens_ = std::min(rate_, tokens_ + static_cast<double>(bytes));
}

Steady ByteBudget::next(Steady now) const {
  if (unlimited() || tokens_ > rate_ - kHair) return now;
  return filled_ + Duration(std::llround(std::ceil((rate_ - tokens_) / rate_ * 1e6)));
}

}  // namespace checkrelay
