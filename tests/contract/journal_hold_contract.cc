// What every journal does with a record that is held: of its subject the newest waits.
#include "tests/contract/journal_contract.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

void hold(JournalRig& rig, Seq seq, Duration wait) {
  Settlement s;
  s.seq = seq;
  s.end = Settlement::End::held;
  s.due = rig.now().steady + wait;
  s.answer = "held";
  s.tried = false;
  rig.settle(0, {s});
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

}  // namespace
}  // namespace checkrelay
