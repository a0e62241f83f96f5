#include "tests/contract/journal_contract.h"

#include <gmock/gmock.h>

namespace checkrelay {

using namespace std::chrono_literals;
using End = Settlement::End;
using testing::ElementsAre;
using testing::IsEmpty;
using What = BrowseQuery::What;

JournalContract::JournalContract()
    : rig_([this](std::function<void()> wake) {
        return GetParam().open(directory_.path(), std::move(wake));
      }) {}

TEST_P(JournalContract, RecordsAreClaimedInOrderOfAcceptance) {
  rig_.lane("a");
  rig_.put("s1", "1");
  rig_.put("s2", "2");
  rig_.put("s3", "3");
  EXPECT_THAT(rig_.claim_bodies(0, 2), ElementsAre("1", "2"));
  EXPECT_THAT(rig_.claim_bodies(0), ElementsAre("3"));
  EXPECT_THAT(rig_.claim_bodies(0), IsEmpty());
}

TEST_P(JournalContract, TheAnswerToStageComesFromPollAlone) {
  rig_.lane("a");
  bool answered = false;
  rig_.journal().stage({rig_.record("s", "x")}, [&](auto) { answered = true; });
  EXPECT_FALSE(answered);
  rig_.until([&] { return answered; });
}

TEST_P(JournalContract, SeqsRiseAndAreNotUsedAgain) {
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  for (const Claim& c : rig_.claim()) rig_.settle(c.seq, End::delivered);
  EXPECT_GT(rig_.put("s", "2"), first);
}

TEST_P(JournalContract, TwoOfOneSubjectAreNeverInFlight) {
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  rig_.put("s", "2");
  rig_.put("t", "3");
  EXPECT_THAT(rig_.claim_bodies(0), ElementsAre("1", "3"));
  EXPECT_THAT(rig_.claim_bodies(0), IsEmpty());
  rig_.settle(first, End::delivered);
  EXPECT_THAT(rig_.claim_bodies(0), ElementsAre("2"));
}

TEST_P(JournalContract, ByteLimitEndsAClaimButNeverTheFirstRecord) {
  rig_.lane("a");
  rig_.put("s1", std::string(600, 'a'));
  rig_.put("s2", std::string(600, 'b'));
  EXPECT_EQ(rig_.claim(0, 10, 1000).size(), 1U);
  EXPECT_EQ(rig_.claim(0, 10, 1).size(), 1U);
}

TEST_P(JournalContract, PutBackKeepsItsPlace) {
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  rig_.put("s", "2");
  rig_.put("t", "3");
  EXPECT_EQ(rig_.claim(0, 1).size(), 1U);
  rig_.settle(first, End::put_back);
  const auto claims = rig_.claim();
  ASSERT_EQ(claims.size(), 2U);
  EXPECT_EQ(claims[0].body, "1");
  EXPECT_EQ(claims[0].tries, 1U);
  EXPECT_EQ(claims[1].body, "3");
}

TEST_P(JournalContract, LaterRecordsOfASubjectWaitBehindOnePutOff) {
  rig_.lane("a");
  const Seq first = rig_.put("s", "1");
  const Seq second = rig_.put("s", "2");
  rig_.put("t", "3");
  EXPECT_THAT(rig_.claim_bodies(0), ElementsAre("1", "3"));
  rig_.later(first, 10s, true);
  EXPECT_THAT(rig_.claim_bodies(0), IsEmpty());
  EXPECT_EQ(rig_.stats().next_due, rig_.now().steady + 10s);
  rig_.advance(10s);
  const auto claims = rig_.claim();
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].body, "1");
  EXPECT_TRUE(claims[0].first_unknown);
  rig_.settle(first, End::dead, 0, "no such host");
  EXPECT_EQ(rig_.claim().front().seq, second);
}

TEST_P(JournalContract, LatestSupersedesWhatIsUnsent) {
  const LaneId lane = rig_.lane("a", Backlog::latest);
  rig_.put("s", "1");
  rig_.put("t", "2");
  rig_.put("s", "3");
  EXPECT_EQ(rig_.stats(lane).superseded, 1U);
  EXPECT_EQ(rig_.stats(lane).pending, 2U);
  EXPECT_THAT(rig_.claim_bodies(lane), ElementsAre("2", "3"));
}

