#include "agent/policy/cadence.h"

#include <gtest/gtest.h>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

const Wall kBegin{1'780'000'000s};

void reports(Cadence& cadence, const Subject& subject, int count, Duration every,
             Duration stray = {}) {
  for (int i = 0; i < count; ++i)
    cadence.add(subject, kBegin + i * every + (i % 2 == 0 ? stray : Duration{}));
}

TEST(Cadence, IntervalsAreRoundedAsPeopleWriteThem) {
  EXPECT_EQ(round_interval(61s), 60s);
  EXPECT_EQ(round_interval(7h + 58min), 8h);
  EXPECT_EQ(round_interval(24h + 7min), 24h);
  EXPECT_EQ(round_interval(17h + 2min), 17h);
  EXPECT_EQ(round_interval(7min + 10s), 7min);
  EXPECT_EQ(round_interval(45s), 45s);
}

TEST(Cadence, ARegularSubjectIsProposedWithHalfAnIntervalOfGrace) {
  Cadence cadence;
  reports(cadence, {"db1", "Backup"}, 5, 24h, 10min);
  const auto found = cadence.suggest();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].host, "db1");
  EXPECT_EQ(found[0].service, "Backup");
  EXPECT_EQ(found[0].every, 24h);
  EXPECT_EQ(found[0].grace, 12h);
  EXPECT_EQ(found[0].results, 5U);
}

TEST(Cadence, ThreeResultsAreTooFew) {
  Cadence cadence;
  reports(cadence, {"db1", "Backup"}, 3, 24h);
  EXPECT_TRUE(cadence.suggest().empty());
}

TEST(Cadence, WhatHasNoRhythmIsNotProposed) {
  Cadence cadence;
  for (const Duration at : {1min, 2min, 60min, 61min, 300min, 301min})
    cadence.add({"web", "Event"}, kBegin + at);
  EXPECT_TRUE(cadence.suggest().empty());
}

TEST(Cadence, OneGapInManyDoesNotMatter) {
  Cadence cadence;
  reports(cadence, {"web", "Load"}, 20, 1min);
  cadence.add({"web", "Load"}, kBegin + 9h);
  ASSERT_EQ(cadence.suggest().size(), 1U);
  EXPECT_EQ(cadence.suggest()[0].every, 1min);
}

TEST(Cadence, WhoHasPromisedIsLeftOutAndCoveredByNoProposal) {
  Cadence cadence;
  for (const char* host : {"db1", "web1", "web2"}) reports(cadence, {host, "Backup"}, 5, 24h);
  cadence.leave_out({"db1", "Backup"});
  const auto found = cadence.suggest();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].host, "web1");
  EXPECT_EQ(found[1].host, "web2");
}

TEST(Cadence, HostsThatAgreeAreOneEntry) {
  Cadence cadence;
  for (const char* host : {"a", "b", "c"}) reports(cadence, {host, "Load"}, 6, 5min);
  reports(cadence, {"a", "Disk"}, 6, 5min);
  reports(cadence, {"b", "Disk"}, 6, 30min);
  const auto found = cadence.suggest();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].host, "a");
  EXPECT_EQ(found[1].every, 30min);
  EXPECT_EQ(found[2].host, "*");
  EXPECT_EQ(found[2].service, "Load");
  EXPECT_EQ(found[2].subjects, 3U);
}

TEST(Cadence, AHostWithoutRhythmKeepsTheOthersByThemselves) {
  Cadence cadence;
  for (const char* host : {"a", "b"}) reports(cadence, {host, "Load"}, 6, 5min);
  reports(cadence, {"c", "Load"}, 2, 5min);
  EXPECT_EQ(cadence.suggest().size(), 2U);
}

TEST(Cadence, ManyResultsTakeABoundedMemory) {
  Cadence cadence;
  reports(cadence, {"a", "Load"}, 5000, 1min);
  ASSERT_EQ(cadence.suggest().size(), 1U);
  EXPECT_EQ(cadence.suggest()[0].results, Cadence::kMostTimes);
}

}  // namespace
}  // namespace checkrelay
