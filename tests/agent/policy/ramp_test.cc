#include "agent/policy/ramp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "agent/policy/retry.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

constexpr Steady kBack(1h);

Ramp after_outage(Duration outage, Duration spread = 30s, std::size_t conversations = 1,
                  double rate = 0) {
  Ramp ramp(spread, conversations, rate);
  ramp.trouble(kBack - outage);
  ramp.recovered(kBack);
  return ramp;
}

// When conversations begin that take so long each, one result in each, as early as they may.
std::vector<Duration> begun(Ramp ramp, Duration latency, Duration within) {
  std::vector<Duration> out;
  std::vector<Steady> open;
  for (Steady now = kBack; now < kBack + within;) {
    for (auto it = open.begin(); it != open.end();) {
      if (*it > now) {
        ++it;
        continue;
      }
      ramp.spent(latency, 1);
      it = open.erase(it);
    }
    const bool may = open.size() < ramp.conversations(now) && ramp.next(now) <= now;
    if (may) {
      out.push_back(now - kBack);
      open.push_back(now + latency);
      continue;
    }
    Steady next = open.empty() ? ramp.next(now) : *std::min_element(open.begin(), open.end());
    now = std::max(next, now + 1us);
  }
  return out;
}

std::vector<int> histogram(const std::vector<Duration>& times, Duration step, std::size_t count) {
  std::vector<int> out(count);
  for (Duration t : times)
    if (const auto i = static_cast<std::size_t>(t / step); i < count) ++out[i];
  return out;
}

TEST(Ramp, AHealthyDestinationIsNotHeldBackAtAll) {
  Ramp ramp(30s, 4, 10);
  for (int i = 0; i < 100; ++i) ramp.spent(1s, 1000);
  EXPECT_EQ(ramp.conversations(kBack), 4U);
  EXPECT_EQ(ramp.next(kBack), kBack);
  EXPECT_FALSE(ramp.rising(kBack));
}

TEST(Ramp, ShortTroubleIsNoOutage) {
  EXPECT_FALSE(after_outage(4900ms).rising(kBack));
  EXPECT_TRUE(after_outage(5s).rising(kBack));
  EXPECT_FALSE(after_outage(1h, 0s).rising(kBack)) << "not asked for";
}

TEST(Ramp, TheFirstConversationMayBeginAtOnce) {
  Ramp ramp = after_outage(1h, 30s, 8);
  EXPECT_EQ(ramp.next(kBack), kBack);
  EXPECT_EQ(ramp.conversations(kBack), 1U);
}

// The share of full load in each fifth of the time is 1, 3, 5, 7, 9 tenths.
TEST(Ramp, TheLoadRisesEvenly) {
  for (std::size_t conversations : {1U, 4U}) {
    const auto full = static_cast<int>(conversations * 600);
    auto seen = histogram(begun(after_outage(1h, 30s, conversations), 10ms, 60s), 6s, 10);
    for (std::size_t i = 0; i < 5; ++i)
      EXPECT_NEAR(seen[i], full * static_cast<int>(2 * i + 1) / 10, full / 20 + 3) << i;
    EXPECT_NEAR(seen[7], full, 10);
  }
}

TEST(Ramp, ARateRisesEvenlyToo) {
  const Ramp ramp = after_outage(1h, 30s, 1, 10);
  auto seen = histogram(begun(ramp, 1ms, 30s), 6s, 5);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(seen[i], 6 * static_cast<int>(2 * i + 1), 2) << i;
}

TEST(Ramp, ASlowUpstreamIsAskedLessOften) {
  const auto quick = begun(after_outage(1h), 10ms, 10s).size();
  const auto slow = begun(after_outage(1h), 1s, 10s).size();
  EXPECT_GT(quick, 100U);
  EXPECT_LE(slow, 3U);
}

