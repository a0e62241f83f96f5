#include <numeric>

#include "delivery_world.h"

namespace checkrelay {
namespace {

class DeliveryBandwidth : public DeliveryTest {
 protected:
  static DestinationConfig thin(long long bytes, long long batch_max = 1,
                                long long max_in_flight = 1) {
    DestinationConfig c = destination(batch_max, max_in_flight);
    c.options.set("bandwidth", bytes);
    return c;
  }
  void put_large(int n, std::size_t size = 1000) {
    world.journal.frozen = true;
    for (int i = 0; i < n; ++i)
      put("host" + std::to_string(i), std::string(size, 'x') + std::to_string(i));
    world.journal.frozen = false;
    world.settle_down();
  }
};

TEST_F(DeliveryBandwidth, TheBudgetIsKept) {
  for (const auto& [batch, flights] : {std::pair(1, 1), {1, 8}, {100, 1}, {20, 4}}) {
    SCOPED_TRACE(batch);
    upstream = {};
    open(thin(2000, batch, flights));
    put_large(300);
    const Steady begin = world.now().steady;
    world.advance(100s);
    const double allowed = 2000.0 * 100;
    EXPECT_LE(static_cast<double>(upstream.bytes), allowed + 2 * 2000 + 1100);
    EXPECT_GE(static_cast<double>(upstream.bytes), allowed * 0.97) << "and made use of";
    EXPECT_EQ(upstream.sent.front().at, begin);
    world.advance(24h);
    EXPECT_EQ(lane().pending + lane().in_flight, 0U);
    delivery.reset();
  }
}

TEST_F(DeliveryBandwidth, OneThatIsLargerThanTheBudgetIsSentAndPaidFor) {
  open(thin(100));
  put_large(3, 5000);
  EXPECT_EQ(upstream.sent.size(), 1U);
  world.advance(49s);
  EXPECT_EQ(upstream.sent.size(), 1U);
  world.advance(5s);
  EXPECT_EQ(upstream.sent.size(), 2U);
  world.advance(60s);
  EXPECT_EQ(lane().delivered, 3U);
}

TEST_F(DeliveryBandwidth, WhereMoreWaitsThanMayGoBatchesStayLarge) {
  open(thin(10'000, 100));
  put_large(100);
  world.advance(1h);
  EXPECT_LE(upstream.sent.size(), 13U);
}

TEST_F(DeliveryBandwidth, WithRoomNothingWaits) {
  open(thin(64 * 1024, 10));
  for (int i = 0; i < 20; ++i) {
    put("host", "r" + std::to_string(i));
    EXPECT_EQ(upstream.sent.size(), static_cast<std::size_t>(i) + 1);
    EXPECT_EQ(upstream.sent.back().at, world.now().steady);
    world.advance(1s);
  }
}

TEST_F(DeliveryBandwidth, WhatIsMoreThanTheRecordsIsCountedToo) {
  struct Wordy : Outbound {
    std::unique_ptr<Conversation> open(std::span<const CheckResult> batch) override {
      std::vector<CheckResult> larger(batch.begin(), batch.end());
      for (CheckResult& r : larger) r.perfdata = std::string(9000, 'x');
      return plain.open(larger);
    }
    ScriptedOutbound plain;
  };
  open(thin(1000), {}, std::make_unique<Wordy>());
  put_large(20, 10);
  world.advance(95s);
  EXPECT_LE(upstream.sent.size(), 11U);
  EXPECT_GE(upstream.sent.size(), 10U);
}

TEST_F(DeliveryBandwidth, WhatWasClaimedAndGivenBackCostsNothing) {
  open(thin(1000, 1, 4));
  upstream.latency = 1ms;
  upstream.judge = Upstream::always(Judgement::transient, "no");
  put_large(4, 100);
  world.advance(10ms);
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(10s);
  EXPECT_EQ(lane().delivered, 4U);
}

}  // namespace
}  // namespace checkrelay
