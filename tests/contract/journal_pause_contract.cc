// What every journal does for a lane that the operator has paused.
#include "tests/contract/journal_contract.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

TEST_P(JournalContract, APausedLaneTakesRecordsAndGivesNoneToClaim) {
  rig_.lane("a");
  rig_.lane("b");
  rig_.put("s", "1", 3);
  const Wall since = rig_.now().wall;
  EXPECT_TRUE(rig_.pause(true).value());
  rig_.advance(1min);
  EXPECT_FALSE(rig_.pause(true).value()) << "it is already";
  rig_.put("t", "2", 3);
  EXPECT_TRUE(rig_.claim_bodies().empty());
  EXPECT_EQ(rig_.claim_bodies(1).size(), 2U);
  EXPECT_EQ(rig_.stats().paused, since);
  EXPECT_FALSE(rig_.stats(1).paused);
  EXPECT_EQ(rig_.stats().pending, 2U);
  EXPECT_FALSE(rig_.stats().claimable);
  EXPECT_TRUE(rig_.pause(false).value());
  EXPECT_FALSE(rig_.pause(false).value());
  EXPECT_TRUE(rig_.stats().claimable);
  EXPECT_EQ(rig_.claim_bodies(), (std::vector<std::string>{"1", "2"}));
}

TEST_P(JournalContract, WhatIsInFlightWhenALaneIsPausedMayBeSettled) {
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  const Seq second = rig_.put("t", "2");
  const Seq third = rig_.put("u", "3");
  ASSERT_EQ(rig_.claim().size(), 3U);
  ASSERT_TRUE(rig_.pause(true));
  rig_.settle(first, Settlement::End::delivered);
  rig_.settle(second, Settlement::End::put_back);
  rig_.later(third, 1s);
  rig_.advance(1min);
  EXPECT_EQ(rig_.stats().in_flight, 0U);
  EXPECT_EQ(rig_.stats().delivered, 1U);
  EXPECT_EQ(rig_.stats().pending, 2U);
  EXPECT_FALSE(rig_.stats().next_due);
  EXPECT_TRUE(rig_.claim().empty());
  EXPECT_EQ(rig_.drop({second}), 1U);
  ASSERT_TRUE(rig_.pause(false));
  EXPECT_EQ(rig_.claim_bodies(), (std::vector<std::string>{"3"}));
}

TEST_P(JournalContract, APauseOutlivesAReloadAndARestart) {
  rig_.lane("a");
  rig_.lane("b");
  rig_.put("s", "1");
  const Wall since = rig_.now().wall;
  ASSERT_TRUE(rig_.pause(true));
  rig_.lane("c");
  EXPECT_EQ(rig_.stats().paused, since);
  if (!GetParam().durable) return;
  rig_.advance(1h);
  rig_.reopen();
  EXPECT_EQ(rig_.stats().paused, since);
  EXPECT_TRUE(rig_.claim().empty());
  EXPECT_TRUE(rig_.pause(false).value());
  rig_.reopen();
  EXPECT_FALSE(rig_.stats().paused);
  EXPECT_EQ(rig_.claim_bodies(), (std::vector<std::string>{"1"}));
}

}  // namespace
}  // namespace checkrelay
