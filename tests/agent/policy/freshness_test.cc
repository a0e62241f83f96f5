#include <gtest/gtest.h>

#include "tests/agent/policy/freshness_site.h"

namespace checkrelay {
namespace {

TEST(Freshness, ASilentSubjectIsToldOnceAndItsReportEndsThat) {
  Site site({entry("db*", "Backup", 10min, 1min)});
  ASSERT_TRUE(site.report("db1", "Backup"));
  EXPECT_EQ(site.pass(11min), Told{});
  EXPECT_EQ(site.pass(1h), Told{"overdue db1;Backup"});
  EXPECT_EQ(site.state("db1", "Backup"), FreshState::overdue);
  EXPECT_EQ(site.engine().count(FreshState::overdue), 1U);
  ASSERT_TRUE(site.report("db1", "Backup"));
  EXPECT_EQ(site.state("db1", "Backup"), FreshState::ok);
  EXPECT_EQ(site.pass(11min), Told{});
}

TEST(Freshness, ASubjectWithoutExpectationIsNobodysConcern) {
  Site site({entry("db*", "Backup", 10min, 1min)});
  EXPECT_FALSE(site.report("web1", "Load"));
  EXPECT_FALSE(site.report("db1", "Load"));
  EXPECT_FALSE(site.report("db1", ""));
  EXPECT_EQ(site.pass(1h), Told{});
  EXPECT_EQ(site.engine().count(FreshState::none), 3U);
}

TEST(Freshness, AResultWithoutTtlEndsAnEarlierPromise) {
  Site site({});
  ASSERT_TRUE(site.report("web1", "Load", 5min));
  ASSERT_TRUE(site.report("web1", "Load"));  // to be kept: it ends something
  EXPECT_FALSE(site.report("web1", "Load"));
  EXPECT_EQ(site.pass(1h), Told{});
  ASSERT_TRUE(site.report("web1", "Load", 5min));
  EXPECT_EQ(site.pass(1h), Told{"overdue web1;Load"});
  EXPECT_EQ(site.last.entry, Freshness::kNoEntry);
}

TEST(Freshness, AShorterTtlIsHeardAlthoughALongerOneWasArmed) {
  Site site({});
  ASSERT_TRUE(site.report("web1", "Load", 10h));
  ASSERT_TRUE(site.report("web1", "Load", 5min));
  EXPECT_EQ(site.pass(6min), Told{"overdue web1;Load"});
}

TEST(Freshness, ItIsToldAgainEveryRepeat) {
  FreshnessEntry e = entry("*", "*", 10min, 0s);
  e.promise.repeat = 20min;
  Site site({e});
  ASSERT_TRUE(site.report("a", ""));
  EXPECT_EQ(site.pass(51min), (Told{"overdue a", "again a", "again a"}));
}

TEST(Freshness, ExpectedSubjectsAreAwaitedUnseen) {
  FreshnessEntry literal = entry("db1", "Backup", 10min, 1min);
  literal.expect = {"Backup"};
  FreshnessEntry glob = entry("web*", "*", 10min, 1min);
  glob.expect = {"Logs", "Certs"};
  Site site({literal, glob});
  EXPECT_EQ(site.engine().take_awaited().size(), 1U);
  EXPECT_EQ(site.state("db1", "Backup"), FreshState::unseen);
  EXPECT_EQ(site.pass(12min), Told{"overdue db1;Backup"});
  EXPECT_EQ(site.last.last, Wall{});
  ASSERT_TRUE(site.report("web7", "Load"));
  EXPECT_EQ(site.engine().take_awaited().size(), 2U);
  EXPECT_EQ(site.state("web7", "Certs"), FreshState::unseen);
}

TEST(Freshness, AnAwaitedSubjectIsNotExcusedByRestarts) {
  FreshnessEntry e = entry("db1", "Backup", 10min, 0s);
  e.expect = {"Backup"};
  Site site({e});
  Told told;
  for (int i = 0; i < 4; ++i) {
    for (const auto& t : site.pass(6min)) told.push_back(t);
    site.restart(0s);
  }
  EXPECT_EQ(told, Told{"overdue db1;Backup"});
}

TEST(Freshness, AfterAStartThereIsTimeToSettle) {
  Site site({entry("*", "*", 10min, 2min)});
  ASSERT_TRUE(site.report("a", "x"));
  ASSERT_TRUE(site.report("b", "x"));
  site.restart(1h);
  EXPECT_EQ(site.pass(1min), Told{});
  ASSERT_TRUE(site.report("a", "x"));
  EXPECT_EQ(site.pass(2min), Told{"overdue b;x"});
  EXPECT_TRUE(site.last.while_down);
}

TEST(Freshness, WhatWasToldBeforeAKillIsNotToldAnew) {
  Site site({entry("*", "*", 10min, 1min)});
  ASSERT_TRUE(site.report("a", "x"));
  EXPECT_EQ(site.pass(12min).size(), 1U);
  site.restart(1min);
  EXPECT_EQ(site.pass(2h), Told{});
  EXPECT_EQ(site.state("a", "x"), FreshState::overdue);
}

TEST(Freshness, AJumpOfTheClockMakesNobodyLate) {
  Site site({entry("*", "*", 10min, 1min)});
  ASSERT_TRUE(site.report("a", "x"));
  site.set_clock(5h);
  EXPECT_EQ(site.pass(10min), Told{});
  site.set_clock(-48h);
  EXPECT_EQ(site.pass(1min), Told{});
  EXPECT_EQ(site.pass(2min), Told{"overdue a;x"});
}

TEST(Freshness, OverlappingRunsAreToldApart) {
  FreshnessEntry e = entry("*", "*", 24h, 1h);
  e.promise.run_limit = 1h;
  Site site({e});
  ASSERT_TRUE(site.begin("a", "job", "one"));
  EXPECT_EQ(site.pass(10min), Told{});
  ASSERT_TRUE(site.begin("a", "job", "two"));
  EXPECT_EQ(site.pass(10min), Told{});
  ASSERT_TRUE(site.report("a", "job", {}, "two"));
  EXPECT_EQ(site.pass(1h), Told{"run a;job"});
  EXPECT_TRUE(site.last.record.runs.empty());
}

TEST(Freshness, ARunThatEndsInTimeIsForgotten) {
  FreshnessEntry e = entry("*", "*", 24h, 1h);
  e.promise.run_limit = 1h;
  Site site({e});
  ASSERT_TRUE(site.begin("a", "job", "one"));
  site.restart(10min);
  ASSERT_TRUE(site.report("a", "job", {}, "one"));
  site.pass(1s);
  ASSERT_TRUE(site.begin("a", "job", "three"));
  site.pass(1min);
  ASSERT_TRUE(site.report("a", "job"));  // ends whatever was open
  EXPECT_EQ(site.pass(24h, 10s), Told{});
}

TEST(Freshness, RunsOfASubjectAreBounded) {
  FreshnessEntry e = entry("*", "*", 24h, 1h);
  e.promise.run_limit = 1h;
  Site site({e});
  for (int i = 0; i < 100; ++i) (void)site.begin("a", "job", std::to_string(i));
  EXPECT_EQ(site.engine().record(0).runs.size(), Freshness::kMaxRuns);
}

FreshnessEntry member() {
  FreshnessEntry e = entry("s7-*", "*", 10min, 5min);
  e.group = "site-7";
  return e;
}

TEST(FreshnessGroup, ASilentSiteIsOneResult) {
  Site site({member()});
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(site.report("s7-" + std::to_string(i), "ping"));
    site.pass(5s);
  }
  EXPECT_EQ(site.pass(3h), Told{"silent site-7"});
  EXPECT_GE(site.last.late, 2U);
  ASSERT_TRUE(site.report("s7-3", "ping"));
  EXPECT_EQ(site.pass(1s), Told{"heard site-7"});
}

TEST(FreshnessGroup, AfterRecoveryThoseWhoStaySilentAreToldEach) {
  Site site({member()});
  for (auto host : {"s7-a", "s7-b", "s7-c"}) ASSERT_TRUE(site.report(host, "ping"));
  EXPECT_EQ(site.pass(1h), Told{"silent site-7"});
  ASSERT_TRUE(site.report("s7-a", "ping"));
  EXPECT_EQ(site.pass(4min), Told{"heard site-7"});
  ASSERT_TRUE(site.report("s7-b", "ping"));
  EXPECT_EQ(site.pass(4min), Told{"overdue s7-c;ping"});
}

TEST(FreshnessGroup, OneWhoFallsSilentAloneIsToldItself) {
  Site site({member()});
  ASSERT_TRUE(site.report("s7-a", "ping"));
  Told told;
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(site.report("s7-b", "ping"));
    for (const auto& t : site.pass(1min)) told.push_back(t);
  }
  EXPECT_EQ(told, Told{"overdue s7-a;ping"});
}

