#include <algorithm>

#include "delivery_world.h"

namespace checkrelay {
namespace {

using DeliveryPace = DeliveryTest;

TEST_F(DeliveryPace, ABatchHoldsAtMostBatchMax) {
  open(destination(4));
  world.journal.frozen = true;
  put_many(10);
  world.journal.frozen = false;
  world.advance(1s);
  ASSERT_EQ(upstream.sent.size(), 3U);
  EXPECT_EQ(upstream.sent[0].batch.size(), 4U);
  EXPECT_EQ(upstream.sent[2].batch.size(), 2U);
}

TEST_F(DeliveryPace, ConversationsAtOnceAreAtMostMaxInFlight) {
  open(destination(1, 3));
  put_many(20);
  world.advance(1s);
  EXPECT_EQ(upstream.most_open, 3U);
  EXPECT_EQ(lane().delivered, 20U);
}

TEST_F(DeliveryPace, TheRateIsKeptEvenly) {
  open(destination(1, 1, 10));
  put_many(40);
  world.advance(10s);
  ASSERT_EQ(upstream.sent.size(), 40U);
  for (std::size_t i = 1; i < upstream.sent.size(); ++i) {
    Duration gap = upstream.sent[i].at - upstream.sent[i - 1].at;
    EXPECT_GE(gap, 99ms) << i;
    EXPECT_LE(gap, 106ms) << i;
  }
}

TEST_F(DeliveryPace, ABurstIsNeverMoreThanABatch) {
  open(destination(5, 4, 10));
  world.advance(1h);
  put_many(30);
  world.advance(20ms);
  EXPECT_EQ(upstream.outputs().size(), 5U);
  world.advance(1s);
  EXPECT_LE(upstream.outputs().size(), 15U);
}

TEST_F(DeliveryPace, LingeringWaitsForCompany) {
  open(destination(10, 1, 0, 100ms));
  put("a", "r1");
  world.advance(50ms);
  EXPECT_TRUE(upstream.sent.empty());
  put("b", "r2");
  world.advance(51ms);
  ASSERT_EQ(upstream.sent.size(), 1U);
  EXPECT_EQ(upstream.sent[0].batch.size(), 2U);
}

TEST_F(DeliveryPace, AFullBatchDoesNotLinger) {
  open(destination(3, 1, 0, 10s));
  put_many(3);
  world.advance(1ms);
  EXPECT_EQ(upstream.sent.size(), 1U);
}

TEST_F(DeliveryPace, WithoutLingeringNothingWaits) {
  open(destination(10));
  put("a", "r1");
  EXPECT_EQ(upstream.sent.size(), 1U);
}

TEST_F(DeliveryPace, IdleNothingWakesUp) {
  open(destination(1, 1, 10));
  put_many(3);
  world.advance(1s);
  std::size_t before = world.wakeups();
  world.advance(24h);
  EXPECT_EQ(world.wakeups(), before);
}

TEST_F(DeliveryPace, SpuriousTicksAreNoOps) {
  open(destination());
  put("a", "r1");
  for (int i = 0; i < 100; ++i) delivery->tick(world.now());
  world.settle_down();
  EXPECT_EQ(upstream.sent.size(), 1U);
  EXPECT_EQ(upstream.open, 1U);
}

TEST_F(DeliveryPace, OnceRetiredItClaimsNothingMore) {
  open(destination());
  put_many(3);
  delivery->retire();
  world.advance(1h);
  EXPECT_EQ(lane().delivered, 1U);
  EXPECT_EQ(lane().pending, 2U);
  EXPECT_TRUE(delivery->idle());
}

TEST_F(DeliveryPace, WhileSomethingIsOnItsWayItIsNotIdle) {
  open(destination());
  put("a", "r1");
  delivery->retire();
  EXPECT_FALSE(delivery->idle());
  world.advance(1s);
  EXPECT_TRUE(delivery->idle());
}

// Says a last word, once.
class Polite : public ScriptedOutbound {
 public:
  explicit Polite(int& said) : said_(said) {}
  std::unique_ptr<Conversation> farewell() override {
    ++said_;
    return ScriptedOutbound::open({});
  }

