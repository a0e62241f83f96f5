// Drain::fresh_first where the window, the tail and the gap between them are small.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spool/lane.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using End = Settlement::End;
using testing::ElementsAre;
using testing::IsEmpty;

class LaneFreshTest : public testing::Test {
 protected:
  LaneFreshTest() { lane_.configure(fresh()); }
  static LaneLimits limits() {
    LaneLimits small;
    small.window = 3;
    small.tail = 3;
    small.subjects = 4;
    return small;
  }
  static LaneOptions fresh() { return {Backlog::all, {}, Drain::fresh_first}; }
  RecordHeader header(Seq seq) const {
    RecordHeader h;
    h.seq = seq;
    h.subject = log_[seq - 1];
    h.lanes = 1;
    h.size = 10;
    return h;
  }
  void feed(std::initializer_list<std::uint64_t> subjects) {
    for (std::uint64_t subject : subjects) {
      log_.push_back(subject);
      lane_.feed(header(log_.size()), out_);
      lane_.fed_upto(log_.size());
    }
  }
  std::vector<Seq> claim(std::size_t n = 1) {
    std::vector<Seq> seqs;
    for (const Taken& t : lane_.claim(n, 1 << 20, now_, out_)) seqs.push_back(t.seq);
    return seqs;
  }
  void settle(Seq seq, End end) {
    Settlement s;
    s.seq = seq;
    s.end = end;
    s.due = now_.steady + 10s;
    lane_.settle(s, now_, out_);
  }
  void load() {
    while (lane_.wants_more()) {
      lane_.load(header(lane_.loaded() + 1));
      lane_.loaded_upto(lane_.loaded());
    }
  }
  // Everything, one after the other.
  std::vector<Seq> drain() {
    std::vector<Seq> all;
    for (;;) {
      load();
      const auto seqs = claim();
      if (seqs.empty()) return all;
      all.push_back(seqs[0]);
      settle(seqs[0], End::delivered);
    }
  }
  void expect_order(const std::vector<Seq>& seqs) {
    std::map<std::uint64_t, Seq> last;
    for (Seq seq : seqs) {
      EXPECT_LT(last[log_[seq - 1]], seq);
      last[log_[seq - 1]] = seq;
    }
    EXPECT_EQ(seqs.size(), log_.size());
    EXPECT_EQ(lane_.save().delivered, log_.size());
    EXPECT_EQ(lane_.cursor(), log_.size());
  }

