#include "delivery_world.h"

namespace checkrelay {
namespace {

class DeliveryReturn : public DeliveryTest {
 protected:
  static DestinationConfig spread_over(Duration spread, long long batch_max = 1,
                                       long long max_in_flight = 4, double rate = 0) {
    DestinationConfig c = destination(batch_max, max_in_flight, rate);
    c.options.set("retry_max", Duration(1s));
    c.options.set("spread", spread);
    return c;
  }
  // The upstream is away for so long, while `n` results come in; then until it is found back.
  void outage(Duration length, int n) {
    upstream.judge = Upstream::always(Judgement::transient, "connection refused");
    world.journal.frozen = true;
    put_many(n);
    world.journal.frozen = false;
    world.advance(length);
    upstream.judge = Upstream::always(Judgement::delivered);
    while (delivery->breaker().probing()) world.advance(50ms);
    upstream.sent.clear();
    upstream.most_open = upstream.open;
  }
};

TEST_F(DeliveryReturn, AfterAnOutageTheLoadRises) {
  open(spread_over(30s));
  upstream.latency = 150ms;
  outage(10s, 450);
  std::vector<std::size_t> sent;
  for (int i = 0; i < 6; ++i) {
    const std::size_t before = upstream.sent.size();
    world.advance(6s);
    sent.push_back(upstream.sent.size() - before);
  }
  const double full = 4 * 6s / 150ms;
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_NEAR(static_cast<double>(sent[i]), full * static_cast<double>(2 * i + 1) / 10, full / 10)
        << i << " of six seconds";
  EXPECT_EQ(upstream.most_open, 4U);
}

TEST_F(DeliveryReturn, ARateRisesToo) {
  open(spread_over(30s, 1, 1, 10));
  outage(10s, 260);
  world.advance(6s);
  EXPECT_LE(upstream.sent.size(), 8U);
  world.advance(24s);
  EXPECT_NEAR(static_cast<double>(upstream.sent.size()), 150, 10);
  world.advance(10s);
  EXPECT_NEAR(static_cast<double>(upstream.sent.size()), 250, 12);
}

TEST_F(DeliveryReturn, EverythingArrivesOnceAndThenNothingIsHeldBack) {
  open(spread_over(30s, 10));
  outage(10s, 200);
  world.advance(10min);
  EXPECT_EQ(lane().delivered, 200U);
  for (int i = 0; i < 50; ++i) {
    const std::size_t before = upstream.sent.size();
    put("new", "n" + std::to_string(i));
    ASSERT_EQ(upstream.sent.size(), before + 1) << "at once";
    world.advance(5ms);
  }
}

TEST_F(DeliveryReturn, ABacklogFoundAtTheStartRisesLikeAfterAnOutage) {
  const DestinationConfig config = spread_over(30s);
  open(config);
  delivery.reset();
  put_many(450);
  upstream.latency = 150ms;
  open(config);
  delivery->begin_with_backlog();
  const double full = 4 * 6s / 150ms;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t before = upstream.sent.size();
    world.advance(6s);
    EXPECT_NEAR(static_cast<double>(upstream.sent.size() - before),
                full * static_cast<double>(2 * i + 1) / 10, full / 10)
        << i << " of six seconds";
  }
}

TEST_F(DeliveryReturn, AStartWithNothingWaitingHoldsNothingBack) {
  open(spread_over(30s));
  delivery->begin_with_backlog();
  put_many(100);
  world.advance(1s);
  EXPECT_EQ(lane().delivered, 100U);
}

TEST_F(DeliveryReturn, TroubleAtTheStartBeginsTheRiseAnew) {
  const DestinationConfig config = spread_over(30s);
  open(config);
  delivery.reset();
  put_many(100);
  open(config);
  delivery->begin_with_backlog();
  outage(1s, 0);
  upstream.latency = 1s;
  world.advance(5s);
  EXPECT_LE(upstream.sent.size(), 5U);
}

TEST_F(DeliveryReturn, ShortTroubleAndNoneAskedForHoldNothingBack) {
  for (const auto& [spread, length] : {std::pair<Duration, Duration>(30s, 2s), {0s, 10s}}) {
    open(spread_over(spread));
    outage(length, 100);
    world.advance(1s);
    EXPECT_EQ(lane().pending + lane().in_flight, 0U) << to_seconds(spread);
    delivery.reset();
  }
}

TEST_F(DeliveryReturn, OnceAllIsDeliveredNothingWakesUp) {
  open(spread_over(30s));
  outage(1min, 20);
  world.advance(1min);
  const std::size_t before = world.wakeups();
  world.advance(24h);
  EXPECT_EQ(world.wakeups(), before);
}

}  // namespace
}  // namespace checkrelay
