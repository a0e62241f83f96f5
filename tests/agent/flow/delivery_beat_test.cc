// The agent's own heartbeat beside the results of a destination.
#include <gmock/gmock.h>

#include <algorithm>

#include "delivery_world.h"

namespace checkrelay {
namespace {

using ::testing::ElementsAre;
using State = Breaker::State;

class DeliveryBeat : public DeliveryTest {
 protected:
  static bool is_beat(const CheckResult& r) { return r.subject.service == "checkrelay"; }
  static bool is_beat(const std::vector<CheckResult>& batch) { return is_beat(batch.front()); }

  void beat(const std::string& output) {
    CheckResult r;
    r.subject = {"edge1", "checkrelay"};
    r.output = output;
    delivery->beat(std::move(r));
    world.env.kick();
  }
  void beat_each(Duration every, Duration until) {
    for (Duration at = every; at <= until; at += every)
      world.at(world.now().steady + at, [this] { beat("beat"); });
  }
  [[nodiscard]] std::size_t place_of(const std::string& output) const {
    const auto all = upstream.outputs();
    return static_cast<std::size_t>(std::find(all.begin(), all.end(), output) - all.begin());
  }
  [[nodiscard]] const HeartbeatCounts& counts() const { return delivery->heartbeats().counts(); }
};

TEST_F(DeliveryBeat, ItIsAConversationOfItsOwnAndNoneOfTheJournals) {
  open(destination(10));
  put("a", "r");
  beat("b");
  world.advance(1s);
  ASSERT_EQ(upstream.sent.size(), 2U);
  EXPECT_EQ(counts().sent, 1U);
  EXPECT_EQ(lane().delivered, 1U);
  EXPECT_EQ(lane().retries, 0U);
  EXPECT_EQ(lane().pending + lane().in_flight + lane().superseded + lane().dead, 0U);
  EXPECT_TRUE(delivery->idle());
}

TEST_F(DeliveryBeat, GoesAheadOfABacklogInWhateverOrder) {
  for (const Drain drain : {Drain::in_order, Drain::fresh_first}) {
    upstream.sent.clear();
    LaneOptions lane;
    lane.drain = drain;
    open(destination(10, 2), lane);
    pause(true);
    put_many(200);
    beat("b");
    pause(false);
    world.advance(1min);
    EXPECT_EQ(place_of("b"), 0U);
    EXPECT_EQ(upstream.outputs().size(), 201U);
  }
}

TEST_F(DeliveryBeat, GoesWithTheNextFreeConversationWhileTheBacklogIsBeingSent) {
  open(destination(1, 4));
  upstream.latency = 1s;
  put_many(100);
  world.advance(3500ms);
  const std::size_t before = upstream.sent.size();
  beat("b");
  world.advance(1s);
  EXPECT_LE(place_of("b"), before);
  EXPECT_LE(upstream.most_open, 4U);  // and no more than that
  world.advance(1min);
  EXPECT_EQ(lane().delivered, 100U);
}

TEST_F(DeliveryBeat, NeitherRateNorBandwidthNorLingerKeepItBack) {
  DestinationConfig c = destination(1, 1, 0.1, 1min);
  c.options.set("bandwidth", 10LL);
  open(c);
  put_many(20);
  world.advance(30min);
  const Steady now = world.now().steady;
  beat("b");
  world.advance(10ms);
  ASSERT_FALSE(upstream.sent.empty());
  EXPECT_EQ(upstream.sent.back().at, now);
  EXPECT_TRUE(is_beat(upstream.sent.back().batch));
}

TEST_F(DeliveryBeat, SupersededWhileTheUpstreamIsDownSoThatOneArrivesAfterAndFirst) {
  open(destination());
  upstream.judge = Upstream::always(Judgement::transient, "connection refused");
  put_many(50);
  world.advance(1s);
  for (int i = 0; i < 60; ++i) {
    beat("b" + std::to_string(i));
    world.advance(1min);
  }
  EXPECT_EQ(counts().sent, 0U);
  EXPECT_EQ(counts().superseded, 59U);
  EXPECT_EQ(counts().last_answer, "connection refused");
  upstream.sent.clear();
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(10min);
  EXPECT_EQ(counts().sent, 1U);
  EXPECT_LE(place_of("b59"), 1U);  // behind nothing but the result that found the upstream well
  EXPECT_EQ(lane().delivered, 50U);
  EXPECT_EQ(std::count_if(upstream.sent.begin(), upstream.sent.end(),
                          [](const auto& s) { return is_beat(s.batch); }),
            1);
}

TEST_F(DeliveryBeat, GoesAtOnceWhereTheLoadStillRises) {
  DestinationConfig c = destination(1, 2);
  c.options.set("spread", Duration(5min));
  open(c);
  upstream.latency = 1s;
  upstream.judge = Upstream::always(Judgement::transient);
  put_many(50);
  world.advance(10min);
  upstream.judge = Upstream::always(Judgement::delivered);
  while (delivery->breaker().probing()) world.advance(1s);
  beat("b");
  const Steady now = world.now().steady;
  world.advance(2s);
  ASSERT_LT(place_of("b"), upstream.outputs().size());
  for (const auto& s : upstream.sent) EXPECT_TRUE(!is_beat(s.batch) || s.at <= now + 1s);
}

TEST_F(DeliveryBeat, IsTheProbeOfADestinationThatHasNothingElse) {
  open(destination());
  upstream.judge = Upstream::always(Judgement::transient, "connection refused");
  beat("b");
  world.advance(10s);
  EXPECT_EQ(delivery->breaker().state(), State::backoff);
  EXPECT_EQ(delivery->last_error(), "connection refused");
  EXPECT_TRUE(delivery->troubled());
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(1min);
  EXPECT_EQ(delivery->breaker().state(), State::ok);
  EXPECT_FALSE(delivery->troubled());
  EXPECT_EQ(delivery->last_error(), "");
  EXPECT_EQ(counts().sent, 1U);
}

TEST_F(DeliveryBeat, WhileThereIsTroubleOneConversationProbesWhicheverItIs) {
  open(destination(1, 8));
  upstream.judge = Upstream::always(Judgement::transient);
  upstream.latency = 1s;
  put_many(20);
  world.advance(10s);
  upstream.most_open = upstream.open;
  beat_each(1min, 1h);
  world.advance(1h);
  EXPECT_EQ(upstream.most_open, 1U);
  const auto beats = std::count_if(upstream.sent.begin(), upstream.sent.end(),
                                   [](const auto& s) { return is_beat(s.batch); });
  EXPECT_GT(beats, 5);
  EXPECT_GT(static_cast<std::ptrdiff_t>(upstream.sent.size()) - beats, 5);
}

TEST_F(DeliveryBeat, APausedDestinationGetsNone) {
  open(destination());
  pause(true);
  beat("a");
  world.advance(1h);
  beat("b");
  world.advance(1h);
  EXPECT_TRUE(upstream.sent.empty());
  EXPECT_EQ(counts().superseded, 1U);
  pause(false);
  world.advance(1s);
  EXPECT_THAT(upstream.outputs(), ElementsAre("b"));
}

TEST_F(DeliveryBeat, AnUpstreamThatAskedToWaitIsLeftAlone) {
  open(destination());
  upstream.judge = [](const std::vector<CheckResult>& batch) {
    auto verdicts = Upstream::always(Judgement::held, "reloading")(batch);
    for (Verdict& v : verdicts) v.retry_after = 10min;
    return verdicts;
  };
  put("a", "r");
  world.advance(1s);
  beat("b");
  world.advance(9min);
  EXPECT_EQ(upstream.sent.size(), 1U);
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(5min);
  EXPECT_EQ(upstream.sent.size(), 3U);
}

TEST_F(DeliveryBeat, AnUnknownServiceIsTheHeartbeatsTroubleAlone) {
  open(destination());
  upstream.judge = [](const std::vector<CheckResult>& batch) {
    return Upstream::always(is_beat(batch) ? Judgement::unknown_object : Judgement::delivered,
                            "no such service")(batch);
  };
  beat_each(1min, 1h);
  world.advance(1h + 1s);
  EXPECT_EQ(counts().refused, 60U);
  EXPECT_EQ(upstream.sent.size(), 60U);  // one a beat
  EXPECT_EQ(delivery->breaker().state(), State::ok);
  EXPECT_EQ(delivery->last_error(), "");
  EXPECT_EQ(counts().last_answer, "no such service");
  EXPECT_EQ(lane().dead, 0U);
}

TEST_F(DeliveryBeat, WhatItIsAnsweredDoesNotHideWhatResultsWereAnswered) {
  open(destination());
  upstream.judge = [](const std::vector<CheckResult>& batch) {
    return Upstream::always(is_beat(batch) ? Judgement::delivered : Judgement::rejected,
                            "poison")(batch);
  };
  put("a", "r");
  beat("b");
  world.advance(1min);
  EXPECT_EQ(counts().sent, 1U);
  EXPECT_EQ(delivery->last_error(), "poison");
}

// Whatever an upstream makes of the heartbeat, results pass.
TEST_F(DeliveryBeat, OneThatIsThePoisonKeepsNoResultBack) {
  for (const Judgement j : {Judgement::transient, Judgement::auth, Judgement::config}) {
    upstream.sent.clear();
    upstream.judge = [j](const std::vector<CheckResult>& batch) {
      return Upstream::always(is_beat(batch) ? j : Judgement::delivered)(batch);
    };
    open(destination());
    beat_each(1min, 1h);
    world.advance(10min);  // in which it may be taken for the destination's
    for (int i = 0; i < 200; ++i)
      world.at(world.now().steady + i * 5s, [this, i] { put("h" + std::to_string(i), "r"); });
    world.advance(17min);
    EXPECT_EQ(delivery->breaker().state(), State::ok);
    EXPECT_EQ(lane().pending + lane().in_flight, 0U);
    EXPECT_GT(lane().delivered, 0U);
    world.advance(33min);
  }
}

TEST_F(DeliveryBeat, ADeliveryThatRetiresSendsNoMoreAndAwaitsWhatIsUnderWay) {
  upstream.latency = 1s;
  open(destination());
  beat("a");
  world.advance(1ms);
  EXPECT_FALSE(delivery->idle());
  beat("b");
  delivery->retire();
  world.advance(10s);
  EXPECT_TRUE(delivery->idle());
  EXPECT_THAT(upstream.outputs(), ElementsAre("a"));
}

TEST_F(DeliveryBeat, ADeliveryThatGoesTakesItsHeartbeatAlong) {
  upstream.latency = 1min;
  open(destination());
  beat("a");
  world.advance(1s);
  delivery.reset();
  world.advance(2min);
  EXPECT_EQ(upstream.sent.size(), 1U);
}

}  // namespace
}  // namespace checkrelay
