// Backlog::changes, over every journal.
#include <gmock/gmock.h>

#include "tests/contract/journal_contract.h"

namespace checkrelay {

using namespace std::chrono_literals;
using End = Settlement::End;
using testing::IsEmpty;
using What = BrowseQuery::What;

std::vector<std::string> JournalChangesContract::deliver(LaneId lane) {
  Bodies all;
  for (;;) {
    const auto claims = rig_.claim(lane, 1);
    if (claims.empty()) return all;
    all.push_back(claims.front().body);
    rig_.settle(claims.front().seq, End::delivered, lane);
  }
}

void JournalChangesContract::switch_to(Backlog backlog, std::uint64_t pending) {
  rig_.lane("a", backlog);
  rig_.until([&] {
    const LaneStats& s = rig_.journal().stats().lanes[0];
    return s.pending == pending && s.claimable;
  });
}

TEST_P(JournalChangesContract, EachChangeAndTheNewestAreKeptInOrder) {
  rig_.lane("a", Backlog::changes);
  rig_.put_states("0002211000");
  EXPECT_EQ(rig_.stats().pending, 5U);
  EXPECT_EQ(rig_.stats().superseded, 5U);
  EXPECT_EQ(deliver(), Bodies({"a0", "d2", "f1", "h0", "j0"}));
  EXPECT_EQ(rig_.stats().delivered, 5U);
}

TEST_P(JournalChangesContract, SubjectsAreJudgedEachByItself) {
  rig_.lane("a", Backlog::changes);
  for (int i = 0; i < 3; ++i)
    for (const char* subject : {"s", "t"}) rig_.put(subject, subject + std::to_string(i));
  EXPECT_EQ(deliver(), Bodies({"s0", "t0", "s2", "t2"}));
}

TEST_P(JournalChangesContract, WhatSaysTheSameAsTheOneThatWasDeliveredIsNoChange) {
  rig_.lane("a", Backlog::changes);
  rig_.put_states("1");
  EXPECT_EQ(deliver(), Bodies({"a1"}));
  rig_.put_states("1110", 'b');
  EXPECT_EQ(deliver(), Bodies({"e0"}));
  EXPECT_EQ(rig_.stats().superseded, 3U);
}

TEST_P(JournalChangesContract, WhatIsInFlightEndsFirstAndIsOutdatedWhenItComesBack) {
  rig_.lane("a", Backlog::changes);
  rig_.put_states("1");
  EXPECT_EQ(deliver(), Bodies({"a1"}));
  const auto same = rig_.put_states("1", 'b');
  EXPECT_EQ(rig_.claim().size(), 1U);
  rig_.put_states("10", 'c');
  EXPECT_THAT(rig_.claim_bodies(), IsEmpty());
  rig_.settle(same[0], End::put_back);
  EXPECT_EQ(rig_.stats().superseded, 2U);
  EXPECT_EQ(deliver(), Bodies({"d0"}));
}

TEST_P(JournalChangesContract, AChangeThatComesBackKeepsItsPlace) {
  rig_.lane("a", Backlog::changes);
  const auto first = rig_.put_states("1");
  EXPECT_EQ(rig_.claim().size(), 1U);
  rig_.put_states("110", 'b');
  rig_.later(first[0], 10s);
  EXPECT_THAT(rig_.claim_bodies(), IsEmpty());
  rig_.advance(10s);
  EXPECT_EQ(deliver(), Bodies({"a1", "d0"}));
}

TEST_P(JournalChangesContract, WhatWasPutOffCanBeSupersededAndItsSuccessorInheritsTheWait) {
  rig_.lane("a", Backlog::changes);
  rig_.put_states("1");
  EXPECT_EQ(deliver(), Bodies({"a1"}));
  const auto same = rig_.put_states("1", 'b');
  EXPECT_EQ(rig_.claim().size(), 1U);
  rig_.later(same[0], 10s);
  rig_.put_states("2", 'c');
  EXPECT_EQ(rig_.stats().pending, 1U);
  EXPECT_THAT(rig_.claim_bodies(), IsEmpty());
  rig_.advance(10s);
  EXPECT_EQ(deliver(), Bodies({"c2"}));
}

TEST_P(JournalChangesContract, AStateThatWasNeverToldIsNewsWhenItComesAgain) {
  rig_.lane("a", Backlog::changes);
  const auto first = rig_.put_states("1");
  (void)rig_.claim();
  rig_.settle(first[0], End::dead);
  rig_.put_states("10", 'b');
  EXPECT_EQ(deliver(), Bodies({"b1", "c0"}));
  const auto waiting = rig_.put_states("11", 'd');
  EXPECT_EQ(rig_.drop({waiting[0]}), 1U);
  rig_.put_states("0", 'f');
  EXPECT_EQ(deliver(), Bodies({"e1", "f0"}));
}

TEST_P(JournalChangesContract, WhatRepeatsAChangeThatWaitsIsNoneWhenAnOlderOneExpires) {
  for (const std::string newer : {"11", "100"}) {
    const std::string subject = newer;
    rig_.lane("a", Backlog::changes, 10s);
    rig_.put(subject, "a0", 1, 0);
    rig_.advance(8s);
    for (char state : newer)
      rig_.put(subject, std::string{'b', state}, 1, static_cast<std::uint8_t>(state - '0'));
    rig_.advance(5s);
    const auto claims = rig_.claim(0, 1);
    ASSERT_EQ(claims.size(), 1U);
    EXPECT_EQ(claims.front().body, "b1");
    const auto before = rig_.stats().superseded;
    const char last = newer.back();
    rig_.put(subject, std::string{'z', last}, 1, static_cast<std::uint8_t>(last - '0'));
    EXPECT_EQ(rig_.stats().superseded, before + 1);
    rig_.settle(claims.front().seq, End::delivered);
    Bodies rest = {std::string{'z', last}};
    if (newer.size() > 2) rest.insert(rest.begin(), "b0");
    EXPECT_EQ(deliver(), rest);
  }
}

TEST_P(JournalChangesContract, WhatRepeatsAChangeThatExpiredIsOne) {
  rig_.lane("a", Backlog::changes, 10s);
  rig_.put_states("0");
  rig_.advance(8s);
  rig_.put_states("0", 'b');
  rig_.advance(5s);
  const auto claims = rig_.claim(0, 1);
  ASSERT_EQ(claims.size(), 1U);
  rig_.settle(claims.front().seq, End::put_back);
  rig_.put_states("1", 'c');
  EXPECT_EQ(deliver(), Bodies({"b0", "c1"}));
}

TEST_P(JournalChangesContract, ARevivedRecordComesBeforeTheOthersOfItsSubjectAndStays) {
  rig_.lane("a", Backlog::changes);
  const auto first = rig_.put_states("1");
  (void)rig_.claim();
  rig_.settle(first[0], End::dead);
  rig_.put_states("000", 'b');
  EXPECT_EQ(rig_.retry(first), 1U);
  EXPECT_EQ(deliver(), Bodies({"a1", "b0", "d0"}));
}

TEST_P(JournalChangesContract, ASupersededRecordCanBeLookedUp) {
  rig_.lane("a", Backlog::changes);
  const auto seqs = rig_.put_states("111");
  BrowseQuery query;
  query.what = What::any;
  query.seq = seqs[1];
  const auto page = rig_.browse(query);
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].what, "superseded");
  ASSERT_EQ(page.rows[0].story.size(), 2U);
  EXPECT_EQ(page.rows[0].story[1].what, "superseded");
  query = {};
  query.what = What::pending;
  EXPECT_EQ(rig_.browse(query).rows.size(), 2U);
}

