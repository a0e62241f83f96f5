#include "agent/policy/runs.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Steady kBegin{10h};

Subject name(int n) { return {"h", std::to_string(n)}; }
Subject name(const char* n) { return {"h", n}; }

RunTiming every(Duration d, std::optional<Duration> spread = {}, Duration jitter = {}) {
  RunTiming t;
  t.every = d;
  t.spread = spread.value_or(d);
  t.jitter = jitter;
  return t;
}

RunTiming calendar(const char* text, const char* zone = "UTC", Duration spread = {}) {
  RunTiming t;
  t.schedule = *Schedule::parse(text);
  t.zone = *Zone::find(zone);
  t.spread = spread;
  return t;
}

// Time passes from deadline to deadline; whoever is taken runs for `lasts`.
class RunsTest : public testing::Test {
 protected:
  struct Start {
    Subject subject{};
    Duration at{};  // since the begin
  };

  void configure(std::vector<std::pair<Subject, RunTiming>> wanted, std::size_t most = 1000) {
    runs.configure(wanted, most, now);
  }
  void take() {
    while (auto subject = runs.take(now)) {
      starts.push_back({*subject, now.steady - kBegin});
      ends.emplace(now.steady + lasts, *subject);
      running = std::max(running, runs.running());
    }
  }
  void advance(Duration d) {
    const Steady until = now.steady + d;
    for (;;) {
      end_due();
      take();
      Steady next = until;
      if (auto due = runs.deadline(now)) next = std::min(next, *due);
      if (!ends.empty()) next = std::min(next, ends.begin()->first);
      if (next >= until) break;
      ASSERT_GT(next, now.steady - 1us) << "it spins";
      pass(std::max(next - now.steady, Duration(1us)));
    }
    pass(until - now.steady);
  }
  void pass(Duration d) {
    now.steady += d;
    now.wall += d;
  }
  void end_due() {
    while (!ends.empty() && ends.begin()->first <= now.steady) {
      runs.ended(ends.begin()->second);
      ends.erase(ends.begin());
    }
  }
  std::vector<Duration> times_of(const Subject& subject) const {
    std::vector<Duration> out;
    for (const Start& s : starts)
      if (s.subject == subject) out.push_back(s.at);
    return out;
  }

  Instant now{kBegin, Wall(std::chrono::sys_days(std::chrono::year(2026) / 3 / 10))};
  Runs runs{7};
  Duration lasts = 10ms;
  std::multimap<Steady, Subject> ends;
  std::vector<Start> starts;
  std::size_t running = 0;
};

TEST_F(RunsTest, AThousandChecksStartEvenlySpreadOverTheFirstInterval) {
  std::vector<std::pair<Subject, RunTiming>> all;
  for (int n = 0; n < 1000; ++n) all.emplace_back(name(n), every(60s));
  configure(all);
  advance(60s);
  ASSERT_EQ(starts.size(), 1000U);
  std::vector<int> in_second(60, 0);
  Duration widest{};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    ++in_second[static_cast<std::size_t>(starts[i].at / 1s)];
    if (i > 0) widest = std::max(widest, starts[i].at - starts[i - 1].at);
  }
  EXPECT_LE(*std::max_element(in_second.begin(), in_second.end()), 19);
  EXPECT_GE(*std::min_element(in_second.begin(), in_second.end()), 14);
  EXPECT_LT(widest, 200ms);
}

TEST_F(RunsTest, ThereIsNoDriftHoweverLateRunsAreTaken) {
  configure({{name(1), every(60s)}});
  advance(60s);
  ASSERT_EQ(starts.size(), 1U);
  const Duration first = starts[0].at;
  for (int hour = 0; hour < 24; ++hour) {
    advance(59min + 30s);
    pass(7s);  // the loop was busy
    advance(23s);
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const Duration off = (starts[i].at - first) % Duration(60s);
    EXPECT_LE(off, 7s) << i;
  }
  EXPECT_EQ((starts.back().at - first) % Duration(60s), 0s);
  EXPECT_EQ(runs.counts().skipped, 0U);
}

TEST_F(RunsTest, SlotsThatNobodyWasThereForAreOneRunAndCounted) {
  configure({{name(1), every(60s, 0s)}});
  advance(1s);
  pass(10min);
  advance(1s);
  EXPECT_THAT(times_of(name(1)), ElementsAre(0s, 10min + 1s));
  EXPECT_EQ(runs.counts().skipped, 9U);
  EXPECT_EQ(runs.counts().late, 1U);
  EXPECT_EQ(runs.counts().worst_late, 9min + 1s);
  advance(60s);
  EXPECT_EQ(times_of(name(1)).back(), 11min);
}

