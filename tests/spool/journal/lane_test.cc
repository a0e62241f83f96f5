#include "spool/lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using End = Settlement::End;
using testing::ElementsAre;
using testing::IsEmpty;

class LaneTest : public testing::Test {
 protected:
  static RecordHeader header(Seq seq, std::uint64_t subject, std::uint8_t state = 0) {
    RecordHeader h;
    h.seq = seq;
    h.subject = subject;
    h.lanes = 1;
    h.state = state;
    h.size = 10;
    return h;
  }
  void feed(Seq seq, std::uint64_t subject, std::uint8_t state = 0) {
    lane_.feed(header(seq, subject, state), out_);
    lane_.fed_upto(seq);
  }
  std::vector<Seq> claim(std::size_t n = 1000) {
    std::vector<Seq> seqs;
    for (const Taken& t : lane_.claim(n, 1 << 20, now_, out_)) seqs.push_back(t.seq);
    return seqs;
  }
  void settle(Seq seq, End end, Duration wait = {}) {
    Settlement s;
    s.seq = seq;
    s.end = end;
    s.due = now_.steady + wait;
    lane_.settle(s, now_, out_);
  }
  void restart() { lane_ = Lane(lane_.save(), {4, 100}); }

  Instant now_{Steady(1h), Wall(Duration(1'700'000'000'000'000))};
  Lane lane_{{4, 100}};  // a window of four
  LaneOutput out_;
};

TEST_F(LaneTest, CursorFollowsWhatIsFinished) {
  feed(1, 1);
  feed(2, 2);
  feed(3, 3);
  claim();
  settle(2, End::delivered);
  EXPECT_EQ(lane_.cursor(), 0U);
  settle(1, End::delivered);
  EXPECT_EQ(lane_.cursor(), 2U);
}

TEST_F(LaneTest, CursorPassesRecordsOfOtherLanes) {
  lane_.fed_upto(7);
  EXPECT_EQ(lane_.cursor(), 7U);
}

TEST_F(LaneTest, WindowIsBoundedAndTheRestIsLoadedLater) {
  for (Seq s = 1; s <= 6; ++s) feed(s, s);
  EXPECT_EQ(lane_.loaded(), 4U);
  EXPECT_THAT(claim(), ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(lane_.wants_more());
  settle(1, End::delivered);
  EXPECT_TRUE(lane_.wants_more());
  lane_.load(header(5, 5));
  EXPECT_THAT(claim(), ElementsAre(5));
}

TEST_F(LaneTest, CursorPassesAPutOffRecordThatIsKeptAside) {
  feed(1, 1);
  feed(2, 2);
  claim();
  settle(1, End::later, 10s);
  settle(2, End::delivered);
  EXPECT_EQ(lane_.cursor(), 2U);
  ASSERT_EQ(out_.aside.size(), 1U);
  EXPECT_EQ(out_.aside[0].what, AsideChange::What::park);
  EXPECT_EQ(out_.aside[0].tries, 1U);
}

TEST_F(LaneTest, AFullWindowOfWaitingRecordsMakesRoom) {
  feed(1, 1);
  claim();
  settle(1, End::later, 10s);
  for (Seq s = 2; s <= 6; ++s) feed(s, 1);
  EXPECT_THAT(claim(), IsEmpty());
  out_ = {};
  EXPECT_TRUE(lane_.make_room(out_));
  EXPECT_EQ(out_.aside.size(), 4U);
  EXPECT_TRUE(lane_.wants_more());
}

TEST_F(LaneTest, RestartFreesClaims) {
  feed(1, 1);
  feed(2, 2);
  claim();
  settle(2, End::delivered);
  restart();
  lane_.load(header(1, 1));
  lane_.load(header(2, 2));
  EXPECT_THAT(claim(), ElementsAre(1));
}

TEST_F(LaneTest, WhatWasFinishedBehindTheCursorStaysFinishedOverTwoRestarts) {
  for (Seq s = 1; s <= 3; ++s) feed(s, s);
  claim();
  settle(2, End::delivered);
  for (int i = 0; i < 2; ++i) {
    restart();
    for (Seq s = 1; s <= 3; ++s) lane_.load(header(s, s));
  }
  EXPECT_THAT(claim(), ElementsAre(1, 3));
}

TEST_F(LaneTest, ReindexingFindsTheNewestAndSettlesTheAccounts) {
  lane_.configure({Backlog::latest, {}});
  feed(1, 7);
  claim();
  feed(2, 7);
  feed(3, 8);
  restart();
  ASSERT_TRUE(lane_.rebuilding());
  EXPECT_THAT(claim(), IsEmpty());
  lane_.reindex(header(1, 7), out_);
  lane_.reindex(header(2, 7), out_);
  lane_.reindex(header(3, 8), out_);
  lane_.reindexed(out_);
  for (Seq s = 1; s <= 3; ++s) lane_.load(header(s, s == 3 ? 8 : 7));
  EXPECT_THAT(claim(), ElementsAre(2, 3));
  EXPECT_EQ(lane_.save().superseded, 1U);
}

TEST_F(LaneTest, WhatNobodyCanFindAnyMoreIsWrittenOff) {
  feed(1, 1);
  feed(2, 2);
  restart();
  lane_.load(header(2, 2));  // the first one was damaged
  lane_.loaded_upto(2);
  claim();
  settle(2, End::delivered);
  EXPECT_EQ(lane_.write_off(), 1U);
  EXPECT_EQ(lane_.save().expired, 1U);
}

TEST_F(LaneTest, ARecordThatIsNoChangeEndsWhenANewerOneComesWhereverItIs) {
  lane_.configure({Backlog::changes, {}});
  for (Seq s = 1; s <= 8; ++s) feed(s, s <= 4 ? s : 9, s == 8 ? 1 : 0);  // 5-8 do not fit in
  EXPECT_EQ(lane_.save().superseded, 2U);
  EXPECT_EQ(lane_.place(header(6, 9)), Lane::Place::finished);
  claim();
  for (Seq s = 1; s <= 4; ++s) settle(s, End::delivered);
  for (Seq s = 5; s <= 8; ++s) lane_.load(header(s, 9));
  EXPECT_THAT(claim(), ElementsAre(5));
  settle(5, End::delivered);
  EXPECT_THAT(claim(), ElementsAre(8));
  settle(8, End::delivered);
  EXPECT_EQ(lane_.cursor(), 8U);
}

TEST_F(LaneTest, StatesOfDeliveredRecordsAreRememberedWithinLimits) {
  LaneLimits limits;
  limits.remembered = 2;
  lane_ = Lane(limits);
  lane_.configure({Backlog::changes, {}});
  for (Seq s = 1; s <= 3; ++s) {
    feed(s, s);
    claim();
    settle(s, End::delivered);
  }
  for (Seq s = 4; s <= 9; ++s) feed(s, (s - 4) % 3 + 1);
  EXPECT_EQ(lane_.save().superseded, 2U);  // of the third subject nothing was known
}

TEST_F(LaneTest, SwitchingToChangesWhileSomethingFliesKeepsTheAccounts) {
  for (Seq s = 1; s <= 4; ++s) feed(s, 1);
  EXPECT_THAT(claim(1), ElementsAre(1));
  lane_.configure({Backlog::changes, {}});
  ASSERT_TRUE(lane_.rebuilding());
  for (Seq s = 1; s <= 4; ++s) lane_.reindex(header(s, 1), out_);
  lane_.reindexed(out_);
  const LaneSaved saved = lane_.save();
  EXPECT_EQ(saved.pending, 2U);
  EXPECT_EQ(saved.superseded, 2U);
  settle(1, End::delivered);
  EXPECT_THAT(claim(), ElementsAre(4));
}

TEST_F(LaneTest, WhatHadEndedAndIsForgottenIsCountedAgain) {
  lane_.configure({Backlog::changes, {}});
  for (Seq s = 1; s <= 9; ++s) feed(s, 1);  // 2 to 8 are no change
  LaneStats stats;
  lane_.fill(stats);
  ASSERT_EQ(stats.superseded, 7U);
  auto saved = lane_.save();
  saved.done.clear();
  lane_ = Lane(saved, {4, 100});
  lane_.configure({Backlog::changes, {}});
  ASSERT_TRUE(lane_.rebuilding());
  for (Seq s = 1; s <= 9; ++s) lane_.reindex(header(s, 1), out_);
  lane_.reindexed(out_);
  lane_.fill(stats);
  EXPECT_EQ(stats.pending, 2U);
  EXPECT_EQ(stats.superseded, 7U);
}

TEST_F(LaneTest, DeadOnesThatAreGoneEndAsExpired) {
  feed(1, 1);
  feed(2, 2);
  claim();
  for (const Seq s : {1U, 2U}) settle(s, End::dead);
  EXPECT_EQ(lane_.write_off_dead(1), 1U);
  EXPECT_EQ(lane_.save().dead, 1U);
  EXPECT_EQ(lane_.save().expired, 1U);
  EXPECT_EQ(lane_.write_off_dead(7), 0U) << "it knows of no more than it buried";
}

TEST(DoneSet, HoldsWhatWasSetUntilTheCursorHasPassed) {
  DoneSet done;
  done.set(3);
  done.set(4095, 4097);
  done.forget_upto(4000);
  for (Seq s : {3U, 4095U, 4096U, 4097U}) EXPECT_TRUE(done.has(s)) << s;
  for (Seq s : {0U, 4U, 4094U, 4098U, 9000U}) EXPECT_FALSE(done.has(s)) << s;
  done.forget_upto(4095);
  EXPECT_FALSE(done.has(3));
  EXPECT_TRUE(done.has(4096));
  done.forget_upto(8191);
  EXPECT_TRUE(done.empty());
}

TEST(DoneSet, StoresWhatChangedAlone) {
  DoneSet done;
  done.set(9);
  done.set(5000);
  const auto chunks = done.changes();
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[1].number, 1U);
  EXPECT_EQ(chunks[0].bits.size(), 512U);
  EXPECT_EQ(chunks[0].bits[1], 2);  // record 9: bit 1 of byte 1
  DoneSet again(chunks);
  EXPECT_TRUE(again.has(9) && again.has(5000) && !again.has(10));
  EXPECT_FALSE(again.changed());
  again.forget_upto(4200);
  ASSERT_EQ(again.changes().size(), 1U);
  EXPECT_EQ(again.changes()[0].number, 0U);
  EXPECT_EQ(again.changes()[0].bits, "");
}

TEST(DoneSet, EverythingIsStoredAgainWhereThatIsAsked) {
  DoneSet done;
  done.set(9);
  done.set(5000);
  done.mark_saved();
  done.mark_all_changed();
  EXPECT_EQ(done.changes().size(), 2U);
}

TEST(DoneSet, AChunkOfTheWrongSizeIsIgnored) { EXPECT_TRUE(DoneSet({{0, "short"}}).empty()); }

TEST(LastStates, KeepsEveryPart) {
  LastStates states;
  states.put(7, {123456789012345, 255, true, false});
  states.put(8, {1, 0, false, true});
  const auto a = states.get(7), b = states.get(8);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->seq, 123456789012345U);
  EXPECT_EQ(a->state, 255);
  EXPECT_TRUE(a->change && !a->sent && !b->change && b->sent);
  states.erase(7);
  EXPECT_FALSE(states.get(7));
}

TEST_F(LaneTest, ARevivedRecordTakesItsPlaceAmongThoseOfItsSubject) {
  feed(1, 1);
  feed(2, 1);
  claim();
  settle(1, End::dead);
  EXPECT_THAT(claim(), ElementsAre(2));
  settle(2, End::put_back);
  lane_.revive(header(1, 1), out_);
  EXPECT_THAT(claim(), ElementsAre(1));
  EXPECT_THAT(claim(), IsEmpty());
}

TEST(SubjectIndex, KeepsWhatIsThereWhileOthersCollideAndGo) {
  SubjectIndex index;
  for (std::uint64_t i = 1; i <= 5000; ++i) EXPECT_EQ(index.exchange(i * 64, i), 0U);
  for (std::uint64_t i = 1; i <= 5000; i += 2) index.erase(i * 64);
  EXPECT_EQ(index.size(), 2500U);
  for (std::uint64_t i = 1; i <= 5000; ++i) EXPECT_EQ(index.get(i * 64), i % 2 == 0 ? i : 0U);
  EXPECT_EQ(index.exchange(128, 9), 2U);
}

}  // namespace
}  // namespace checkrelay
