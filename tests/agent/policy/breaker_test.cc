#include <gtest/gtest.h>

#include <random>

#include "agent/policy/retry.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

RetryOptions options() {
  RetryOptions o;
  o.retry_min = 1s;
  o.retry_max = 5min;
  return o;
}

Verdict verdict(Judgement j, std::optional<Duration> after = {}) {
  Verdict v;
  v.judgement = j;
  v.retry_after = after;
  return v;
}

// A destination that fails `n` times in a row, each try begun as soon as it may.
Duration pause_after(unsigned n, Judgement j, std::uint64_t seed, Duration latency = 1ms) {
  Breaker breaker(options(), seed);
  Steady now(1h);
  for (unsigned i = 0; i < n; ++i) {
    Steady began = std::max(now, breaker.next_attempt());
    now = began + latency;
    breaker.record(verdict(j), began, now);
  }
  return breaker.next_attempt() - now;
}

TEST(Breaker, BeginsWell) {
  Breaker breaker(options(), 1);
  EXPECT_EQ(breaker.state(), Breaker::State::ok);
  EXPECT_FALSE(breaker.probing());
  EXPECT_LE(breaker.next_attempt(), Steady{});
}

// A name that the upstream cannot address is refused at home: that says nothing of the upstream's
// health.
TEST(Breaker, AVerdictGivenLocallyDoesNotCloseIt) {
  Breaker breaker(options(), 1);
  breaker.record(verdict(Judgement::auth), Steady(1h), Steady(1h));
  Steady next = breaker.next_attempt();
  Verdict local = verdict(Judgement::rejected);
  local.local = true;
  breaker.record(local, Steady(1h), Steady(1h));
  EXPECT_EQ(breaker.state(), Breaker::State::auth);
  EXPECT_EQ(breaker.next_attempt(), next);
}

TEST(Breaker, StatesHaveTheirPublicNames) {
  EXPECT_EQ(to_string(Breaker::State::ok), "ok");
  EXPECT_EQ(to_string(Breaker::State::backoff), "backoff");
  EXPECT_EQ(to_string(Breaker::State::auth), "auth");
  EXPECT_EQ(to_string(Breaker::State::held), "held");
  EXPECT_EQ(to_string(Breaker::State::config), "config");
}

// Full jitter: anything from almost nothing to the doubled minimum, never past the maximum.
TEST(Breaker, PausesStayWithinTheDoubledMinimum) {
  for (std::uint64_t seed = 0; seed < 300; ++seed)
    for (unsigned n = 1; n <= 12; ++n) {
      Duration pause = pause_after(n, Judgement::transient, seed);
      Duration most = std::min<Duration>(1s * (1U << (n - 1)), 5min);
      ASSERT_GE(pause, 10ms) << seed;
      ASSERT_LE(pause, most) << seed;
    }
}

TEST(Breaker, PausesGrowOnAverage) {
  auto mean = [](unsigned n) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 500; ++seed)
      sum += to_seconds(pause_after(n, Judgement::transient, seed));
    return sum / 500;
  };
  EXPECT_NEAR(mean(1), 0.5, 0.1);
  EXPECT_NEAR(mean(4), 4, 0.5);
  EXPECT_NEAR(mean(50), 150, 15);
}

TEST(Breaker, SeedsSpreadThePauses) {
  EXPECT_NE(pause_after(5, Judgement::transient, 1), pause_after(5, Judgement::transient, 2));
  EXPECT_EQ(pause_after(5, Judgement::transient, 1), pause_after(5, Judgement::transient, 1));
}

TEST(Breaker, AnyAnswerAboutAnItemClosesIt) {
  for (Judgement j : {Judgement::delivered, Judgement::rejected, Judgement::unknown_object}) {
    Breaker breaker(options(), 1);
    breaker.record(verdict(Judgement::transient), Steady(1s), Steady(2s));
    ASSERT_TRUE(breaker.probing());
    breaker.record(verdict(j), Steady(3s), Steady(4s));
    EXPECT_EQ(breaker.state(), Breaker::State::ok);
    EXPECT_LE(breaker.next_attempt(), Steady(4s));
  }
}

