// Drain::fresh_first, over every journal.
#include <gmock/gmock.h>

#include "tests/contract/journal_contract.h"

namespace checkrelay {

using namespace std::chrono_literals;
using End = Settlement::End;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {
constexpr Drain kFresh = Drain::fresh_first;
}

TEST_P(JournalFreshContract, TheNewestGoFirstAndTheOldestHaveAShare) {
  rig_.lane("a", Backlog::all, {}, kFresh);
  for (int i = 1; i <= 8; ++i) rig_.put("s" + std::to_string(i), std::to_string(i));
  EXPECT_THAT(rig_.claim_bodies(0, 5), ElementsAre("8", "7", "6", "1", "5"));
  rig_.put("t", "9");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("9", "4", "2", "3"));
}

TEST_P(JournalFreshContract, NothingOvertakesWithinASubject) {
  rig_.lane("a", Backlog::all, {}, kFresh);
  const Seq first = rig_.put("s", "1");
  rig_.put("t", "2");
  rig_.put("s", "3");
  rig_.put("u", "4");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("4", "2", "1"));
  EXPECT_THAT(rig_.claim_bodies(), IsEmpty());
  rig_.settle(first, End::put_back);
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("1"));
  rig_.settle(first, End::delivered);
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("3"));
}

TEST_P(JournalFreshContract, WhatIsPutOffHoldsUpItsSubjectAlone) {
  rig_.lane("a", Backlog::all, {}, kFresh);
  const Seq first = rig_.put("s", "1");
  EXPECT_EQ(rig_.claim().size(), 1U);
  rig_.later(first, 10s);
  rig_.put("s", "2");
  rig_.put("t", "3");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("3"));
  rig_.advance(10s);
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("1"));
  rig_.settle(first, End::dead);
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("2"));
  EXPECT_EQ(rig_.retry({first}), 1U);
  EXPECT_THAT(rig_.claim_bodies(), IsEmpty());
}

TEST_P(JournalFreshContract, OldOnesExpireWhenTheirTurnComes) {
  rig_.lane("a", Backlog::all, 1min, kFresh);
  rig_.put("s", "1");
  rig_.put("t", "2");
  rig_.advance(2min);
  rig_.put("u", "3");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("3"));
  EXPECT_EQ(rig_.stats().expired, 2U);
}

TEST_P(JournalFreshContract, GoesTogetherWithLatest) {
  rig_.lane("a", Backlog::latest, {}, kFresh);
  rig_.put("s", "1");
  rig_.put("t", "2");
  rig_.put("s", "3");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("3", "2"));
  EXPECT_EQ(rig_.stats().superseded, 1U);
}

TEST_P(JournalFreshContract, GoesTogetherWithChanges) {
  rig_.lane("a", Backlog::changes, {}, kFresh);
  rig_.put("t", "t");
  const auto seqs = rig_.put_states("0001");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("a0", "t"));
  rig_.settle(seqs[0], End::delivered);
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("d1"));
}

TEST_P(JournalFreshContract, AReloadTurnsTheOrderAround) {
  rig_.lane("a");
  for (int i = 1; i <= 6; ++i) rig_.put("s" + std::to_string(i), std::to_string(i));
  const auto first = rig_.claim(0, 1);
  rig_.lane("a", Backlog::all, {}, kFresh);
  EXPECT_THAT(rig_.claim_bodies(0, 2), ElementsAre("6", "5"));
  rig_.settle(first[0].seq, End::put_back);
  rig_.lane("a");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("1", "2", "3", "4"));
}

TEST_P(JournalFreshContract, FreshResultsPassABacklogThatMemoryDoesNotHold) {
  rig_.lane("a", Backlog::all, {}, kFresh);
  constexpr int kRounds = 10, kEach = 3000;  // window and tail hold 16384
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Record> records;
    for (int i = 0; i < kEach; ++i)
      records.push_back(
          rig_.record("s" + std::to_string(i % 500), std::to_string(round * kEach + i)));
    ASSERT_TRUE(rig_.stage(std::move(records)));
  }
  rig_.put("fresh", "fresh");
  rig_.put("s7", "not yet");  // its subject has a backlog
  EXPECT_EQ(rig_.claim_bodies(0, 1).front(), "fresh");
  EXPECT_EQ(rig_.stats().pending, kRounds * kEach + 1U);
}

TEST_P(JournalFreshContract, ARestartKnowsWhatIsFreshOnceItHasLooked) {
  if (!GetParam().durable) GTEST_SKIP();
  rig_.lane("a", Backlog::all, {}, kFresh);
  std::vector<Record> records;
  for (int i = 0; i < 20000; ++i)
    records.push_back(rig_.record("s" + std::to_string(i % 300), std::to_string(i)));
  ASSERT_TRUE(rig_.stage(std::move(records)));
  const auto before = rig_.claim(0, 1);
  rig_.settle(before[0].seq, End::delivered);
  rig_.commit();
  rig_.reopen();
  std::vector<std::string> fresh;
  for (int i = 0; i < 1000 && fresh.empty(); ++i) {
    const std::string body = "fresh" + std::to_string(i);
    rig_.put(body, body);
    const auto claims = rig_.claim(0, 1);
    ASSERT_EQ(claims.size(), 1U);
    EXPECT_NE(claims[0].body, before[0].body);
    if (claims[0].body == body) fresh.push_back(body);
    rig_.settle(claims[0].seq, End::delivered);
  }
  EXPECT_EQ(fresh.size(), 1U);
}

}  // namespace checkrelay
