// The wall clock is set while the agent runs.
#include <gmock/gmock.h>

#include "tests/contract/journal_contract.h"

namespace checkrelay {
using namespace std::chrono_literals;
using testing::ElementsAre;

TEST_P(JournalClockContract, NothingExpiresBecauseTheClockWasSetForward) {
  rig_.lane("a", Backlog::all, 1h);
  rig_.put("s", "1");
  rig_.set_clock(24h);
  rig_.put("t", "2");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("1", "2"));
}

TEST_P(JournalClockContract, WhatIsTooOldExpiresAllTheSame) {
  rig_.lane("a", Backlog::all, 1h);
  rig_.put("s", "1");
  rig_.set_clock(24h);
  rig_.put("t", "2");
  rig_.advance(61min);
  rig_.put("u", "3");
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("3"));
  EXPECT_EQ(rig_.stats().expired, 2U);
}

TEST_P(JournalClockContract, NothingExpiresWhereTheClockGoesBackAndForth) {
  rig_.lane("a", Backlog::all, 1h);
  rig_.put("s", "before");
  for (int i = 0; i < 3; ++i) {
    rig_.set_clock(-24h);
    rig_.put("t", "back");
    rig_.set_clock(24h);
    rig_.put("u", "forth");
  }
  EXPECT_EQ(rig_.claim().size(), 3U);  // a subject each
  EXPECT_EQ(rig_.stats().expired, 0U);
  EXPECT_EQ(rig_.stats().pending, 4U);
}

TEST_P(JournalClockContract, AnIdIsKnownAcrossEveryJump) {
  rig_.lane("a");
  ASSERT_FALSE(is_known("1"));
  for (const Duration by : {Duration(24h), Duration(-24h), Duration(-24h), Duration(24h)}) {
    rig_.set_clock(by);
    EXPECT_TRUE(is_known("1"));
    // Each id swept past those that are too old by the present clock.
    for (int i = 0; i < 200; ++i) (void)is_known("x" + std::to_string(i));
    EXPECT_TRUE(is_known("1"));
  }
}

TEST_P(JournalClockContract, AnIdIsFreeAgainADayLater) {
  rig_.lane("a");
  ASSERT_FALSE(is_known("1"));
  rig_.set_clock(24h);
  rig_.advance(73h);
  EXPECT_FALSE(is_known("1"));
}

TEST_P(JournalClockContract, AgesAreToldByThePresentClock) {
  rig_.lane("a");
  const Seq seq = rig_.put("s", "1");
  ASSERT_EQ(rig_.claim().size(), 1U);
  rig_.later(seq, 1s, true);
  rig_.set_clock(24h);
  rig_.advance(2s);
  const auto claims = rig_.claim();
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(rig_.now().wall - claims[0].received, 2s);
  EXPECT_EQ(rig_.now().wall - *claims[0].first_unknown, 2s);
}

TEST_P(JournalClockContract, TheStoryOutlivesTheJump) {
  rig_.lane("a");
  const Seq seq = rig_.put("s", "1");
  (void)rig_.claim();
  rig_.settle(seq, Settlement::End::delivered);
  rig_.set_clock(25h);
  for (int i = 0; i < 50; ++i) {
    const Seq next = rig_.put("t", std::to_string(i));
    (void)rig_.claim();
    rig_.settle(next, Settlement::End::delivered);
  }
  BrowseQuery query;
  query.what = BrowseQuery::What::any;
  query.seq = seq;
  EXPECT_EQ(rig_.browse(query).rows.size(), 1U);
}

}  // namespace checkrelay