TEST(FreshnessGroup, SilenceIsRememberedOverARestart) {
  Site site({member()});
  for (auto host : {"s7-a", "s7-b"}) ASSERT_TRUE(site.report(host, "ping"));
  EXPECT_EQ(site.pass(1h), Told{"silent site-7"});
  site.restart(1min);
  EXPECT_EQ(site.pass(1h), Told{});
  ASSERT_TRUE(site.report("s7-a", "ping"));
  EXPECT_EQ(site.pass(1min), Told{"heard site-7"});
}

TEST(Freshness, AnotherConfigurationIsTakenUp) {
  Site site({entry("*", "*", 10min, 1min)});
  ASSERT_TRUE(site.report("a", "x"));
  ASSERT_TRUE(site.report("b", "x"));
  site.engine().replace({entry("a", "x", 1h, 1min)}, site.now);
  EXPECT_EQ(site.pass(30min), Told{});
  EXPECT_EQ(site.state("b", "x"), FreshState::none);
  EXPECT_EQ(site.pass(40min), Told{"overdue a;x"});
}

TEST(Freshness, AForgottenSubjectIsUnknown) {
  Site site({entry("*", "*", 10min, 1min)});
  for (auto host : {"a", "b", "c"}) ASSERT_TRUE(site.report(host, "x"));
  EXPECT_TRUE(site.engine().forget({"b", "x"}));
  EXPECT_FALSE(site.engine().forget({"b", "x"}));
  EXPECT_EQ(site.engine().count(FreshState::ok), 2U);
  EXPECT_EQ(site.pass(1h), (Told{"overdue a;x", "overdue c;x"}));
}