TEST_P(JournalContract, LatestLetsWhatIsInFlightEndFirst) {
  const LaneId lane = rig_.lane("a", Backlog::latest);
  const Seq first = rig_.put("s", "1");
  EXPECT_EQ(rig_.claim(lane).size(), 1U);
  rig_.put("s", "2");
  rig_.put("s", "3");
  EXPECT_THAT(rig_.claim_bodies(lane), IsEmpty());
  rig_.settle(first, End::put_back, lane);
  EXPECT_THAT(rig_.claim_bodies(lane), ElementsAre("3"));
  EXPECT_EQ(rig_.stats(lane).superseded, 2U);
}

TEST_P(JournalContract, ANewerRecordInheritsTheWaitOfTheOneItSupersedes) {
  const LaneId lane = rig_.lane("a", Backlog::latest);
  const Seq first = rig_.put("s", "1");
  EXPECT_EQ(rig_.claim(lane).size(), 1U);
  rig_.later(first, 10s);
  rig_.put("s", "2");
  EXPECT_THAT(rig_.claim_bodies(lane), IsEmpty());
  rig_.advance(10s);
  EXPECT_THAT(rig_.claim_bodies(lane), ElementsAre("2"));
}

TEST_P(JournalContract, OldRecordsExpireInsteadOfBeingClaimed) {
  const LaneId lane = rig_.lane("a", Backlog::all, 1min);
  rig_.put("s", "1");
  rig_.advance(2min);
  rig_.put("s", "2");
  EXPECT_THAT(rig_.claim_bodies(lane), ElementsAre("2"));
  EXPECT_EQ(rig_.stats(lane).expired, 1U);
}

TEST_P(JournalContract, DeadRecordsAreKeptWithTheirAnswerUntilRetried) {
  rig_.lane("a");
  const Seq seq = rig_.put("s", "1");
  (void)rig_.claim();
  rig_.settle(seq, End::dead, 0, "no such service");
  EXPECT_EQ(rig_.stats().dead, 1U);
  auto page = rig_.browse({What::dead, {}, {}, {}, {}, 0, 10});
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].answer, "no such service");
  EXPECT_EQ(page.rows[0].body, "1");
  EXPECT_EQ(rig_.retry({}), 1U);
  EXPECT_EQ(rig_.stats().dead, 0U);
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("1"));
}

TEST_P(JournalContract, RetryOfAllFindsTheDeadOfEveryDestination) {
  const std::vector<LaneId> lanes = {rig_.lane("a"), rig_.lane("b"), rig_.lane("c")};
  std::vector<Record> records;
  for (int i = 0; i < 400; ++i) records.push_back(rig_.record("s" + std::to_string(i), "x", 7));
  ASSERT_TRUE(rig_.stage(std::move(records)));
  for (const LaneId lane : lanes) {
    std::vector<Settlement> dead;
    for (const Claim& c : rig_.claim(lane)) dead.push_back({.seq = c.seq, .end = End::dead});
    rig_.settle(lane, std::move(dead));
    rig_.commit();
    EXPECT_EQ(rig_.stats(lane).dead, 400U);
  }
  EXPECT_EQ(rig_.retry({}, lanes[1]), 400U);
  EXPECT_EQ(rig_.retry({}), 800U);
  for (const LaneId lane : lanes) EXPECT_EQ(rig_.stats(lane).dead, 0U);
  EXPECT_EQ(rig_.retry({}), 0U);
}

TEST_P(JournalContract, RecordNamedTwiceIsDroppedOnce) {
  rig_.lane("a");
  const Seq seq = rig_.put("s", "1");
  (void)rig_.claim();
  rig_.settle(seq, End::dead);
  EXPECT_EQ(rig_.drop({seq, seq, seq}), 1U);
  EXPECT_EQ(rig_.stats().dead, 0U);
  EXPECT_EQ(rig_.stats().expired, 1U);
}

TEST_P(JournalContract, DroppedRecordsEndAsExpired) {
  rig_.lane("a");
  const Seq waiting = rig_.put("s", "1");
  const Seq dead = rig_.put("t", "2");
  const Seq flying = rig_.put("u", "3");
  (void)rig_.claim();
  rig_.settle(dead, End::dead);
  rig_.settle(waiting, End::put_back);
  EXPECT_EQ(rig_.drop({waiting, dead, flying, 4711}), 2U);
  EXPECT_EQ(rig_.stats().expired, 2U);
  EXPECT_EQ(rig_.stats().in_flight, 1U);
  EXPECT_THAT(rig_.claim_bodies(), IsEmpty());
}