TEST_P(JournalChangesContract, SwitchingFromAllThinsTheBacklogOut) {
  rig_.lane("a");
  rig_.put_states("0011100");
  switch_to(Backlog::changes, 4);
  EXPECT_EQ(rig_.stats().superseded, 3U);
  rig_.put_states("01", 'h');
  EXPECT_EQ(deliver(), Bodies({"a0", "c1", "f0", "i1"}));
}

TEST_P(JournalChangesContract, SwitchingFromAllKnowsWhatIsInFlight) {
  rig_.lane("a");
  const auto seqs = rig_.put_states("0011");
  EXPECT_EQ(rig_.claim(0, 1).size(), 1U);
  switch_to(Backlog::changes, 2);
  rig_.settle(seqs[0], End::put_back);
  EXPECT_EQ(deliver(), Bodies({"a0", "c1", "d1"}));
}

TEST_P(JournalChangesContract, SwitchingToAllBringsNothingBackAndKeepsWhatComes) {
  rig_.lane("a", Backlog::changes);
  rig_.put_states("000");
  rig_.lane("a");
  rig_.put_states("000", 'd');
  EXPECT_EQ(rig_.stats().superseded, 1U);
  EXPECT_EQ(deliver(), Bodies({"a0", "c0", "d0", "e0", "f0"}));
}