TEST(Freshness, ASubjectKeepsItsNumberOverARestart) {
  Site site({entry("*", "*", 10min, 1min)});
  for (auto host : {"a", "b", "c"}) ASSERT_TRUE(site.report(host, "x"));
  ASSERT_TRUE(site.engine().forget({"a", "x"}));
  const auto before = site.engine().find({"c", "x"});
  site.restart(1min);
  EXPECT_EQ(site.engine().find({"c", "x"}), before);
  ASSERT_TRUE(site.report("d", "x"));  // takes the number that is free
  EXPECT_EQ(site.engine().subjects().end(), 3U);
  ASSERT_TRUE(site.report("e", "x"));
  EXPECT_EQ(site.pass(1h).size(), 4U);
}

TEST(Freshness, TheSameResultOnceMoreDoesNotEndWhatIsOverdue) {
  Site site({entry("*", "*", 10min, 1min)});
  const Wall made = site.now.wall;
  const Freshness::Report result{"a", "x", made, {}, {}};
  ASSERT_TRUE(site.engine().report(result, site.now));
  EXPECT_EQ(site.pass(1h), Told{"overdue a;x"});
  ASSERT_TRUE(site.engine().report(result, site.now));
  EXPECT_EQ(site.pass(1h), Told{});
  EXPECT_EQ(site.state("a", "x"), FreshState::overdue);
}

TEST(Freshness, AnOutageThatIsCancelledLetsTheLateOneBeToldAtOnce) {
  Site site({entry("*", "*", 10min, 1min)});
  std::optional<Wall> until = site.now.wall + 48h;
  site.outage = [&](const Subject&, Wall) { return until; };
  ASSERT_TRUE(site.report("a", "x"));
  EXPECT_EQ(site.pass(1h), Told{});
  EXPECT_EQ(site.state("a", "x"), FreshState::in_outage);
  until.reset();
  site.engine().outages_changed();
  EXPECT_EQ(site.pass(2min), Told{"overdue a;x"});
}

TEST(Freshness, SyntheticResultsAreKnownByTheirSource) {
  EXPECT_TRUE(is_freshness_source("checkrelay freshness"));
  EXPECT_TRUE(is_freshness_source("checkrelay freshness at edge1"));
  for (auto source : {"", "checkrelay", "checkrelay freshness2", "nagios"})
    EXPECT_FALSE(is_freshness_source(source)) << source;
}

}  // namespace
}  // namespace checkrelay