TEST_P(JournalContract, SettlingWhatIsNotInFlightDoesNothing) {
  rig_.lane("a");
  const Seq seq = rig_.put("s", "1");
  rig_.settle(seq, End::delivered);
  rig_.settle(4711, End::dead);
  EXPECT_EQ(rig_.stats().pending, 1U);
  EXPECT_EQ(rig_.stats().delivered + rig_.stats().dead, 0U);
}

TEST_P(JournalContract, TheSameGivenIdIsStoredOnceWithinADay) {
  rig_.lane("a");
  Record r = rig_.record("s", "1");
  r.id_given = true;
  const auto first = rig_.stage({r});
  auto again = rig_.stage({r, rig_.record("t", "2")});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->at(0).duplicate);
  EXPECT_EQ(again->at(0).seq, first->at(0).seq);
  EXPECT_FALSE(again->at(1).duplicate);
  EXPECT_THAT(rig_.claim_bodies(), ElementsAre("1", "2"));
  rig_.advance(25h);
  r.received = rig_.now().wall;
  EXPECT_FALSE(rig_.stage({r})->at(0).duplicate);
}

TEST_P(JournalContract, TheSameIdTwiceInOneSubmissionIsStoredOnce) {
  rig_.lane("a");
  Record r = rig_.record("s", "1");
  r.id_given = true;
  const auto stored = rig_.stage({r, r});
  EXPECT_TRUE(stored->at(1).duplicate);
  EXPECT_EQ(rig_.stats().pending, 1U);
}

TEST_P(JournalContract, EachLaneHasItsOwnAccounts) {
  const LaneId a = rig_.lane("a");
  const LaneId b = rig_.lane("b");
  ASSERT_NE(a, b);
  const Seq both = rig_.put("s", "1", LaneMask{1} << a | LaneMask{1} << b);
  rig_.put("t", "2", LaneMask{1} << b);
  EXPECT_THAT(rig_.claim_bodies(a), ElementsAre("1"));
  rig_.settle(both, End::delivered, a);
  EXPECT_EQ(rig_.stats(a).delivered, 1U);
  EXPECT_EQ(rig_.stats(b).pending, 2U);
  EXPECT_THAT(rig_.claim_bodies(b), ElementsAre("1", "2"));
}

TEST_P(JournalContract, ANewLaneOwesNothingOfThePast) {
  rig_.lane("a");
  rig_.put("s", "1");
  const LaneId b = rig_.lane("b");
  EXPECT_EQ(rig_.stats(b).pending, 0U);
  rig_.put("s", "2", LaneMask{1} << b);
  EXPECT_THAT(rig_.claim_bodies(b), ElementsAre("2"));
}

TEST_P(JournalContract, StatsKnowANewLaneAtOnce) {
  auto lanes = rig_.journal().lanes({{"a", {}}, {"b", {}}});
  ASSERT_TRUE(lanes);
  ASSERT_GT(rig_.journal().stats().lanes.size(), (*lanes)[1]);
  EXPECT_EQ(rig_.journal().stats().lanes[(*lanes)[1]].name, "b");
}

TEST_P(JournalContract, ARemovedLaneKeepsItsRecordsAndItsNumber) {
  const LaneId a = rig_.lane("a");
  rig_.put("s", "1");
  ASSERT_TRUE(rig_.journal().lanes({{"b", {}}}));
  EXPECT_FALSE(rig_.stats(a).active);
  EXPECT_EQ(rig_.stats(a).pending, 1U);
  EXPECT_EQ(rig_.lane("a"), a);
  EXPECT_THAT(rig_.claim_bodies(a), ElementsAre("1"));
}

TEST_P(JournalContract, SwitchingToLatestSupersedesTheBacklog) {
  const LaneId lane = rig_.lane("a");
  for (int i = 0; i < 10; ++i) rig_.put("s", std::to_string(i));
  rig_.put("t", "t");
  rig_.lane("a", Backlog::latest);
  rig_.until([&] { return rig_.journal().stats().lanes[lane].superseded == 9; });
  EXPECT_EQ(rig_.stats(lane).pending, 2U);
  EXPECT_THAT(rig_.claim_bodies(lane), ElementsAre("9", "t"));
}

