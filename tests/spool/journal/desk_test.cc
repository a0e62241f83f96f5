// The desk over a store in memory that can be made to fail: lanes, trouble, pressure.
#include "spool/desk.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spool/memory_store.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class SickStore : public MemoryStore {
 public:
  void begin(Sync sync) override { last_sync = sync; }
  Result<void> commit() override {
    ++commits;
    if (sick) return fail(Errc::unavailable, "the disk is sick");
    return {};
  }
  Room room() override { return {used, used}; }
  [[nodiscard]] bool failed() const override { return unreadable; }
  bool sick = false, unreadable = false;
  Sync last_sync = Sync::now;
  int commits = 0;
  std::uint64_t used = 0;
};

using Destinations = std::vector<std::pair<std::string, LaneOptions>>;

class DeskTest : public testing::Test {
 protected:
  DeskTest() { begin({}); }
  void begin(DeskOptions options) {
    desk_ = std::make_unique<Desk>(store_, options);
    EXPECT_TRUE(desk_->restore());
    now_.steady = Steady(1h);
    now_.wall = Wall(Duration(1'700'000'000'000'000));
    desk_->clock(now_);
  }
  static Destinations names(int from, int to) {
    Destinations all;
    for (int i = from; i < to; ++i) all.push_back({fmt::format("d{}", i), {}});
    return all;
  }
  std::vector<LaneId> lanes(const Destinations& d) {
    auto ids = desk_->lanes(d);
    EXPECT_TRUE(ids);
    return ids ? *ids : std::vector<LaneId>();
  }
  Seq stage(const std::string& body, LaneMask mask) {
    std::vector<Record> records(1);
    Record& r = records.front();
    r.id = r.subject = r.body = body;
    r.time = r.received = now_.wall;
    r.lanes = mask;
    auto stored = desk_->stage(records);
    EXPECT_TRUE(stored);
    return stored ? stored->front().seq : 0;
  }
  Seq put(const std::string& body, LaneMask mask) {
    const Seq seq = stage(body, mask);
    EXPECT_TRUE(desk_->commit());
    return seq;
  }
  std::vector<std::string> bodies(LaneId lane) {
    std::vector<std::string> all;
    for (auto& c : desk_->claim(lane, 100, 1 << 20)) all.push_back(c.body);
    return all;
  }
  void settle_all(LaneId lane, Settlement::End end, Duration wait = {}) {
    std::vector<Settlement> all;
    for (const auto& c : desk_->claim(lane, 5000, 1 << 20))
      all.push_back({c.seq, end, now_.steady + wait, false, "word", true});
    desk_->settle(lane, all);
    EXPECT_TRUE(desk_->commit());
  }

  std::size_t retry_all() {
    Desk::RetryJob job;
    while (!desk_->retry_some(job)) {
    }
    return job.count;
  }

  SickStore store_;
  Instant now_{};
  std::unique_ptr<Desk> desk_;
};

TEST_F(DeskTest, AStoreThatCannotBeReadIsNotWorkedOn) {
  store_.unreadable = true;
  EXPECT_FALSE(Desk(store_, {}).restore());
  store_.sick = true;
  EXPECT_FALSE(Desk(store_, {}).restore());
}

TEST_F(DeskTest, ANewNameDoesNotTakeTheIdleSlotOfOneThatStays) {
  const auto before = lanes(names(0, 64));
  Destinations next = names(64, 65);  // the new one comes first
  const auto rest = names(0, 63);
  next.insert(next.end(), rest.begin(), rest.end());
  const auto ids = lanes(next);
  EXPECT_EQ(ids.front(), before[63]);
  EXPECT_EQ(std::vector<LaneId>(ids.begin() + 1, ids.end()),
            std::vector<LaneId>(before.begin(), before.end() - 1));
}

TEST_F(DeskTest, ASlotThatStagedRecordsAreMeantForIsNotReused) {
  lanes(names(0, 64));
  stage("of the old one", LaneMask{1} << 63);
  Destinations next = names(0, 63);
  next.push_back({"new", {}});
  EXPECT_FALSE(desk_->lanes(next));
  EXPECT_TRUE(desk_->commit());
  EXPECT_THAT(bodies(63), ElementsAre("of the old one"));
  EXPECT_EQ(desk_->stats().lanes[63].name, "d63");
}

TEST_F(DeskTest, NamesThatDoNotFitChangeNothing) {
  lanes(names(0, 64));
  for (LaneId i = 0; i < 64; ++i) put(fmt::format("r{}", i), LaneMask{1} << i);
  put("a", 1);
  put("a", 1);
  const auto before = desk_->stats();
  Destinations next = names(0, 2);
  next.front().second.backlog = Backlog::latest;
  next.push_back({"new", {}});
  const auto ids = desk_->lanes(next);
  ASSERT_FALSE(ids);
  EXPECT_EQ(ids.error().code, Errc::full);
  EXPECT_EQ(desk_->stats().lanes, before.lanes);
  while (desk_->upkeep(true)) {
  }
  EXPECT_EQ(desk_->stats().lanes[0].superseded, 0U);
}

TEST_F(DeskTest, OnlyAnAnswerThatSomebodyWaitsForWaitsForTheDisk) {
  lanes(names(0, 1));
  put("a", 1);
  EXPECT_EQ(store_.last_sync, Sync::now);
  settle_all(0, Settlement::End::dead);
  EXPECT_EQ(store_.last_sync, Sync::later);
  EXPECT_EQ(retry_all(), 1U);
  EXPECT_TRUE(desk_->commit());
  EXPECT_EQ(store_.last_sync, Sync::now);
  stage("b", 1);
  settle_all(0, Settlement::End::delivered);
  EXPECT_EQ(store_.last_sync, Sync::now);
}

TEST_F(DeskTest, RetryOfAllGoesInBoundedSteps) {
  lanes(names(0, 1));
  for (int i = 0; i < 1000; ++i) stage(fmt::format("r{}", i), 1);
  EXPECT_TRUE(desk_->commit());
  settle_all(0, Settlement::End::dead);
  Desk::RetryJob job;
  EXPECT_FALSE(desk_->retry_some(job));
  EXPECT_EQ(job.count, 128U);
  EXPECT_EQ(desk_->stats().lanes[0].dead, 872U);
  EXPECT_TRUE(desk_->commit());
  settle_all(0, Settlement::End::dead);  // and again: not for this job
  std::size_t steps = 1;
  while (!desk_->retry_some(job)) ++steps;
  EXPECT_EQ(steps, 7U);
  EXPECT_EQ(desk_->stats().lanes[0].dead, 127U);
}

TEST_F(DeskTest, WhatALaneHasNoRoomForStaysDead) {
  DeskOptions options;
  options.lane.aside = 100;
  begin(options);
  lanes(names(0, 1));
  for (int i = 0; i < 300; ++i) stage(fmt::format("r{}", i), 1);
  EXPECT_TRUE(desk_->commit());
  settle_all(0, Settlement::End::dead);
  for (const std::size_t left : {200U, 100U, 0U}) {
    EXPECT_EQ(retry_all(), 100U);
    EXPECT_EQ(desk_->stats().lanes[0].dead, left);
    EXPECT_TRUE(desk_->commit());
    settle_all(0, Settlement::End::delivered);
  }
  EXPECT_EQ(desk_->stats().lanes[0].delivered, 300U);
}

TEST_F(DeskTest, AProducerDoesNotWaitForSettlementsToBeWritten) {
  lanes(names(0, 1));
  put("a", 1);
  for (const auto& c : desk_->claim(0, 1, 1 << 20))
    desk_->settle(0, {{c.seq, Settlement::End::delivered, {}, false, {}, true}});
  stage("b", 1);
  EXPECT_TRUE(desk_->commit(true, false));
  EXPECT_EQ(store_.log_row_of(2)->first, 2U);
  EXPECT_TRUE(desk_->settlements_wait());
  EXPECT_EQ(store_.lanes().front().saved.delivered, 0U);
  EXPECT_TRUE(desk_->commit());
  EXPECT_FALSE(desk_->settlements_wait());
  EXPECT_EQ(store_.lanes().front().saved.delivered, 1U);
}

TEST_F(DeskTest, WhatWasSupersededIsToldOnceOverACrash) {
  auto d = names(0, 1);
  d.front().second.backlog = Backlog::latest;
  lanes(d);
  for (int i = 0; i < 3; ++i) put("s", 1);
  for (int i = 0; i < 2; ++i) {
    begin({});  // the first desk ends without save_all()
    lanes(d);
    while (desk_->upkeep(true)) EXPECT_TRUE(desk_->commit());
    EXPECT_TRUE(desk_->commit());
  }
  std::size_t told = 0;
  for (const TrailRow& row : store_.trail_of(0, 100))
    for (const TrailEntry& e : read_trail(row.data)) told += e.fate == Fate::superseded ? 1U : 0U;
  EXPECT_EQ(told, 2U);
}

TEST_F(DeskTest, LanesDeclaredDuringTroubleAreStoredWithWhatComesNext) {
  store_.sick = true;
  EXPECT_THAT(lanes(names(0, 1)), ElementsAre(0U));
  EXPECT_FALSE(desk_->commit());
  store_.sick = false;
  put("1", 1);
  EXPECT_EQ(store_.lanes().size(), 1U);
}

TEST_F(DeskTest, APutOffRecordIsNotAnnouncedWhileTheDiskIsInTrouble) {
  lanes(names(0, 1));
  put("1", 1);
  settle_all(0, Settlement::End::later);
  EXPECT_TRUE(desk_->stats().lanes[0].next_due);
  store_.sick = true;
  stage("2", 1);
  EXPECT_FALSE(desk_->commit());
  EXPECT_FALSE(desk_->stats().lanes[0].next_due);
  EXPECT_FALSE(desk_->stats().lanes[0].claimable);
}

TEST_F(DeskTest, APutOffRecordIsNotAnnouncedWhileTheLaneIsRebuilding) {
  auto d = names(0, 1);
  lanes(d);
  put("1", 1);
  settle_all(0, Settlement::End::later);
  d.front().second.backlog = Backlog::latest;
  lanes(d);
  EXPECT_FALSE(desk_->stats().lanes[0].next_due);
  while (desk_->upkeep(true)) EXPECT_TRUE(desk_->commit());
  EXPECT_TRUE(desk_->stats().lanes[0].next_due);
}

TEST_F(DeskTest, ADiskInTroubleIsLeftAloneUnlessItIsToBeTried) {
  lanes(names(0, 1));
  put("1", 1);
  (void)desk_->claim(0, 1, 100);
  store_.sick = true;
  desk_->settle(0, {{1, Settlement::End::delivered, {}, false, {}, true}});
  EXPECT_FALSE(desk_->commit());
  const int before = store_.commits;
  EXPECT_FALSE(desk_->upkeep(true, false));
  EXPECT_FALSE(desk_->commit(false));
  EXPECT_EQ(store_.commits, before);
  store_.sick = false;
  (void)desk_->upkeep(true, true);
  EXPECT_EQ(desk_->stats().trouble, "");
}

TEST_F(DeskTest, APauseThatIsNotStoredHoldsAndIsStoredOnceTheDiskIsWell) {
  lanes(names(0, 1));
  store_.sick = true;
  EXPECT_TRUE(desk_->pause(0, true));
  EXPECT_FALSE(desk_->commit());
  EXPECT_FALSE(desk_->pause(0, true)) << "it is paused";
  EXPECT_FALSE(desk_->commit()) << "and still not stored";
  EXPECT_TRUE(desk_->claim(0, 10, 1000).empty());
  store_.sick = false;
  ASSERT_TRUE(desk_->commit());
  begin({});
  lanes(names(0, 1));
  EXPECT_EQ(desk_->stats().lanes.at(0).paused, now_.wall);
}

}  // namespace
}  // namespace checkrelay
