#include "agent/flow/intake.h"

#include <gtest/gtest.h>

#include "agent/model/packed.h"
#include "tests/support/world.h"

namespace checkrelay {
namespace {

CheckResult result(std::string host, std::string id = {}) {
  CheckResult r;
  r.subject = {std::move(host), "Backup"};
  r.id = std::move(id);
  r.output = "fine";
  return r;
}

CheckResult bad() {
  CheckResult r = result("db1");
  r.state = 9;
  return r;
}

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() {
    lane_ = world.journal.lanes({{"central", {}}}).value().front();
    configure({});
  }
  void configure(std::vector<Route> routes) {
    intake.configure(Admission({"edge1", 1000}, 1),
                     Router(LaneMask{1} << lane_, std::move(routes)));
  }
  std::vector<Outcome> submit(std::vector<CheckResult> results) {
    std::optional<std::vector<Outcome>> got;
    intake.submit(std::move(results), world.now(),
                  [&](std::vector<Outcome> o) { got = std::move(o); });
    EXPECT_FALSE(got) << "answered within submit()";
    world.settle_down();
    EXPECT_TRUE(got);
    return got.value_or(std::vector<Outcome>{});
  }
  World world;
  Intake intake{world.journal};
  LaneId lane_ = 0;
};

// A door that asked between two polls has stopped reading: the end of congestion must reach it.
TEST_F(IntakeTest, WhoeverWasToldOfCongestionIsToldOfItsEnd) {
  EXPECT_FALSE(intake.relieved());
  world.journal.set_staged(1U << 30U);
  EXPECT_FALSE(intake.relieved());
  EXPECT_TRUE(intake.congested());
  world.journal.set_staged(0);
  EXPECT_TRUE(intake.relieved());
  EXPECT_FALSE(intake.relieved());
}

TEST_F(IntakeTest, AcceptedResultsAreStoredWithTheirIds) {
  auto outcomes = submit({result("db1", "mine"), result("db2")});
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_TRUE(outcomes[0].ok);
  EXPECT_EQ(outcomes[0].id, "mine");
  EXPECT_EQ(outcomes[1].id.size(), 36U);
  EXPECT_EQ(world.journal.fate("mine", lane_), "pending");
  EXPECT_EQ(world.journal.fate(outcomes[1].id, lane_), "pending");
}

TEST_F(IntakeTest, AStartIsTakenWithItsIdAndNeverStored) {
  CheckResult start = result("db1", "run-1");
  start.output.clear();
  start.start = true;
  CheckResult nameless = start;
  nameless.id.clear();
  auto outcomes = submit({start, result("db2", "other"), nameless});
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_TRUE(outcomes[0].ok);
  EXPECT_EQ(outcomes[0].id, "run-1");
  EXPECT_NE(world.journal.fate("run-1", lane_), "pending");
  EXPECT_EQ(world.journal.fate("other", lane_), "pending");
  EXPECT_EQ(outcomes[2].error, "id: missing: a start needs the id of its run");
  auto ended = submit({result("db1", "run-1")});
  EXPECT_TRUE(ended[0].ok);
  EXPECT_EQ(world.journal.fate("run-1", lane_), "pending");
}

TEST_F(IntakeTest, NothingIsAnsweredBeforeTheJournalHasIt) {
  bool answered = false;
  world.journal.frozen = true;
  intake.submit({result("db1")}, world.now(), [&](const auto&) { answered = true; });
  world.advance(std::chrono::hours(1));
  EXPECT_FALSE(answered);
  world.journal.frozen = false;
  world.settle_down();
  EXPECT_TRUE(answered);
}

TEST_F(IntakeTest, WhereAllAreRefusedEachIsToldWhy) {
  auto outcomes = submit({bad(), bad()});
  ASSERT_EQ(outcomes.size(), 2U);
  for (const Outcome& o : outcomes) {
    EXPECT_FALSE(o.ok);
    EXPECT_EQ(o.code, Errc::invalid);
    EXPECT_EQ(o.error, "state: \"9\" is not 0-3");
  }
}

TEST_F(IntakeTest, GoodOnesAmongBadOnesKeepTheirPlaces) {
  auto outcomes = submit({bad(), result("db1", "a"), bad(), result("db2", "b")});
  ASSERT_EQ(outcomes.size(), 4U);
  EXPECT_FALSE(outcomes[0].ok);
  EXPECT_EQ(outcomes[1].id, "a");
  EXPECT_FALSE(outcomes[2].ok);
  EXPECT_EQ(outcomes[3].id, "b");
}

TEST_F(IntakeTest, AnEmptySubmissionIsAnsweredEmpty) { EXPECT_TRUE(submit({}).empty()); }

TEST_F(IntakeTest, WhatNoRouteTakesIsRefused) {
  configure({{"db*", "*", LaneMask{1} << lane_}});
  auto outcomes = submit({result("web1"), result("db1")});
  EXPECT_EQ(outcomes[0].code, Errc::refused);
  EXPECT_EQ(outcomes[0].error, "no route takes \"web1;Backup\"");
  EXPECT_TRUE(outcomes[1].ok);
}

TEST_F(IntakeTest, TheSameIdAgainIsAcceptedAndStoredOnce) {
  EXPECT_TRUE(submit({result("db1", "same")})[0].ok);
  auto again = submit({result("db1", "same")});
  EXPECT_TRUE(again[0].ok);
  EXPECT_EQ(again[0].id, "same");
  EXPECT_EQ(world.journal.stats().lanes[lane_].pending, 1U);
}

TEST_F(IntakeTest, WhenTheJournalFailsEachStagedOneIsToldHow) {
  for (Errc code : {Errc::full, Errc::unavailable}) {
    world.journal.fail_stage = Error{code, "no room"};
    auto outcomes = submit({bad(), result("db1", "a")});
    EXPECT_EQ(outcomes[0].code, Errc::invalid);
    EXPECT_FALSE(outcomes[1].ok);
    EXPECT_EQ(outcomes[1].code, code);
    EXPECT_EQ(outcomes[1].error, "no room");
    EXPECT_EQ(outcomes[1].id, "");
  }
}

TEST_F(IntakeTest, HostAndServiceDoNotRunIntoEachOther) {
  CheckResult a = result("ab", "1");
  a.subject.service = "c";
  CheckResult b = result("a", "2");
  b.subject.service = "bc";
  submit({a, b});
  std::size_t claimed = 0;
  world.journal.claim(lane_, 10, 1 << 20U, [&](const auto& claims) { claimed = claims.size(); });
  world.settle_down();
  EXPECT_EQ(claimed, 2U);
}

TEST_F(IntakeTest, MuchThatWaitsForItsCommitIsCongestion) {
  EXPECT_FALSE(intake.congested());
  world.journal.faked.staged = 17U << 20U;
  world.journal.poll(world.now());
  EXPECT_TRUE(intake.congested());
}

}  // namespace
}  // namespace checkrelay
