// Runs that die, what is taken back, and members in a planned outage.
#include <gtest/gtest.h>

#include "tests/agent/policy/freshness_site.h"

namespace checkrelay {
namespace {

TEST(Freshness, ADeadRunIsNoExcuseForTheNextReport) {
  FreshnessEntry e = entry("a", "x", 1h, 5min);
  e.promise.run_limit = 12h;
  Site site({e});
  ASSERT_TRUE(site.begin("a", "x", "killed"));
  site.pass(1min);
  ASSERT_TRUE(site.begin("a", "x", "next"));
  site.pass(1min);
  ASSERT_TRUE(site.report("a", "x", {}, "next"));
  EXPECT_EQ(site.pass(64min), Told{});
  EXPECT_EQ(site.pass(2min), Told{"overdue a;x"});
}

TEST(Freshness, AReportWithAnIdThatIsNoRunsEndsWhatBeganBefore) {
  FreshnessEntry e = entry("a", "x", 24h, 1min);
  e.promise.run_limit = 10min;
  Site site({e});
  ASSERT_TRUE(site.begin("a", "x", "run-1"));
  site.pass(1min);
  ASSERT_TRUE(site.report("a", "x", {}, "some id"));
  EXPECT_EQ(site.pass(1h), Told{});
}

TEST(Freshness, WhatIsTakenBackIsAsIfItHadNotBeen) {
  FreshnessEntry e = entry("a", "x", 10min, 1min);
  e.promise.run_limit = 5min;
  Site site({e});
  ASSERT_TRUE(site.report("a", "x"));
  site.pass(1min);
  ASSERT_TRUE(site.begin("a", "x", "run-1"));
  const FreshnessRecord before = site.engine().record(*site.engine().find({"a", "x"}));
  site.pass(1min);
  const auto change = site.report("a", "x", 5h, "run-1");
  ASSERT_TRUE(site.engine().take_back(*change));
  EXPECT_FALSE(site.engine().take_back(*change));
  EXPECT_EQ(site.engine().record(change->id), before);
  EXPECT_EQ(site.pass(5min), Told{"run a;x"});
}

TEST(Freshness, WhatCouldNotBeToldIsToldAgain) {
  Site site({entry("*", "*", 10min, 1min)});
  ASSERT_TRUE(site.report("a", "x"));
  EXPECT_EQ(site.pass(20min), Told{"overdue a;x"});
  site.engine().take_back(site.last);
  EXPECT_EQ(site.pass(1min), Told{"overdue a;x"});
}

TEST(Freshness, AMemberInAPlannedOutageMakesNoSilentGroup) {
  FreshnessEntry e = entry("*", "x", 10min, 5min);
  e.group = "g";
  Site site({e});
  site.outage = [&](const Subject& s, Wall) -> std::optional<Wall> {
    if (s.host == "a") return site.now.wall + 48h;
    return std::nullopt;
  };
  for (auto host : {"a", "b"}) ASSERT_TRUE(site.report(host, "x"));
  EXPECT_EQ(site.pass(1h), Told{"overdue b;x"});
}

TEST(Freshness, AStartThatIsReadAfterItsEndIsOver) {
  FreshnessEntry e = entry("a", "x", 24h, 1min);
  e.promise.run_limit = 10min;
  Site site({e});
  const Wall began = site.now.wall;
  site.pass(1min);
  ASSERT_TRUE(site.report("a", "x", {}, "run-1"));
  EXPECT_FALSE(site.engine().begin_run({"a", "x", began, {}, "run-1"}, site.now));
  EXPECT_EQ(site.pass(1h), Told{});
}

}  // namespace
}  // namespace checkrelay