TEST(Ramp, ItEndsWhateverWasSpent) {
  Ramp ramp = after_outage(1h, 30s, 4, 1);
  ramp.spent(24h, 1'000'000);
  EXPECT_EQ(ramp.next(kBack), kBack + 30s);
  EXPECT_FALSE(ramp.rising(kBack + 30s));
  EXPECT_EQ(ramp.next(kBack + 30s), kBack + 30s);
  EXPECT_EQ(ramp.conversations(kBack + 30s), 4U);
}

TEST(Ramp, TroubleOnTheWayUpBeginsItAnew) {
  Ramp ramp = after_outage(1h);
  ramp.spent(1s, 1);
  ramp.trouble(kBack + 15s);
  EXPECT_FALSE(ramp.rising(kBack + 15s));
  ramp.recovered(kBack + 16s);
  EXPECT_TRUE(ramp.rising(kBack + 45s));
  EXPECT_EQ(ramp.next(kBack + 16s), kBack + 16s);
  ramp.trouble(kBack + 50s);
  ramp.recovered(kBack + 51s);
  EXPECT_FALSE(ramp.rising(kBack + 51s)) << "short trouble at full height";
}

TEST(Ramp, WaitingUntilNextIsEnough) {
  constexpr unsigned kSeed = 29;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 300; ++i) {
    Ramp ramp = after_outage(1h, Duration(std::uniform_int_distribution<>(1, 60'000'000)(random)),
                             1 + static_cast<std::size_t>(i) % 7, i % 3);
    Steady now = kBack;
    for (int n = 0; n < 30; ++n) {
      ramp.spent(Duration(std::uniform_int_distribution<>(0, 100'000)(random)), 1);
      const Steady next = ramp.next(now);
      ASSERT_LE(next, std::max(now, kBack + 60s));
      now = std::max(now, next);
      ASSERT_LE(ramp.next(now), now);
    }
  }
}

// When each of so many sites is let in again by an upstream that was away until kBack.
std::vector<Duration> returns(std::size_t sites, Duration outage, std::optional<Duration> asked) {
  RetryOptions options;
  options.spread = 30s;
  std::vector<Duration> out;
  for (std::size_t site = 0; site < sites; ++site) {
    Breaker breaker(options, site * 7919);
    Steady now = kBack - outage + Duration(1ms) * static_cast<long>(site % 50);
    Verdict v;
    for (v.retry_after = asked; now < kBack; now = std::max(breaker.next_attempt(), now + 10ms))
      breaker.record(v, now, now);
    out.push_back(now - kBack);
  }
  return out;
}

int most_in_a_second(const std::vector<Duration>& times) {
  std::map<long long, int> seconds;
  int most = 0;
  for (Duration t : times) most = std::max(most, ++seconds[t / 1s]);
  return most;
}

TEST(Return, HundredsOfSitesDoNotComeBackInTheSameSecond) {
  EXPECT_LE(most_in_a_second(returns(500, 2min, {})), 25);
  EXPECT_LE(most_in_a_second(returns(500, 1h, {})), 15);
}

TEST(Return, NorDoThoseThatWereToldTheSameMomentToComeBackAt) {
  EXPECT_LE(most_in_a_second(returns(500, 1min, 1min)), 35);
}

TEST(Return, WhatAnUpstreamAskedForIsProlongedByNoMoreThanItAskedFor) {
  RetryOptions options;
  options.retry_min = 100ms;
  options.spread = 30s;
  Duration longest{}, shortest = 1h;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (Duration asked : {Duration(2s), Duration(10min)}) {
      Breaker breaker(options, seed);
      Verdict v;
      v.retry_after = asked;
      breaker.record(v, kBack, kBack);
      const Duration more = breaker.next_attempt() - kBack - asked;
      EXPECT_GE(more, 0s);
      EXPECT_LE(more, std::min<Duration>(asked, 30s));
      if (asked == 10min) longest = std::max(longest, more);
      if (asked == 10min) shortest = std::min(shortest, more);
    }
  }
  EXPECT_GT(longest, 25s);
  EXPECT_LT(shortest, 5s);
}

}  // namespace
}  // namespace checkrelay