TEST_P(JournalContract, SwitchingToAllBringsNothingSupersededBack) {
  const LaneId lane = rig_.lane("a", Backlog::latest);
  rig_.put("s", "1");
  rig_.put("s", "2");
  rig_.lane("a", Backlog::all);
  const Seq third = rig_.put("s", "3");
  EXPECT_EQ(rig_.stats(lane).pending, 2U);
  const auto claims = rig_.claim(lane);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].body, "2");
  rig_.settle(claims[0].seq, End::delivered, lane);
  EXPECT_EQ(rig_.claim(lane).front().seq, third);
}

TEST_P(JournalContract, TheStoryOfOneRecordTellsEachTry) {
  rig_.lane("a");
  const Seq seq = rig_.put("s", "1");
  (void)rig_.claim();
  rig_.later(seq, 1s);
  rig_.advance(1s);
  (void)rig_.claim();
  rig_.settle(seq, End::delivered, 0, "200 OK");
  BrowseQuery query;
  query.what = What::any;
  query.id = "id-1";
  const auto page = rig_.browse(query);
  ASSERT_EQ(page.rows.size(), 1U);
  const Browsed& row = page.rows[0];
  EXPECT_EQ(row.what, "delivered");
  EXPECT_EQ(row.tries, 2U);
  EXPECT_EQ(row.answer, "200 OK");
  ASSERT_EQ(row.story.size(), 3U);
  EXPECT_EQ(row.story[0].what, "stored");
  EXPECT_EQ(row.story[1].what, "later");
  EXPECT_EQ(row.story[1].answer, "not yet");
  EXPECT_EQ(row.story[2].what, "delivered");
}

TEST_P(JournalContract, ASupersededRecordCanBeLookedUp) {
  rig_.lane("a", Backlog::latest);
  const Seq first = rig_.put("s", "1");
  rig_.put("s", "2");
  BrowseQuery query;
  query.what = What::any;
  query.seq = first;
  const auto page = rig_.browse(query);
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].what, "superseded");
}

TEST_P(JournalContract, LargeRecordsSurvive) {
  rig_.lane("a");
  const std::string body(3 << 20, 'x');
  rig_.put("s", body);
  EXPECT_TRUE(rig_.claim(0, 1, 8 << 20).front().body == body);
}

TEST_P(JournalContract, AnIdOfTheWrongLengthIsRefusedWithTheWholeSubmission) {
  rig_.lane("a");
  Record r = rig_.record("s", "1");
  r.id = std::string(65, 'x');
  const auto stored = rig_.stage({rig_.record("t", "2"), r});
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code, Errc::invalid);
  EXPECT_EQ(rig_.stats().pending, 0U);
}

TEST_P(JournalContract, OnePutOffSubjectDoesNotHoldUpThousandsOfOthers) {
  rig_.lane("a");
  const Seq bad = rig_.put("bad", "bad");
  (void)rig_.claim();
  rig_.later(bad, 1h);
  for (int round = 0; round < 4; ++round) {
    std::vector<Record> records;
    for (int i = 0; i < 4000; ++i) records.push_back(rig_.record("bad", "more"));
    ASSERT_TRUE(rig_.stage(std::move(records)));
  }
  const Seq good = rig_.put("good", "good");
  std::vector<Claim> claims;
  for (int i = 0; i < 200 && claims.empty(); ++i) claims = rig_.claim();
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].seq, good);
}

TEST_P(JournalContract, StatsTellASettlementWithoutBeingAsked) {
  rig_.lane("a");
  const Seq seq = rig_.put("s", "1");
  ASSERT_EQ(rig_.claim().size(), 1U);
  rig_.journal().settle(0, {{seq, End::delivered, {}, false, "ok"}});
  rig_.until([this] { return rig_.journal().stats().lanes[0].delivered == 1; });
}

TEST_P(JournalContract, StatsSayWhatIsOldest) {
  rig_.lane("a");
  const Wall first = rig_.now().wall;
  rig_.put("s", "1");
  rig_.advance(1min);
  rig_.put("t", "2");
  EXPECT_EQ(rig_.stats().oldest, first);
  EXPECT_TRUE(rig_.stats().claimable);
  (void)rig_.claim();
  EXPECT_FALSE(rig_.stats().claimable);
}

}  // namespace checkrelay
