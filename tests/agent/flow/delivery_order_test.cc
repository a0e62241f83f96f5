#include <algorithm>
#include <map>
#include <random>

#include "delivery_world.h"

namespace checkrelay {
namespace {

using DeliveryOrder = DeliveryTest;
using Outputs = std::vector<std::string>;

TEST_F(DeliveryOrder, ResultsGoOutInTheOrderOfAcceptance) {
  open(destination());
  put_many(5);
  world.advance(1s);
  EXPECT_EQ(upstream.outputs(), (Outputs{"r0", "r1", "r2", "r3", "r4"}));
  EXPECT_EQ(lane().delivered, 5U);
}

TEST_F(DeliveryOrder, TwoResultsOfASubjectAreNeverInFlightTogether) {
  open(destination(10, 4));
  for (int i = 0; i < 4; ++i) put("same", "r" + std::to_string(i));
  world.advance(1s);
  EXPECT_EQ(upstream.most_open, 1U);
  EXPECT_EQ(upstream.sent.size(), 4U);
  EXPECT_EQ(upstream.outputs(), (Outputs{"r0", "r1", "r2", "r3"}));
}

TEST_F(DeliveryOrder, NothingIsLostAndNothingOvertakesWhateverTheUpstreamSays) {
  constexpr unsigned kSeed = 20260106;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  open(destination(3, 3));
  std::map<std::string, Outputs> delivered;
  upstream.judge = [&](const std::vector<CheckResult>& batch) {
    std::vector<Verdict> verdicts;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      bool good = random() % 3 == 0;
      if (good) delivered[batch[i].subject.host].push_back(batch[i].output);
      auto bad = static_cast<Judgement>(3 + random() % 4);
      if (good || random() % 4 != 0)  // now and then a verdict is missing
        verdicts.push_back(verdict_of(i, good ? Judgement::delivered : bad));
    }
    return verdicts;
  };
  std::map<std::string, Outputs> accepted;
  for (int i = 0; i < 60; ++i) {
    std::string host = "host" + std::to_string(random() % 5);
    accepted[host].push_back(std::to_string(i));
    put(host, std::to_string(i));
    world.advance(Duration(random() % 2'000'000));
  }
  world.advance(24h * 30);
  EXPECT_EQ(delivered, accepted);
  EXPECT_EQ(lane().delivered, 60U);
  EXPECT_EQ(upstream.open, 0U);
}

TEST_F(DeliveryOrder, AResultThatCannotBeReadBecomesADeadLetterAndHoldsUpNobody) {
  open(destination(10));
  put_body("a", "bad", "no packed result");
  put("b", "good");
  world.advance(1s);
  EXPECT_EQ(fate("bad"), "dead");
  EXPECT_EQ(fate("good"), "delivered");
  EXPECT_NE(world.journal.settlements.front().answer.find("packed result"), std::string::npos);
}

TEST_F(DeliveryOrder, RejectedResultsAreDeadLettersWithTheUpstreamsWords) {
  upstream.judge = Upstream::always(Judgement::rejected, "no such host group");
  open(destination());
  put_many(2);
  world.advance(1s);
  EXPECT_EQ(fate("r0"), "dead");
  EXPECT_EQ(fate("r1"), "dead");
  EXPECT_EQ(world.journal.settlements.front().answer, "no such host group");
  EXPECT_EQ(delivery->breaker().state(), Breaker::State::ok);
  EXPECT_EQ(delivery->last_error(), "no such host group");
}

TEST_F(DeliveryOrder, AMissingVerdictIsATryThatFailed) {
  bool answer = false;
  upstream.judge = [&](const std::vector<CheckResult>& batch) {
    return answer ? Upstream::always(Judgement::delivered)(batch) : std::vector<Verdict>{};
  };
  open(destination());
  put("a", "r");
  world.advance(10ms);
  EXPECT_EQ(fate("r"), "pending");
  EXPECT_EQ(delivery->last_error(), "the conversation ended without a verdict");
  answer = true;
  world.advance(1h);
  EXPECT_EQ(fate("r"), "delivered");
}

TEST_F(DeliveryOrder, VerdictsForItemsThatWereNotSentAreIgnored) {
  upstream.judge = [](const std::vector<CheckResult>&) {
    return std::vector<Verdict>{verdict_of(0, Judgement::delivered),
                                verdict_of(7, Judgement::rejected)};
  };
  open(destination());
  put("a", "r");
  world.advance(1s);
  EXPECT_EQ(fate("r"), "delivered");
  EXPECT_EQ(world.journal.settlements.size(), 1U);
}

TEST_F(DeliveryOrder, OneBadItemDoesNotSinkItsBatch) {
  upstream.judge = [](const std::vector<CheckResult>& batch) {
    auto verdicts = Upstream::always(Judgement::delivered)(batch);
    for (std::size_t i = 0; i < batch.size(); ++i)
      if (batch[i].output == "r1") verdicts[i] = verdict_of(i, Judgement::rejected, "bad");
    return verdicts;
  };
  open(destination(3));
  put_many(3);
  world.advance(1s);
  EXPECT_EQ(fate("r0"), "delivered");
  EXPECT_EQ(fate("r1"), "dead");
  EXPECT_EQ(fate("r2"), "delivered");
}

}  // namespace
}  // namespace checkrelay