 private:
  int& said_;
};

TEST_F(DeliveryPace, TakesItsLeaveOnceWhenNothingIsOnItsWay) {
  int said = 0;
  open(destination(), {}, std::make_unique<Polite>(said));
  put("a", "r1");
  delivery->retire();
  EXPECT_EQ(said, 0);
  world.advance(1s);
  EXPECT_EQ(said, 1);
  EXPECT_TRUE(delivery->idle());
  delivery->retire();
  world.advance(1s);
  EXPECT_EQ(said, 1);
}

TEST_F(DeliveryPace, OfAnUpstreamInTroubleNoLeaveIsTaken) {
  int said = 0;
  open(destination(), {}, std::make_unique<Polite>(said));
  upstream.judge = Upstream::always(Judgement::transient);
  put("a", "r1");
  world.advance(1s);
  delivery->retire();
  world.advance(1s);
  EXPECT_EQ(said, 0);
  EXPECT_TRUE(delivery->idle());
}

TEST_F(DeliveryPace, WhoIsCancelledTakesNoLeave) {
  int said = 0;
  open(destination(), {}, std::make_unique<Polite>(said));
  put("a", "r1");
  delivery->retire();
  delivery->cancel();
  world.advance(1s);
  EXPECT_EQ(said, 0);
  EXPECT_TRUE(delivery->idle());
}

TEST_F(DeliveryPace, ClaimsThatArriveAfterItRetiredGoBack) {
  open(destination());
  world.journal.frozen = true;
  put("a", "r1");
  world.journal.frozen = false;
  world.journal.poll(world.now());
  delivery->tick(world.now());
  delivery->retire();
  EXPECT_FALSE(delivery->idle());
  world.settle_down();
  EXPECT_TRUE(upstream.sent.empty());
  EXPECT_EQ(fate("r1"), "pending");
  EXPECT_TRUE(delivery->idle());
}

TEST_F(DeliveryPace, CancellingPutsEverythingBack) {
  open(destination(1, 3));
  upstream.latency = 1h;
  put_many(3);
  EXPECT_EQ(upstream.open, 3U);
  delivery->retire();
  delivery->cancel();
  world.settle_down();
  EXPECT_TRUE(delivery->idle());
  EXPECT_EQ(lane().pending, 3U);
  EXPECT_EQ(lane().in_flight, 0U);
}

TEST_F(DeliveryPace, DestroyingItPutsEverythingBack) {
  open(destination(1, 3));
  upstream.latency = 1h;
  put_many(3);
  delivery.reset();
  world.settle_down();
  EXPECT_EQ(upstream.cancelled, 3U);
  EXPECT_EQ(lane().pending, 3U);
  EXPECT_EQ(lane().in_flight, 0U);
}

TEST_F(DeliveryPace, PausedItFinishesWhatIsOnItsWayAndBeginsNothing) {
  open(destination(1, 2));
  upstream.latency = 10s;
  put_many(5);
  ASSERT_EQ(upstream.open, 2U);
  pause(true);
  put("new", "r9");
  world.advance(1h);
  EXPECT_EQ(upstream.sent.size(), 2U);
  EXPECT_EQ(upstream.cancelled, 0U);
  EXPECT_EQ(lane().delivered, 2U);
  EXPECT_EQ(lane().pending, 4U);
  EXPECT_EQ(lane().in_flight, 0U);
  std::size_t before = world.wakeups();
  world.advance(24h);
  EXPECT_EQ(world.wakeups(), before);
  pause(false);
  world.advance(1min);
  EXPECT_EQ(upstream.outputs(), (std::vector<std::string>{"r0", "r1", "r2", "r3", "r4", "r9"}));
}

TEST_F(DeliveryPace, PausedItGivesBackWhatItHasClaimedAhead) {
  open(destination(1, 1));
  upstream.latency = 1ms;
  put_many(200);
  world.advance(20ms);
  upstream.latency = 1h;
  world.advance(1ms);
  ASSERT_GT(lane().in_flight, upstream.open);
  pause(true);
  EXPECT_EQ(lane().in_flight, upstream.open);
}

TEST_F(DeliveryPace, ClaimsThatArriveAfterItWasDestroyedGoBack) {
  open(destination());
  world.journal.frozen = true;
  put("a", "r1");
  world.journal.frozen = false;
  world.journal.poll(world.now());
  delivery->tick(world.now());
  delivery.reset();
  world.settle_down();
  EXPECT_EQ(fate("r1"), "pending");
  EXPECT_EQ(lane().in_flight, 0U);
}

TEST_F(DeliveryPace, WhatAnOutageHoldsTakesNothingOfTheOthersRate) {
  constexpr int kHeld = 700;  // each is looked at once a minute, more than the rate allows
  PlannedOutage outage;
  outage.start = "0";
  outage.end = "99999999999";
  for (int i = 0; i < kHeld; ++i) outage.nodes.push_back("held" + std::to_string(i));
  OutageReading reading;
  reading.effect = OutageEffect::hold;
  outages.set("site", std::make_shared<const OutageBook>(std::vector{outage}, reading));
  open(destination(1, 1, 10));
  for (const std::string& node : outage.nodes) put(node, node);
  world.advance(3min);
  EXPECT_TRUE(upstream.sent.empty());
  put_many(30);
  world.advance(5s);
  EXPECT_EQ(upstream.sent.size(), 30U);
}

}  // namespace
}  // namespace checkrelay
