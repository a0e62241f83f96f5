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

TEST(ByteBudget, ZeroIsUnlimited) {
  ByteBudget budget(0);
  budget.charge(1U << 30U, Steady(1s));
  EXPECT_TRUE(budget.unlimited());
  EXPECT_GT(budget.available(Steady(1s)), 1U << 30U);
  EXPECT_EQ(budget.next(Steady(1s)), Steady(1s));
}

TEST(ByteBudget, NothingGoesUntilWhatWentIsPaidFor) {
  ByteBudget budget(1000);
  Steady now(5s);
  EXPECT_EQ(budget.available(now), 1000U);
  budget.charge(200, now);
  EXPECT_EQ(budget.available(now), 0U);
  EXPECT_EQ(budget.next(now), now + 200ms);
  EXPECT_EQ(budget.available(now + 199ms), 0U);
  EXPECT_EQ(budget.available(now + 200ms), 1000U);
}

TEST(ByteBudget, WhatIsLargerThanTheBucketPassesAndIsPaidForAfterwards) {
  ByteBudget budget(1000);
  Steady now(5s);
  ASSERT_GT(budget.available(now), 0U);
  budget.charge(60'000, now);
  EXPECT_EQ(budget.available(now + 59s), 0U);
  EXPECT_EQ(budget.next(now), now + 60s);
  EXPECT_EQ(budget.available(now + 60s), 1000U);
}

TEST(ByteBudget, ALongRestSavesUpNoMoreThanASecond) {
  ByteBudget budget(1000);
  budget.charge(1000, Steady(1s));
  EXPECT_EQ(budget.available(Steady(24h)), 1000U);
  budget.charge(2500, Steady(48h));
  EXPECT_EQ(budget.next(Steady(48h)), Steady(48h) + 2500ms);
}

TEST(ByteBudget, WhatWasNotSentIsGivenBack) {
  ByteBudget budget(1000);
  Steady now(5s);
  budget.charge(5000, now);
  budget.refund(4900, now);
  EXPECT_EQ(budget.next(now), now + 100ms);
  budget.refund(1'000'000, now);
  EXPECT_EQ(budget.available(now), 1000U) << "never more than a bucket";
}

TEST(ByteBudget, AClockThatStandsStillOrIsBehindGivesNothing) {
  ByteBudget budget(1000);
  budget.charge(500, Steady(5s));
  EXPECT_EQ(budget.available(Steady(4s)), 0U);
  EXPECT_EQ(budget.available(Steady(5s)), 0U);
  EXPECT_EQ(budget.next(Steady(4s)), Steady(5500ms));
}

// Whoever waits until next() may go, whatever the budget and whatever went; and in the long run no
// more goes than the budget.
TEST(ByteBudget, WaitingUntilNextIsEnoughAndTheBudgetHolds) {
  constexpr unsigned kSeed = 23;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 200; ++i) {
    const std::size_t rate = std::uniform_int_distribution<std::size_t>(1, 1U << 24U)(random);
    std::uniform_int_distribution<std::size_t> size(1, 3 * rate);
    ByteBudget budget(rate);
    const Steady begin(10s);
    Steady now = begin;
    double sent = 0;
    for (int n = 0; n < 50; ++n) {
      now = budget.next(now);
      ASSERT_GT(budget.available(now), 0U) << rate;
      ASSERT_LE(sent, (to_seconds(now - begin) + 0.001) * static_cast<double>(rate) + 50) << rate;
      const std::size_t bytes = size(random);
      budget.charge(bytes, now);
      sent += static_cast<double>(bytes);
    }
  }
}

}  // namespace
}  // namespace checkrelay
