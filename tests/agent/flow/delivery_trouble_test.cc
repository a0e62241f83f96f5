#include <algorithm>

#include "delivery_world.h"

namespace checkrelay {
namespace {

using DeliveryTrouble = DeliveryTest;
using State = Breaker::State;

Upstream::Judge held_for(Duration d) {
  return [d](const std::vector<CheckResult>& batch) {
    auto verdicts = Upstream::always(Judgement::held, "reloading")(batch);
    for (Verdict& v : verdicts) v.retry_after = d;
    return verdicts;
  };
}

TEST_F(DeliveryTrouble, AnOutageIsSurvivedInOrder) {
  upstream.judge = Upstream::always(Judgement::transient, "connection refused");
  open(destination());
  for (int i = 0; i < 5; ++i) put("same", "r" + std::to_string(i));
  world.advance(2h);
  EXPECT_EQ(delivery->breaker().state(), State::backoff);
  EXPECT_EQ(delivery->last_error(), "connection refused");
  EXPECT_EQ(lane().pending, 5U);
  std::size_t tries = upstream.sent.size();
  EXPECT_GT(tries, 20U);
  EXPECT_LT(tries, 200U);
  upstream.sent.clear();
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(10min);
  EXPECT_EQ(upstream.outputs(), (std::vector<std::string>{"r0", "r1", "r2", "r3", "r4"}));
  EXPECT_EQ(delivery->breaker().state(), State::ok);
  EXPECT_EQ(delivery->last_error(), "");
}

TEST_F(DeliveryTrouble, WhileThereIsTroubleOneConversationProbes) {
  open(destination(1, 8));
  upstream.judge = Upstream::always(Judgement::transient);
  put_many(20);
  world.advance(1s);
  upstream.most_open = 0;
  world.advance(1h);
  EXPECT_EQ(upstream.most_open, 1U);
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(1h);
  EXPECT_EQ(upstream.most_open, 8U);
  EXPECT_EQ(lane().delivered, 20U);
}

TEST_F(DeliveryTrouble, ASuspectIsPutAsideSoThatThoseBehindItPass) {
  upstream.judge = [](const std::vector<CheckResult>& batch) {
    bool poison = std::any_of(batch.begin(), batch.end(),
                              [](const CheckResult& r) { return r.output == "poison"; });
    return Upstream::always(poison ? Judgement::transient : Judgement::delivered)(batch);
  };
  open(destination(5));
  world.journal.frozen = true;
  put("p", "poison");
  put_many(20);
  world.journal.frozen = false;
  world.advance(5min);
  EXPECT_EQ(lane().delivered, 20U);
  EXPECT_EQ(fate("poison"), "pending");
}

TEST_F(DeliveryTrouble, TheSubjectOfASuspectWaitsWithIt) {
  bool poisonous = true;
  upstream.judge = [&](const std::vector<CheckResult>& batch) {
    bool bad = poisonous && batch.front().output == "poison";
    return Upstream::always(bad ? Judgement::transient : Judgement::delivered)(batch);
  };
  open(destination());
  put("p", "poison");
  put("p", "next");
  put("q", "other");
  world.advance(1h);
  EXPECT_EQ(fate("other"), "delivered");
  EXPECT_EQ(fate("next"), "pending");
  poisonous = false;
  world.advance(10min);
  EXPECT_EQ(fate("poison"), "delivered");
  EXPECT_EQ(fate("next"), "delivered");
}

TEST_F(DeliveryTrouble, UnknownObjectsAreOfferedSlowlyAndThenDie) {
  upstream.judge = Upstream::always(Judgement::unknown_object, "no such service");
  open(destination());
  put("a", "r");
  world.advance(59min);
  EXPECT_EQ(fate("r"), "pending");
  EXPECT_EQ(delivery->breaker().state(), State::ok);
  world.advance(10min);
  EXPECT_EQ(fate("r"), "dead");
  EXPECT_EQ(upstream.sent.size(), 13U);
  EXPECT_EQ(world.journal.settlements.back().answer, "no such service");
}

TEST_F(DeliveryTrouble, AnObjectThatAppearsMeanwhileIsDelivered) {
  upstream.judge = Upstream::always(Judgement::unknown_object);
  open(destination());
  put("a", "r");
  world.advance(20min);
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(6min);
  EXPECT_EQ(fate("r"), "delivered");
}

TEST_F(DeliveryTrouble, UnknownObjectsDelayNoOthers) {
  upstream.judge = [](const std::vector<CheckResult>& batch) {
    bool unknown = batch.front().subject.host == "new";
    return Upstream::always(unknown ? Judgement::unknown_object : Judgement::delivered)(batch);
  };
  open(destination());
  put("new", "r");
  put_many(10);
  world.advance(1s);
  EXPECT_EQ(lane().delivered, 10U);
}

TEST_F(DeliveryTrouble, RefusedCredentialsWaitLongAndBlameNoItem) {
  upstream.judge = Upstream::always(Judgement::auth, "401");
  open(destination());
  put_many(3);
  world.advance(1h);
  EXPECT_EQ(delivery->breaker().state(), State::auth);
  EXPECT_LE(upstream.sent.size(), 25U);
  EXPECT_EQ(lane().pending, 3U);
  Steady next = *delivery->deadline(world.now());
  EXPECT_GT(next, world.now().steady);
  EXPECT_LE(next, world.now().steady + 5min);
}

TEST_F(DeliveryTrouble, AWrongEndpointIsHeldAgainstNoItem) {
  upstream.judge = Upstream::always(Judgement::config, "HTML where JSON belongs");
  open(destination());
  put("a", "r");
  world.advance(24h);
  EXPECT_EQ(delivery->breaker().state(), State::config);
  EXPECT_EQ(fate("r"), "pending");
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(6min);
  EXPECT_EQ(fate("r"), "delivered");
}

TEST_F(DeliveryTrouble, AnUpstreamThatAsksToWaitIsLeftAlone) {
  upstream.judge = held_for(90s);
  open(destination());
  put_many(2);
  world.advance(89s);
  EXPECT_EQ(upstream.sent.size(), 1U);
  EXPECT_EQ(delivery->breaker().state(), State::held);
  upstream.judge = Upstream::always(Judgement::delivered);
  world.advance(5s);
  EXPECT_EQ(lane().delivered, 2U);
}

TEST_F(DeliveryTrouble, GivesUpAfterTheConfiguredTime) {
  DestinationConfig config = destination();
  config.options.set("give_up_after", Duration(1h));
  upstream.judge = Upstream::always(Judgement::transient, "down");
  open(config);
  put("a", "r");
  world.advance(59min);
  EXPECT_EQ(fate("r"), "pending");
  world.advance(20min);
  EXPECT_EQ(fate("r"), "dead");
}

TEST_F(DeliveryTrouble, AWallClockThatJumpsMovesNoDeadline) {
  upstream.judge = Upstream::always(Judgement::auth);
  open(destination());
  put("a", "r");
  world.advance(1s);
  Steady before = *delivery->deadline(world.now());
  world.jump_wall(24h * 365);
  delivery->tick(world.now());
  EXPECT_EQ(*delivery->deadline(world.now()), before);
  EXPECT_EQ(upstream.sent.size(), 1U);
}

TEST_F(DeliveryTrouble, TestOfATypeWithoutAServerSaysThatThereIsNothingToAsk) {
  open(destination());
  CommandReport report;
  const std::vector<std::string> words = {"test"};
  ASSERT_TRUE(delivery->command(words, [&](const CommandReport& r) { report = r; }));
  EXPECT_EQ(report.end, CommandReport::End::unreachable);  // never from within the call
  world.settle_down();
  EXPECT_EQ(report.end, CommandReport::End::done);
  EXPECT_EQ(report.json, R"({"system":"fake","may_submit":"unknown",)"
                         R"("remarks":["nothing to ask: this type has no server"]})");
}

TEST_F(DeliveryTrouble, OtherWordsThanTestAreRefusedWithWhatThereIs) {
  open(destination());
  const std::vector<std::string> words = {"test", "it"};
  auto asked = delivery->command(words, [](const CommandReport&) { FAIL(); });
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, Errc::invalid);
  world.settle_down();
}

}  // namespace
}  // namespace checkrelay
