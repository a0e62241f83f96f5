// What every journal does with a record that is held: of its subject the newest waits.
#include "tests/contract/journal_contract.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

void hold(JournalRig& rig, Seq seq, Duration wait, LaneId lane = 0) {
  Settlement s;
  s.seq = seq;
  s.end = Settlement::End::held;
  s.due = rig.now().steady + wait;
  s.answer = "held";
  s.tried = false;
  rig.settle(lane, {s});
}

TEST_P(JournalContract, WhatIsHeldIsSupersededByTheNextOfItsSubject) {
  for (Backlog backlog : {Backlog::all, Backlog::changes, Backlog::latest}) {
    rig_.lane("a", backlog);
    const LaneStats old = rig_.stats();
    const Seq first = rig_.put("s", "1");
    ASSERT_EQ(rig_.claim().size(), 1U);
    hold(rig_, first, 1h);
    rig_.put("s", "2", 1, 1);
    const Seq other = rig_.put("t", "3");
    EXPECT_EQ(rig_.claim_bodies(), std::vector<std::string>{"3"});
    rig_.settle(other, Settlement::End::delivered);
    rig_.put("s", "4", 1, 2);
    EXPECT_TRUE(rig_.claim_bodies().empty());
    EXPECT_EQ(rig_.stats().superseded, old.superseded + 2);
    EXPECT_EQ(rig_.stats().pending, 1U);
    rig_.advance(1h);
    const auto claims = rig_.claim();
    ASSERT_EQ(claims.size(), 1U);
    EXPECT_EQ(claims[0].body, "4");
    rig_.settle(claims[0].seq, Settlement::End::delivered);
  }
}

TEST_P(JournalContract, WhatIsHeldAloneComesWhenItIsDueAndCountsNoRetry) {
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  ASSERT_EQ(rig_.claim().size(), 1U);
  hold(rig_, first, 1min);
  EXPECT_TRUE(rig_.claim().empty());
  EXPECT_TRUE(rig_.stats().next_due);
  for (int i = 0; i < 3; ++i) {
    rig_.advance(1min);
    const auto again = rig_.claim();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].tries, 0U);
    hold(rig_, first, 1min);
  }
  EXPECT_EQ(rig_.stats().retries, 0U);
  rig_.advance(1min);
  EXPECT_EQ(rig_.claim_bodies(), std::vector<std::string>{"1"});
}

TEST_P(JournalContract, WhatIsHeldIsCountedAndMayBeFreedAtOnce) {
  for (Backlog backlog : {Backlog::all, Backlog::changes, Backlog::latest}) {
    const LaneId lane = rig_.lane("a" + std::to_string(static_cast<int>(backlog)), backlog);
    const LaneMask mask = LaneMask{1} << lane;
    const Seq held = rig_.put("s", "1", mask);
    const Seq later = rig_.put("t", "2", mask);
    ASSERT_EQ(rig_.claim(lane).size(), 2U);
    hold(rig_, held, 1h, lane);
    rig_.later(later, 1h, false, lane);
    EXPECT_EQ(rig_.stats(lane).held, 1U);
    rig_.put("s", "3", mask, 1);
    EXPECT_TRUE(rig_.claim(lane).empty());
    rig_.journal().free_held(lane);
    EXPECT_EQ(rig_.claim_bodies(lane), std::vector<std::string>{"3"});
    EXPECT_EQ(rig_.stats(lane).held, 0U);
  }
}

TEST_P(JournalContract, WhatCameWhileTheHeldOneWasUnderWayTakesItsPlace) {
  for (Backlog backlog : {Backlog::all, Backlog::changes, Backlog::latest}) {
    const LaneId lane = rig_.lane("a" + std::to_string(static_cast<int>(backlog)), backlog);
    const LaneMask mask = LaneMask{1} << lane;
    const Seq first = rig_.put("s", "1", mask);
    ASSERT_EQ(rig_.claim(lane).size(), 1U);
    for (const char* body : {"2", "3", "4"}) rig_.put("s", body, mask, 1);
    EXPECT_TRUE(rig_.claim(lane).empty()) << "they line up";
    hold(rig_, first, 1h, lane);
    EXPECT_EQ(rig_.stats(lane).pending, 1U);
    EXPECT_EQ(rig_.stats(lane).superseded, 3U);
    rig_.advance(1h);
    const auto claims = rig_.claim(lane);
    ASSERT_EQ(claims.size(), 1U);
    EXPECT_EQ(claims[0].body, "4");
    rig_.settle(claims[0].seq, Settlement::End::delivered, lane);
    EXPECT_TRUE(rig_.claim(lane).empty());
    EXPECT_EQ(rig_.stats(lane).pending, 0U);
  }
}

TEST_P(JournalContract, WhatIsFreedAndHeldAgainIsHeld) {
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  const Seq other = rig_.put("t", "2");
  ASSERT_EQ(rig_.claim().size(), 2U);
  hold(rig_, first, 1h);
  hold(rig_, other, 1h);
  rig_.journal().free_held(0);
  rig_.journal().free_held(0);
  ASSERT_EQ(rig_.claim(0, 1).size(), 1U);
  hold(rig_, first, 1h);
  EXPECT_EQ(rig_.stats().held, 1U) << "the other one may be claimed";
  EXPECT_EQ(rig_.drop({other}), 1U);
  EXPECT_TRUE(rig_.claim().empty());
  rig_.advance(1h);
  EXPECT_EQ(rig_.claim_bodies(), std::vector<std::string>{"1"});
  EXPECT_EQ(rig_.stats().held, 0U);
}

TEST_P(JournalContract, WhatIsHeldOutlivesARestart) {
  if (!GetParam().durable) return;
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  ASSERT_EQ(rig_.claim().size(), 1U);
  hold(rig_, first, 1h);
  rig_.put("s", "2");
  EXPECT_TRUE(rig_.claim().empty());
  rig_.reopen();
  EXPECT_EQ(rig_.stats().pending, 1U);
  EXPECT_EQ(rig_.claim_bodies(), std::vector<std::string>{"2"});
}

TEST_P(JournalContract, WhatWaitedBehindARecordBeforeItWasHeldIsSupersededToo) {
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  ASSERT_EQ(rig_.claim().size(), 1U);
  rig_.put("s", "2");
  rig_.put("s", "3");
  const Seq other = rig_.put("t", "other");
  EXPECT_EQ(rig_.claim_bodies(), std::vector<std::string>{"other"});
  rig_.settle(other, Settlement::End::delivered);
  hold(rig_, first, 1h);
  rig_.put("s", "4");
  EXPECT_TRUE(rig_.claim_bodies().empty());
  EXPECT_EQ(rig_.stats().pending, 1U);
  rig_.advance(1h);
  EXPECT_EQ(rig_.claim_bodies(), std::vector<std::string>{"4"});
}

}  // namespace
}  // namespace checkrelay
