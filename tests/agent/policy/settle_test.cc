#include <gtest/gtest.h>

#include <set>

#include "agent/policy/retry.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using End = Settlement::End;

const Wall kReceived{Duration(1767608100000000)};

Instant later_by(Duration d) { return {Steady(1h) + d, kReceived + d}; }

Claim claim(unsigned tries = 0) {
  Claim c;
  c.seq = 7;
  c.received = kReceived;
  c.tries = tries;
  return c;
}

Verdict verdict(Judgement j) {
  Verdict v;
  v.judgement = j;
  v.answer = "the answer";
  return v;
}

Settlement settled(Judgement j, const Claim& c = claim(), Duration after = 1s,
                   const RetryOptions& options = {}) {
  return settle(c, verdict(j), options, later_by(after));
}

TEST(Settle, KeepsTheUpstreamsWords) {
  for (int j = 0; j < 7; ++j) {
    Settlement s = settled(static_cast<Judgement>(j));
    EXPECT_EQ(s.seq, 7U);
    EXPECT_EQ(s.answer, "the answer");
  }
}

TEST(Settle, DeliveredAndRejectedAreEnds) {
  EXPECT_EQ(settled(Judgement::delivered).end, End::delivered);
  EXPECT_EQ(settled(Judgement::rejected).end, End::dead);
}

TEST(Settle, TheDestinationsTroubleBlamesNoItem) {
  for (Judgement j : {Judgement::auth, Judgement::config, Judgement::held})
    EXPECT_EQ(settled(j, claim(1000), 24h * 365).end, End::put_back);
}

TEST(Settle, TransientGoesBackToItsPlace) {
  EXPECT_EQ(settled(Judgement::transient, claim(0)).end, End::put_back);
  EXPECT_EQ(settled(Judgement::transient, claim(1)).end, End::put_back);
}

TEST(Settle, TheThirdFailurePutsASuspectAside) {
  Settlement s = settled(Judgement::transient, claim(2), 0s);
  EXPECT_EQ(s.end, End::later);
  EXPECT_GE(s.due, Steady(1h) + 2s);
  EXPECT_LE(s.due, Steady(1h) + 4s);
  EXPECT_FALSE(s.unknown_object);
}

TEST(Settle, ASuspectWaitsNoLongerThanTheMaximum) {
  EXPECT_LE(settled(Judgement::transient, claim(100), 0s).due, Steady(1h) + 5min);
  EXPECT_GE(settled(Judgement::transient, claim(100), 0s).due, Steady(1h) + 150s);
}

TEST(Settle, SuspectsThatFailedTogetherComeBackApart) {
  std::set<Steady> dues;
  Claim c = claim(2);
  for (c.seq = 1; c.seq <= 100; ++c.seq) dues.insert(settled(Judgement::transient, c, 0s).due);
  EXPECT_GT(dues.size(), 95U);
}

TEST(Settle, GivesUpAfterTheConfiguredTime) {
  RetryOptions o;
  o.give_up_after = 1h;
  EXPECT_EQ(settled(Judgement::transient, claim(0), 59min, o).end, End::put_back);
  EXPECT_EQ(settled(Judgement::transient, claim(0), 1h, o).end, End::dead);
  EXPECT_EQ(settled(Judgement::unknown_object, claim(0), 1h, o).end, End::dead);
}

TEST(Settle, ByDefaultItNeverGivesUp) {
  EXPECT_EQ(settled(Judgement::transient, claim(50), 24h * 365).end, End::later);
}

TEST(Settle, AWallClockThatJumpedBackGivesNothingUp) {
  RetryOptions o;
  o.give_up_after = 1h;
  EXPECT_EQ(settled(Judgement::transient, claim(0), -24h, o).end, End::put_back);
}

TEST(Settle, AnUnknownObjectIsOfferedAgainSlowly) {
  Settlement s = settled(Judgement::unknown_object, claim(0), 0s);
  EXPECT_EQ(s.end, End::later);
  EXPECT_TRUE(s.unknown_object);
  EXPECT_EQ(s.due, Steady(1h) + 5min);
}

TEST(Settle, AnUnknownObjectIsDeadAtTheEndOfItsWindow) {
  Claim c = claim(12);
  c.first_unknown = kReceived;
  EXPECT_EQ(settled(Judgement::unknown_object, c, 59min).end, End::later);
  EXPECT_EQ(settled(Judgement::unknown_object, c, 1h).end, End::dead);
}

TEST(Settle, AClockThatJumpedDoesNotEndTheWindowAlone) {
  Claim c = claim(1);
  c.first_unknown = kReceived;
  EXPECT_EQ(settled(Judgement::unknown_object, c, 24h * 365).end, End::later);
}

TEST(Settle, WithoutAWindowAnUnknownObjectIsDeadAtOnce) {
  RetryOptions o;
  o.unknown_object_retry = 0s;
  EXPECT_EQ(settled(Judgement::unknown_object, claim(0), 0s, o).end, End::dead);
}

TEST(Settle, ATinyWindowStillPauses) {
  RetryOptions o;
  o.unknown_object_retry = 1us;
  EXPECT_GE(settled(Judgement::unknown_object, claim(0), 0s, o).due, Steady(1h) + 10ms);
}

// Walks one claim through an upstream that never knows it: it must end, and after some dozen tries.
TEST(Settle, AnObjectThatStaysUnknownEndsAfterADozenTries) {
  Claim c = claim(0);
  Duration t = 0s;
  unsigned offers = 1;
  for (; offers < 100; ++offers) {
    Settlement s = settled(Judgement::unknown_object, c, t);
    if (s.end == End::dead) break;
    ++c.tries;
    if (!c.first_unknown) c.first_unknown = kReceived + t;
    t = s.due - Steady(1h);
  }
  EXPECT_EQ(offers, 13U);
  EXPECT_EQ(t, 1h);
}

}  // namespace
}  // namespace checkrelay