TEST_F(RunsTest, ACheckNeverRunsTwiceAtOnce) {
  lasts = 150s;
  configure({{name(1), every(60s, 0s)}});
  advance(10min);
  EXPECT_THAT(times_of(name(1)), ElementsAre(0s, 3min, 6min, 9min));
  EXPECT_EQ(runs.counts().skipped, 6U);
  EXPECT_EQ(runs.last_skipped(), name(1));
  EXPECT_EQ(running, 1U);
}

TEST_F(RunsTest, ACheckThatNeverEndsIsNeverStartedAgain) {
  configure({{name(1), every(60s, 0s)}});
  ASSERT_TRUE(runs.take(now));
  pass(1h);
  EXPECT_FALSE(runs.take(now));
  EXPECT_EQ(runs.counts().skipped, 60U);
}

TEST_F(RunsTest, WhoIsDueWaitsInLineForRoom) {
  lasts = 20s;
  configure(
      {{name("a"), every(1min, 0s)}, {name("b"), every(1min, 0s)}, {name("c"), every(1min, 0s)}},
      1);
  advance(2min - 1s);
  std::vector<std::string> order;
  for (const Start& s : starts) order.push_back(s.subject.service);
  EXPECT_THAT(order, ElementsAre("a", "b", "c", "a", "b", "c"));
  EXPECT_EQ(running, 1U);
  EXPECT_EQ(runs.counts().late, 4U);
  EXPECT_EQ(runs.counts().worst_late, 40s);
}

TEST_F(RunsTest, WithTooLittleRoomEachHasItsTurn) {
  lasts = 30s;
  std::vector<std::pair<Subject, RunTiming>> all;
  for (int n = 0; n < 10; ++n) all.emplace_back(name(n), every(60s));
  configure(all, 2);  // which is four a minute
  advance(1h);
  for (int n = 0; n < 10; ++n) {
    EXPECT_GE(times_of(name(n)).size(), 22U) << n;
    EXPECT_LE(times_of(name(n)).size(), 26U) << n;
  }
  EXPECT_EQ(running, 2U);
  EXPECT_GT(runs.counts().skipped, 300U);
}

TEST_F(RunsTest, JitterIsBoundedAndDoesNotAddUp) {
  configure({{name(1), every(60s, 0s, 10s)}});
  advance(10h);
  ASSERT_EQ(starts.size(), 600U);
  Duration most{};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const Duration off = starts[i].at - static_cast<int>(i) * Duration(60s);
    EXPECT_GE(off, 0s);
    EXPECT_LT(off, 10s);
    most = std::max(most, off);
  }
  EXPECT_GT(most, 9s);
  EXPECT_EQ(runs.counts().late, 0U);
}

TEST_F(RunsTest, TheFirstRunComesWithinOneIntervalJitterOrNot) {
  std::vector<std::pair<Subject, RunTiming>> all;
  for (int n = 0; n < 100; ++n) all.emplace_back(name(n), every(60s, 60s, 59s));
  configure(all);
  advance(60s + 1us);
  std::set<Subject> seen;
  for (const Start& s : starts) seen.insert(s.subject);
  EXPECT_EQ(seen.size(), 100U);
}

TEST_F(RunsTest, AScheduleRunsByTheCalendarOfItsZone) {
  configure({{name(1), calendar("30 2 * * *", "Europe/Stockholm")}});
  advance(48h);
  EXPECT_THAT(times_of(name(1)), ElementsAre(90min, 25h + 30min));
}

TEST_F(RunsTest, OfASkippedHourTheCheckRunsWhenItEnds) {
  now.wall = Wall(std::chrono::sys_days(std::chrono::year(2026) / 3 / 29));
  configure({{name(1), calendar("30 2 * * *", "Europe/Stockholm")}});
  advance(24h);
  EXPECT_THAT(times_of(name(1)), ElementsAre(1h));
}

TEST_F(RunsTest, ChecksOfOneScheduleShareItsSpread) {
  std::vector<std::pair<Subject, RunTiming>> all;
  for (int n = 0; n < 60; ++n) all.emplace_back(name(n), calendar("0 * * * *", "UTC", 10min));
  configure(all);
  advance(2h);
  ASSERT_EQ(starts.size(), 60U);
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_GE(starts[i].at, 1h);
    EXPECT_LT(starts[i].at, 1h + 10min);
    EXPECT_LT(starts[i].at - starts[i == 0 ? 0 : i - 1].at, 31s);
  }
  const std::vector<Duration> first = times_of(name(7));
  advance(1h);
  EXPECT_EQ(times_of(name(7)).back() - first.front(), 1h);
}

