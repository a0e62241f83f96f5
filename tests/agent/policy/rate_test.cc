#include "agent/policy/rate.h"

#include <gtest/gtest.h>

#include <random>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, ZeroIsUnlimited) {
  TokenBucket bucket(0, 1);
  EXPECT_GT(bucket.available(Steady(1s)), 1'000'000U);
  bucket.take(1'000'000);
  EXPECT_GT(bucket.available(Steady(1s)), 1'000'000U);
  EXPECT_EQ(bucket.next(Steady(1s)), Steady(1s));
}

TEST(TokenBucket, TheFirstBurstIsOneBatch) {
  TokenBucket bucket(10, 5);
  EXPECT_EQ(bucket.available(Steady(100s)), 5U);
  bucket.take(5);
  EXPECT_EQ(bucket.available(Steady(100s)), 0U);
}

TEST(TokenBucket, ALongRestSavesUpNoMoreThanABatch) {
  TokenBucket bucket(10, 5);
  bucket.take(bucket.available(Steady(1s)));
  EXPECT_EQ(bucket.available(Steady(24h)), 5U);
}

TEST(TokenBucket, NextIsWhenOneMayGo) {
  TokenBucket bucket(10, 1);
  Steady now(5s);
  ASSERT_EQ(bucket.available(now), 1U);
  bucket.take(1);
  EXPECT_EQ(bucket.next(now), now + 100ms);
  EXPECT_EQ(bucket.available(now + 99ms), 0U);
  EXPECT_EQ(bucket.available(bucket.next(now + 99ms)), 1U);
}

TEST(TokenBucket, ABurstOfNothingIsOne) { EXPECT_EQ(TokenBucket(1, 0).available(Steady(1s)), 1U); }

// Whoever waits until next() finds one, whatever the rate.
TEST(TokenBucket, WaitingUntilNextIsEnough) {
  constexpr unsigned kSeed = 17;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 200; ++i) {
    double rate = std::uniform_real_distribution<>(0.001, 5000)(random);
    TokenBucket bucket(rate, 1);
    Steady now(10s);
    bucket.take(bucket.available(now));
    for (int n = 0; n < 50; ++n) {
      now = bucket.next(now);
      ASSERT_EQ(bucket.available(now), 1U) << rate;
      bucket.take(1);
    }
  }
}

TEST(TokenBucket, TheRateHoldsOverTime) {
  TokenBucket bucket(10, 3);
  std::size_t sent = 0;
  for (Steady now(1s); now < Steady(101s); now += 7ms) {
    std::size_t n = bucket.available(now);
    bucket.take(n);
    sent += n;
  }
  EXPECT_NEAR(static_cast<double>(sent), 1000 + 3, 2);
}

}  // namespace
}  // namespace checkrelay