  Instant now_{Steady(1h), Wall(Duration(1'700'000'000'000'000))};
  std::vector<std::uint64_t> log_;  // subjects
  Lane lane_{limits()};
  LaneOutput out_;
};

TEST_F(LaneFreshTest, TheTailPassesTheWindow) {
  feed({1, 2, 3, 4, 5});
  EXPECT_THAT(claim(3), ElementsAre(5, 4, 3));
}

TEST_F(LaneFreshTest, WhatLeavesTheTailWaitsInTheLog) {
  feed({1, 2, 3, 4, 5, 6, 7});  // 4 has no place
  EXPECT_THAT(claim(9), ElementsAre(7, 6, 5, 1, 3, 2));
  for (Seq s : {1U, 2U, 3U}) settle(s, End::delivered);
  load();
  EXPECT_THAT(claim(9), ElementsAre(4));
}

TEST_F(LaneFreshTest, ASubjectWithAnOlderRecordInTheGapWaitsThere) {
  feed({1, 2, 3, 4, 5, 6, 7, 4});
  EXPECT_THAT(claim(), ElementsAre(7));
  expect_order([&] {
    settle(7, End::delivered);
    auto all = drain();
    all.insert(all.begin(), 7);
    return all;
  }());
}

TEST_F(LaneFreshTest, ARecordThatLeavesTheTailTakesItsSubjectAlong) {
  feed({1, 2, 3, 4, 5, 4, 6});  // the first 4 goes, and so does the second
  EXPECT_THAT(claim(9), ElementsAre(7, 5, 3, 1, 2));
  for (Seq s : {7U, 5U, 3U, 1U, 2U}) settle(s, End::delivered);
  load();
  EXPECT_THAT(claim(9), ElementsAre(4));
  settle(4, End::delivered);
  EXPECT_THAT(claim(9), ElementsAre(6));
}

TEST_F(LaneFreshTest, WhatWasSentOfTheTailIsNotSentAgainWhenTheWindowGetsThere) {
  feed({1, 2, 3, 4, 5, 6});
  EXPECT_THAT(claim(2), ElementsAre(6, 5));
  settle(6, End::delivered);
  EXPECT_THAT(claim(9), ElementsAre(4, 1, 3, 2));
  for (Seq s : {1U, 2U, 3U}) settle(s, End::delivered);
  load();
  EXPECT_THAT(claim(9), IsEmpty());
  settle(5, End::put_back);
  EXPECT_THAT(claim(9), ElementsAre(5));
  settle(5, End::delivered);
  settle(4, End::delivered);
  EXPECT_EQ(lane_.cursor(), 6U);
}

TEST_F(LaneFreshTest, WithTooManySubjectsInTheGapTheLaneDrainsInOrder) {
  for (std::uint64_t s = 1; s <= 12; ++s) feed({s});  // five leave the tail
  feed({13, 14});
  EXPECT_THAT(claim(9), ElementsAre(3, 2, 1));
  for (Seq s : {3U, 2U, 1U}) settle(s, End::delivered);
  auto all = drain();
  all.insert(all.end(), {1, 2, 3});
  expect_order(all);
  feed({15, 16, 17, 18});
  EXPECT_THAT(claim(), ElementsAre(18));  // and sees again
}

TEST_F(LaneFreshTest, AfterAStartItDrainsInOrderUntilTheGapIsSurveyed) {
  feed({1, 2, 3, 4, 5, 4});
  EXPECT_THAT(claim(), ElementsAre(5));
  settle(5, End::delivered);
  lane_ = Lane(lane_.save(), limits());
  lane_.configure(fresh());
  ASSERT_TRUE(lane_.surveying());
  EXPECT_THAT(claim(), IsEmpty());
  load();
  feed({7});
  EXPECT_THAT(claim(), ElementsAre(3));
  for (Seq s = lane_.survey_from() + 1; s <= 6; ++s) lane_.survey(header(s));
  lane_.surveyed_upto(6);
  EXPECT_FALSE(lane_.surveying());
  feed({8, 4});
  EXPECT_THAT(claim(9), ElementsAre(8, 2, 1));  // 7 came too early, 4 waits for its older ones
  for (Seq s : {3U, 2U, 1U, 8U}) settle(s, End::delivered);
  auto all = drain();
  all.insert(all.end(), {1, 2, 3, 5, 8});
  std::sort(all.begin(), all.end());
  EXPECT_THAT(all, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(LaneFreshTest, GoingBackToInOrderLosesNothing) {
  feed({1, 2, 3, 4, 5, 6, 2});
  EXPECT_THAT(claim(), ElementsAre(6));
  lane_.configure({});
  EXPECT_THAT(claim(9), ElementsAre(1, 2, 3));
  settle(6, End::put_back);
  for (Seq s : {1U, 2U, 3U}) settle(s, End::delivered);
  auto all = drain();
  all.insert(all.begin(), {1, 2, 3});
  expect_order(all);
}

TEST_F(LaneFreshTest, LatestFreesASubjectOfItsRecordInTheGap) {
  lane_.configure({Backlog::latest, {}, Drain::fresh_first});
  feed({1, 2, 3, 4, 5, 6, 7, 4});  // the first 4 was in the gap
  EXPECT_THAT(claim(), ElementsAre(8));
  EXPECT_EQ(lane_.save().superseded, 1U);
}

TEST_F(LaneFreshTest, ADroppedRecordOfTheTailStaysGone) {
  feed({1, 2, 3, 4, 5});
  EXPECT_TRUE(lane_.drop(header(5), out_));
  EXPECT_EQ(lane_.place(header(5)), Lane::Place::finished);
  EXPECT_EQ(lane_.place(header(4)), Lane::Place::pending);
  EXPECT_THAT(drain(), ElementsAre(4, 3, 2, 1));
}

}  // namespace
}  // namespace checkrelay