TEST_F(RunsTest, SettingTheClockMovesNoGrid) {
  configure({{name(1), every(60s, 0s)}});
  advance(2min);
  now.wall += 24h;
  advance(2min);
  now.wall -= 72h;
  advance(2min);
  EXPECT_THAT(times_of(name(1)), ElementsAre(0s, 1min, 2min, 3min, 4min, 5min));
}

TEST_F(RunsTest, AClockSetForwardRunsWhatWasJumpedOverOnce) {
  configure({{name(1), calendar("0 * * * *")}});
  advance(30min);
  now.wall += 4h;
  advance(1min);
  ASSERT_EQ(starts.size(), 1U);
  EXPECT_LE(starts[0].at, 30min + 30s) << "it shows within half a minute";
  advance(29min);
  EXPECT_EQ(starts.size(), 1U);
  advance(1min);
  EXPECT_EQ(starts.size(), 2U);
}

TEST_F(RunsTest, AClockSetBackALittleRepeatsNothing) {
  configure({{name(1), calendar("0 * * * *")}});
  advance(1h + 10min);
  ASSERT_EQ(starts.size(), 1U);
  now.wall -= 30min;
  advance(1h + 19min);
  EXPECT_EQ(starts.size(), 1U);
  advance(2min);
  EXPECT_EQ(starts.size(), 2U);
}

TEST_F(RunsTest, AfterAClockSetBackFarTheNewTimeCounts) {
  configure({{name(1), calendar("0 * * * *")}});
  advance(1h + 10min);
  now.wall -= 240h;
  advance(1h);
  EXPECT_EQ(starts.size(), 2U);
}

TEST_F(RunsTest, AClockThatIsSlewedDoesNotMakeACalendarEarly) {
  configure({{name(1), calendar("0 12 * * *")}});
  for (int minute = 0; minute < 12 * 60 - 1; ++minute) {
    advance(1min);
    now.wall -= 500us;
  }
  EXPECT_THAT(starts, IsEmpty());
  advance(60s + 300ms);
  EXPECT_THAT(starts, IsEmpty());
  advance(100ms);
  EXPECT_EQ(starts.size(), 1U);
}

TEST_F(RunsTest, AReloadKeepsThePhaseOfWhatStands) {
  configure({{name("a"), every(60s)}, {name("b"), every(60s)}, {name("gone"), every(60s)}});
  advance(60s);
  const Duration a = times_of(name("a")).at(0), b = times_of(name("b")).at(0);
  pass(17s);
  configure({{name("new"), every(60s)}, {name("b"), every(30s)}, {name("a"), every(60s)}});
  advance(103s);
  EXPECT_EQ(times_of(name("a")).back(), a + 120s);
  EXPECT_NE(times_of(name("b")).back(), b + 120s);
  EXPECT_GE(times_of(name("b")).size(), 4U);
  EXPECT_EQ(times_of(name("gone")).size(), 1U);
  EXPECT_GE(times_of(name("new")).size(), 1U);
}

TEST_F(RunsTest, AReloadKeepsTheLineAndWhatRuns) {
  lasts = 10s;
  configure({{name("a"), every(60s, 0s)}, {name("b"), every(60s, 0s)}, {name("c"), every(60s, 0s)}},
            1);
  advance(1s);
  EXPECT_EQ(runs.waiting(), 2U);
  configure({{name("c"), every(60s, 0s)}, {name("a"), every(60s, 0s)}}, 1);
  EXPECT_EQ(runs.waiting(), 1U);
  EXPECT_EQ(runs.running(), 1U);
  EXPECT_FALSE(runs.take(now));
  advance(30s);
  EXPECT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[1].subject, name("c"));
}

TEST_F(RunsTest, WhatIsRemovedAndComesBackWhileItRunsIsNotStartedTwice) {
  configure({{name("a"), every(60s, 0s)}});
  ASSERT_TRUE(runs.take(now));
  configure({});
  EXPECT_EQ(runs.deadline(now), std::nullopt);
  configure({{name("a"), every(60s, 0s)}});
  EXPECT_FALSE(runs.take(now));
  EXPECT_EQ(runs.counts().skipped, 1U);
  runs.ended(name("a"));
  pass(60s);
  EXPECT_TRUE(runs.take(now));
}

}  // namespace
}  // namespace checkrelay
