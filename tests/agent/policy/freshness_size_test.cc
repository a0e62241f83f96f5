// Many subjects: bounds of work and memory, and the table of their names.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/policy/freshness.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

FreshnessEntry everybody() {
  FreshnessEntry e;
  e.service = "*";
  e.promise.every = 10min;
  e.promise.grace = 1min;
  return e;
}

TEST(FreshnessSize, PastTheLimitSubjectsAreCountedAndNotWatched) {
  Freshness engine({everybody()}, 2);
  const Instant now{Steady(1s), parse_rfc3339("2026-05-01T12:00:00Z").value()};
  engine.start(now);
  EXPECT_TRUE(engine.report({"a", "x", {}, {}, {}}, now));
  EXPECT_TRUE(engine.report({"b", "x", {}, {}, {}}, now));
  EXPECT_FALSE(engine.report({"c", "x", {}, {}, {}}, now));
  EXPECT_FALSE(engine.report({std::string(300, 'h'), "x", {}, {}, {}}, now));
  EXPECT_EQ(engine.unwatched(), 1U);
}

TEST(FreshnessSize, ManyDueAtOnceAreDoneInBoundedSteps) {
  Freshness engine({everybody()});
  Instant now{Steady(1s), parse_rfc3339("2026-05-01T12:00:00Z").value()};
  engine.start(now);
  for (int i = 0; i < 10000; ++i) (void)engine.report({"h", std::to_string(i), {}, {}, {}}, now);
  EXPECT_LT(engine.bytes(), 10000U * 124);
  now = {now.steady + 1h, now.wall + 1h};
  EXPECT_EQ(engine.deadline(now), now.steady);
  std::vector<FreshnessNews> news;
  std::size_t steps = 1, most = 0;
  for (bool more = true; more; ++steps) {
    const std::size_t before = news.size();
    more = engine.step(now, 500, {}, news);
    most = std::max(most, news.size() - before);
  }
  EXPECT_EQ(news.size(), 10000U);
  EXPECT_LE(most, 500U);
  EXPECT_GE(steps, 20U);
  EXPECT_EQ(engine.deadline(now), std::nullopt);
}

TEST(FreshnessSize, DecreasingPromisesDoNotGrowTheHeap) {
  Freshness engine({});
  const Instant now{Steady(1s), parse_rfc3339("2026-05-01T12:00:00Z").value()};
  engine.start(now);
  for (int i = 0; i < 100000; ++i) (void)engine.report({"h", "s", {}, 200000s - i * 1s, {}}, now);
  EXPECT_LT(engine.bytes(), 40000U);
}

TEST(SubjectTable, FindsWhatWasInsertedThroughErasures) {
  SubjectTable table;
  std::vector<SubjectTable::Id> ids;
  auto name = [](int i) { return "s" + std::to_string(i); };
  for (int i = 0; i < 3000; ++i) ids.push_back(table.insert("h" + std::to_string(i % 7), name(i)));
  for (int i = 0; i < 3000; i += 3) table.erase(ids[static_cast<std::size_t>(i)]);
  for (int i = 0; i < 3000; ++i) {
    const auto found = table.find("h" + std::to_string(i % 7), name(i));
    ASSERT_EQ(found.has_value(), i % 3 != 0) << i;
    ASSERT_TRUE(!found || *found == ids[static_cast<std::size_t>(i)]);
  }
  EXPECT_EQ(table.size(), 2000U);
  EXPECT_FALSE(table.find("h", "0s0"));
  EXPECT_LT(table.insert("new", ""), 3000U);
}

TEST(SubjectTable, WhatIsPutAtItsPlaceLeavesTheGapsToOthers) {
  SubjectTable table;
  table.insert_at(5, "h", "five");
  table.insert_at(2, "h", "two");
  EXPECT_EQ(table.size(), 2U);
  std::vector<SubjectTable::Id> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(table.insert("new", std::to_string(i)));
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, (std::vector<SubjectTable::Id>{0, 1, 3, 4, 6, 7}));
  EXPECT_EQ(table.find("h", "five"), 5U);
  table.erase(2);
  EXPECT_EQ(table.insert("late", ""), 2U);
  EXPECT_EQ(table.insert("later", ""), 8U);
}

}  // namespace
}  // namespace checkrelay
