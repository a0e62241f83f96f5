#include "agent/flow/heartbeat_post.h"

#include <gtest/gtest.h>

#include "tests/support/upstream.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

class HeartbeatPostTest : public testing::Test {
 protected:
  void offer(const std::string& output) {
    CheckResult r;
    r.output = output;
    post.offer(std::move(r));
    ++offered;
  }
  bool land(Judgement j, bool well = true, const std::string& answer = "why") {
    return post.landed(verdict_of(0, j, answer), well, Wall(77s), changed);
  }
  [[nodiscard]] std::uint64_t ended() const {
    const HeartbeatCounts& c = post.counts();
    return c.sent + c.refused + c.superseded;
  }

  HeartbeatPost post;
  bool changed = false;
  std::uint64_t offered = 0;
};

TEST_F(HeartbeatPostTest, NewestTakesThePlaceOfTheUnsent) {
  EXPECT_FALSE(post.waiting());
  EXPECT_FALSE(post.offered());
  offer("a");
  offer("b");
  EXPECT_EQ(post.counts().superseded, 1U);
  EXPECT_EQ(post.take().output, "b");
  EXPECT_FALSE(post.waiting());
  EXPECT_TRUE(land(Judgement::delivered));
  EXPECT_EQ(post.counts().sent, 1U);
  EXPECT_EQ(post.counts().last_sent, Wall(77s));
  EXPECT_EQ(post.counts().taken, true);
  EXPECT_FALSE(changed);
  EXPECT_EQ(ended(), offered);
}

TEST_F(HeartbeatPostTest, OneAtATimeAndWhatFailedGivesWayToTheNewer) {
  offer("a");
  EXPECT_EQ(post.take().output, "a");
  offer("b");
  EXPECT_FALSE(post.waiting());
  EXPECT_TRUE(land(Judgement::transient, false));
  EXPECT_EQ(post.counts().superseded, 1U);
  EXPECT_EQ(post.counts().last_answer, "why");
  EXPECT_EQ(post.take().output, "b");
  EXPECT_TRUE(land(Judgement::delivered));
  EXPECT_EQ(post.counts().last_answer, "");
  EXPECT_EQ(ended(), offered);
}

TEST_F(HeartbeatPostTest, WhatFailedWaitsForItsNextChance) {
  offer("a");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(post.take().output, "a");
    EXPECT_TRUE(land(Judgement::transient, false));
    EXPECT_TRUE(post.waiting());
  }
  EXPECT_EQ(ended(), 0U);
}

TEST_F(HeartbeatPostTest, WhatWasWithdrawnOnItsWayIsNotSentAgain) {
  offer("a");
  (void)post.take();
  post.withdraw();
  EXPECT_TRUE(land(Judgement::transient, false));
  EXPECT_FALSE(post.waiting());
  EXPECT_FALSE(post.offered());
  EXPECT_EQ(ended(), offered);
  offer("b");
  EXPECT_EQ(post.take().output, "b");
  EXPECT_TRUE(land(Judgement::transient, false));
  EXPECT_TRUE(post.waiting()) << "the withdrawal was not of this one";
}

TEST_F(HeartbeatPostTest, WhatComesAfterAWithdrawalWaitsAsEver) {
  offer("a");
  (void)post.take();
  post.withdraw();
  offer("b");
  EXPECT_TRUE(land(Judgement::transient, false));
  EXPECT_EQ(post.take().output, "b");
  EXPECT_TRUE(land(Judgement::delivered));
  EXPECT_EQ(ended(), offered);
}

TEST_F(HeartbeatPostTest, ARefusalIsAnEndAndAChangeOnce) {
  for (const Judgement j : {Judgement::unknown_object, Judgement::rejected}) {
    offer("a");
    (void)post.take();
    EXPECT_TRUE(land(j));
    EXPECT_EQ(changed, j == Judgement::unknown_object);  // the first
    EXPECT_FALSE(post.waiting());
    EXPECT_EQ(post.counts().taken, false);
    EXPECT_EQ(post.counts().last_answer, "why");
  }
  EXPECT_EQ(post.counts().refused, 2U);
  offer("b");
  (void)post.take();
  EXPECT_TRUE(land(Judgement::delivered));
  EXPECT_TRUE(changed);
  EXPECT_EQ(ended(), offered);
}

TEST_F(HeartbeatPostTest, OneThatFailsWhereResultsAreTakenWaitsForTheNextBeat) {
  offer("a");
  (void)post.take();
  EXPECT_TRUE(land(Judgement::transient));  // the upstream may have gone just now
  (void)post.take();
  EXPECT_TRUE(land(Judgement::transient));
  EXPECT_FALSE(post.waiting());
  offer("b");
  ASSERT_TRUE(post.waiting());
  (void)post.take();
  EXPECT_FALSE(land(Judgement::transient));  // it is known by now
  EXPECT_FALSE(post.waiting());
  offer("c");
  (void)post.take();
  EXPECT_TRUE(land(Judgement::transient, false));  // trouble that others have found
  (void)post.take();
  EXPECT_TRUE(land(Judgement::delivered));
  offer("d");
  (void)post.take();
  EXPECT_TRUE(land(Judgement::transient));  // forgiven
  EXPECT_TRUE(post.waiting());
}

TEST_F(HeartbeatPostTest, RefusedCredentialsCostMinutesSoOnceIsEnough) {
  offer("a");
  (void)post.take();
  EXPECT_TRUE(land(Judgement::auth));
  EXPECT_FALSE(post.waiting());
  offer("b");
  (void)post.take();
  EXPECT_FALSE(land(Judgement::auth));
}

TEST_F(HeartbeatPostTest, AskedToWaitIsNoFailure) {
  offer("a");
  for (int i = 0; i < 5; ++i) {
    (void)post.take();
    EXPECT_TRUE(land(Judgement::held));
    EXPECT_TRUE(post.waiting());
  }
}

TEST_F(HeartbeatPostTest, WithdrawnIsAsIfNoneHadBeenOffered) {
  offer("a");
  post.withdraw();
  EXPECT_FALSE(post.waiting());
  EXPECT_FALSE(post.offered());
  EXPECT_EQ(ended(), offered);
}

}  // namespace
}  // namespace checkrelay
