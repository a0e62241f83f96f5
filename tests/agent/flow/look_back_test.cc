// Deliveries whose dialect looks at what it delivered.
#include "delivery_world.h"

namespace checkrelay {
namespace {

struct Question : Conversation {
  void start(Instant, Actions&) override {}
  void receive(Message, Instant, Actions&) override {}
  void finish(Instant, Actions&) override {}
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}
};

// Looks once at each time that is put into `due`.
class Looking : public ScriptedOutbound, public ReadsBack {
 public:
  explicit Looking(std::vector<Steady>& asked, std::optional<Steady>& due)
      : asked_(asked), due_(due) {}
  ReadsBack* reads_back() override { return this; }
  std::optional<Steady> read_back_due() const override { return due_; }
  std::unique_ptr<Conversation> read_back(Instant now) override {
    asked_.push_back(now.steady);
    due_.reset();
    return std::make_unique<Question>();
  }
  const ReadBack* read_back_found() const override { return &found_; }

 private:
  std::vector<Steady>& asked_;
  std::optional<Steady>& due_;
  ReadBack found_{};
};

class LookBackTest : public DeliveryTest {
 protected:
  void open_looking(const DestinationConfig& config = destination()) {
    open(config, {}, std::make_unique<Looking>(asked_, due_));
  }
  std::vector<Steady> asked_;
  std::optional<Steady> due_;
};

TEST_F(LookBackTest, LooksWhenThatIsDueAndNotBefore) {
  open_looking();
  due_ = world.now().steady + 30s;
  const Steady when = *due_;
  world.env.kick();
  world.advance(29s);
  EXPECT_TRUE(asked_.empty());
  world.advance(2s);
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0], when);
  EXPECT_NE(delivery->read_back_found(), nullptr);
}

TEST_F(LookBackTest, OneQuestionAtATime) {
  upstream.latency = 1min;
  open_looking();
  due_ = world.now().steady;
  world.env.kick();
  world.advance(1s);
  due_ = world.now().steady;
  world.env.kick();
  world.advance(30s);
  EXPECT_EQ(asked_.size(), 1U);
  world.advance(1min);
  EXPECT_EQ(asked_.size(), 2U);
}

TEST_F(LookBackTest, SlowAnswerDelaysNoDelivery) {
  upstream.latency = 1min;
  open_looking();
  due_ = world.now().steady;
  world.env.kick();
  world.advance(1s);
  ASSERT_EQ(asked_.size(), 1U);
  put("a", "r");
  world.advance(1s);
  EXPECT_EQ(upstream.outputs(), std::vector<std::string>{"r"});
}

TEST_F(LookBackTest, WhatWaitsForItsTurnGoesFirst) {
  open_looking();
  pause(true);
  put("a", "r");
  due_ = world.now().steady;
  pause(false);
  world.advance(1s);
  EXPECT_EQ(fate("r"), "delivered");
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_GE(asked_[0], upstream.sent.at(0).at + upstream.latency);
}

TEST_F(LookBackTest, DestinationInTroubleOrPausedIsNotAsked) {
  open_looking();
  pause(true);
  due_ = world.now().steady;
  world.advance(1h);
  EXPECT_TRUE(asked_.empty());
  upstream.judge = Upstream::always(Judgement::auth, "HTTP 401");
  put("a", "r");
  pause(false);
  world.advance(1s);
  EXPECT_LE(asked_.size(), 1U);
  const std::size_t before = asked_.size();
  due_ = world.now().steady;
  world.advance(1s);
  EXPECT_EQ(asked_.size(), before);
}

TEST_F(LookBackTest, QuestionUnderWayOutlivesNoDelivery) {
  upstream.latency = 1min;
  open_looking();
  due_ = world.now().steady;
  world.env.kick();
  world.advance(1s);
  delivery.reset();
  world.advance(2min);
  EXPECT_EQ(asked_.size(), 1U);
}

}  // namespace
}  // namespace checkrelay