TEST_P(JournalChangesContract, SwitchingToLatestLeavesTheNewestAlone) {
  rig_.lane("a", Backlog::changes);
  rig_.put_states("00112");
  switch_to(Backlog::latest, 1);
  EXPECT_EQ(rig_.stats().superseded, 4U);
  rig_.put_states("2", 'f');
  EXPECT_EQ(deliver(), Bodies({"f2"}));
}

TEST_P(JournalChangesContract, SwitchingFromLatestKeepsItsNewestAndEachChangeBehindIt) {
  rig_.lane("a", Backlog::latest);
  rig_.put_states("0012");
  switch_to(Backlog::changes, 1);
  rig_.put_states("2211", 'e');
  EXPECT_EQ(rig_.stats().superseded, 5U);
  EXPECT_EQ(deliver(), Bodies({"d2", "g1", "h1"}));
}

TEST_P(JournalChangesContract, SwitchingThroughEveryPolicyLosesNothing) {
  rig_.lane("a", Backlog::latest);
  const auto first = rig_.put_states("01");
  EXPECT_EQ(rig_.claim().size(), 1U);
  rig_.later(first[1], 10s);
  rig_.lane("a");
  rig_.put_states("22", 'c');
  switch_to(Backlog::changes, 3);
  rig_.put_states("2", 'e');
  EXPECT_EQ(rig_.stats().superseded, 2U);
  rig_.lane("a");
  rig_.lane("a", Backlog::changes);
  rig_.lane("a");
  rig_.until([&] { return rig_.journal().stats().lanes[0].next_due.has_value(); });
  rig_.advance(10s);
  EXPECT_EQ(deliver(), Bodies({"b1", "c2", "e2"}));
  const LaneStats& s = rig_.stats();
  EXPECT_EQ(s.pending + s.in_flight, 0U);
  EXPECT_EQ(s.delivered + s.superseded + s.expired, 5U);
}

TEST_P(JournalChangesContract, WhatWasSupersededStaysSoOverARestart) {
  if (!GetParam().durable) GTEST_SKIP();
  rig_.lane("a", Backlog::changes);
  rig_.put("q", "q");  // keeps the cursor back
  const auto seqs = rig_.put_states("000011");
  rig_.settle(rig_.claim(0, 2).back().seq, End::delivered);
  rig_.commit();
  for (int i = 0; i < 2; ++i) {
    rig_.reopen();
    rig_.until([&] { return rig_.journal().stats().lanes[0].claimable; });
    EXPECT_EQ(rig_.stats().pending, 3U);
    EXPECT_EQ(rig_.stats().superseded, 3U);
  }
  rig_.put_states("10", 'g');
  EXPECT_EQ(deliver(), Bodies({"q", "e1", "h0"}));
}

}  // namespace checkrelay