TEST(Breaker, ASuccessForgetsTheFailuresBefore) {
  Breaker breaker(options(), 1);
  for (int i = 1; i < 10; ++i)
    breaker.record(verdict(Judgement::transient), Steady(i * 1h), Steady(i * 1h + 1s));
  breaker.record(verdict(Judgement::delivered), Steady(20h), Steady(20h));
  breaker.record(verdict(Judgement::transient), Steady(21h), Steady(21h + 1s));
  EXPECT_LE(breaker.next_attempt(), Steady(21h + 2s));
}

TEST(Breaker, RetryAfterIsHonouredAndJitterComesOnTop) {
  Breaker breaker(options(), 1);
  breaker.record(verdict(Judgement::transient, 90s), Steady(1s), Steady(2s));
  EXPECT_EQ(breaker.state(), Breaker::State::held);
  EXPECT_GT(breaker.next_attempt(), Steady(92s));
  EXPECT_LE(breaker.next_attempt(), Steady(93s));
}

TEST(Breaker, AnUpstreamCannotAskForMoreThanAnHour) {
  Breaker breaker(options(), 1);
  breaker.record(verdict(Judgement::held, 24h * 365), Steady(1s), Steady(2s));
  EXPECT_LE(breaker.next_attempt(), Steady(1h + 4s));
}

TEST(Breaker, HeldIsHeldThoughTheUpstreamDidNotSayForHowLong) {
  Breaker breaker(options(), 1);
  breaker.record(verdict(Judgement::held), Steady(1s), Steady(2s));
  EXPECT_EQ(breaker.state(), Breaker::State::held);
  EXPECT_GT(breaker.next_attempt(), Steady(2s));
}

TEST(Breaker, HoldsDoNotAddUp) {
  Breaker breaker(options(), 1);
  for (int i = 1; i < 20; ++i)
    breaker.record(verdict(Judgement::held, 10s), Steady(i * 1h), Steady(i * 1h + 1s));
  EXPECT_EQ(breaker.state(), Breaker::State::held);
  EXPECT_LE(breaker.next_attempt(), Steady(19h + 12s));
}

TEST(Breaker, RefusedCredentialsWaitLong) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Duration pause = pause_after(1, Judgement::auth, seed);
    ASSERT_GE(pause, 150s);
    ASSERT_LE(pause, 300s);
  }
  Breaker breaker(options(), 1);
  breaker.record(verdict(Judgement::auth), Steady(1s), Steady(2s));
  EXPECT_EQ(breaker.state(), Breaker::State::auth);
}

TEST(Breaker, AWrongEndpointWaitsLong) {
  EXPECT_GE(pause_after(1, Judgement::config, 1), 150s);
  Breaker breaker(options(), 1);
  breaker.record(verdict(Judgement::config), Steady(1s), Steady(2s));
  EXPECT_EQ(breaker.state(), Breaker::State::config);
}

TEST(Breaker, TroubleThatBeganBeforeThePauseIsOldNews) {
  Breaker breaker(options(), 1);
  breaker.record(verdict(Judgement::transient), Steady(1s), Steady(10s));
  Steady decided = breaker.next_attempt();
  for (int i = 0; i < 20; ++i)
    breaker.record(verdict(Judgement::transient), Steady(2s), Steady(11s));
  EXPECT_EQ(breaker.next_attempt(), decided);
}

TEST(Breaker, ABatchThatFailsWholeIsOneFailure) {
  Breaker breaker(options(), 1);
  for (int i = 0; i < 60; ++i)
    breaker.record(verdict(Judgement::transient), Steady(10s), Steady(10s));
  EXPECT_LE(breaker.next_attempt(), Steady(11s));
}

TEST(Breaker, NewsOfAProbeLengthensThePause) {
  Breaker breaker(options(), 1);
  breaker.record(verdict(Judgement::transient), Steady(1s), Steady(10s));
  Steady first = breaker.next_attempt();
  breaker.record(verdict(Judgement::transient), first, first + 1s);
  EXPECT_GT(breaker.next_attempt(), first + 1s);
}

TEST(Breaker, NothingOverflowsHoweverLongItFails) {
  RetryOptions o;
  o.retry_min = 24h * 36500;
  o.retry_max = 24h * 36500;
  Breaker breaker(o, 1);
  Steady now(1s);
  for (int i = 0; i < 200; ++i) {
    breaker.record(verdict(static_cast<Judgement>(3 + i % 4)), now, now);
    ASSERT_GT(breaker.next_attempt(), now);
    now += 1ms;
  }
}

}  // namespace
}  // namespace checkrelay
