#include "agent/policy/freshness_faults.h"

#include <gtest/gtest.h>

#include <random>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

bool overlap(std::string_view a, std::string_view b) {
  const bool one = GlobShape(a).overlaps(GlobShape(b));
  EXPECT_EQ(one, GlobShape(b).overlaps(GlobShape(a))) << a << " " << b;
  return one;
}

TEST(GlobShape, OverlapsWhereSomeTextMatchesBoth) {
  EXPECT_TRUE(overlap("*", ""));
  EXPECT_TRUE(overlap("", ""));
  EXPECT_TRUE(overlap("db*", "*1"));
  EXPECT_TRUE(overlap("db*", "db1"));
  EXPECT_TRUE(overlap("db?", "d*[0-9]"));
  EXPECT_TRUE(overlap("a*b*c", "*x*"));
  EXPECT_FALSE(overlap("db*", "web*"));
  EXPECT_FALSE(overlap("db?", "db"));
  EXPECT_FALSE(overlap("db[!0-9]", "db7"));
  EXPECT_FALSE(overlap("\\*", "a"));
  EXPECT_FALSE(overlap("", "?"));
}

TEST(GlobShape, IsAsEveryShortTextHasIt) {
  std::mt19937 random(7);
  constexpr std::string_view kElements[] = {"a", "b", "*", "?", "[ab]", "[!a]", "\\a"};
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; texts.size() < 3000; ++i)
    for (char c : {'a', 'b', 'c'}) texts.push_back(texts[i] + c);
  for (int round = 0; round < 400; ++round) {
    std::string globs[2];
    for (std::string& glob : globs)
      for (auto n = random() % 4; n > 0; --n) glob += kElements[random() % std::size(kElements)];
    bool both = false;
    for (const std::string& text : texts)
      both |= glob_match(globs[0], text) && glob_match(globs[1], text);
    EXPECT_EQ(overlap(globs[0], globs[1]), both) << globs[0] << " " << globs[1];
  }
}

TEST(GlobShape, KnowsWhatIsLiteral) {
  EXPECT_EQ(GlobShape("db1").literal(), "db1");
  EXPECT_EQ(GlobShape("").literal(), "");
  EXPECT_EQ(GlobShape("d\\*[b]\\\\").literal(), "d*b\\");
  EXPECT_EQ(GlobShape("[").literal(), "[");
  EXPECT_FALSE(GlobShape("*").literal());
  EXPECT_FALSE(GlobShape("a?").literal());
  EXPECT_FALSE(GlobShape("[ab]").literal());
}

TEST(OverlapIndex, FindsTheFirstThatAComparisonOfAllFinds) {
  std::mt19937 random(11);
  constexpr std::string_view kNames[] = {"a", "b", "ab", "a*", "*b", "*", "?", "", "\\a", "[ab]b"};
  for (int round = 0; round < 200; ++round) {
    OverlapIndex index;
    std::vector<std::pair<std::string_view, std::string_view>> before;
    for (int n = 0; n < 12; ++n) {
      const std::pair entry{kNames[random() % std::size(kNames)],
                            kNames[random() % std::size(kNames)]};
      std::optional<std::size_t> expected;
      for (std::size_t j = before.size(); j-- > 0;)
        if (overlap(before[j].first, entry.first) && overlap(before[j].second, entry.second))
          expected = j;
      EXPECT_EQ(index.add(entry.first, entry.second), expected)
          << entry.first << " " << entry.second;
      before.push_back(entry);
    }
  }
}

TEST(OverlapIndex, LiteralNamesAreNotComparedWithEachOther) {
  OverlapIndex literal;
  for (int i = 0; i < 5'000; ++i)
    EXPECT_FALSE(literal.add("host-" + std::to_string(i) + ".example.com", i % 2 ? "*" : "Backup"));
  EXPECT_EQ(literal.compared(), 0U);
  for (int i = 0; i < 200; ++i) EXPECT_FALSE(literal.add("site-" + std::to_string(i) + "-*", "*"));
  EXPECT_EQ(literal.compared(), 200U * 5'000 + 200 * 199 / 2);

  OverlapIndex services;
  for (int i = 0; i < 5'000; ++i) EXPECT_FALSE(services.add("*", "Job " + std::to_string(i)));
  for (int i = 0; i < 5'000; ++i) EXPECT_FALSE(services.add("db1", "Task " + std::to_string(i)));
  EXPECT_EQ(services.compared(), 0U);
}

TEST(FreshnessFaults, FiveThousandEntriesAreReadWithoutThemBeingComparedPairByPair) {
  std::vector<FreshnessEntry> entries(5'000);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].host = "host-" + std::to_string(i % 4'999);
    entries[i].service = "Backup";
    entries[i].promise.every = 1h;
  }
  const std::vector<FreshnessFault> expected{
      {4'999, "host: \"host-0\" with service \"Backup\" covers subjects of entry 1 too", 0}};
  EXPECT_EQ(find_faults(entries, Wall(1s)), expected);
}

TEST(FreshnessFaults, AScheduleThatIsOverIsWrongByTimeAloneAndNothingOfItIsDue) {
  FreshnessEntry entry;
  entry.host = "db1";
  entry.service = "*";
  entry.expect = {"Backup"};
  entry.promise.schedule = Schedule::parse("2020-01-01 03:00").value();
  entry.promise.grace = 1h;
  const Wall now(std::chrono::sys_days(std::chrono::January / 1 / 2026));
  const std::vector<FreshnessFault> expected{
      {0, "schedule: \"2020-01-01 03:00\" is over: nothing comes any more", Freshness::kNoEntry,
       true}};
  EXPECT_EQ(find_faults({entry}, now), expected);
  EXPECT_TRUE(find_faults({entry}, Wall(1s)).empty());

  Freshness engine({entry});
  const Instant start{Steady(1s), now};
  engine.start(start);
  engine.report({"db1", "Report", now, {}, ""}, start);
  std::vector<FreshnessNews> news;
  for (int day = 1; day < 40; ++day) {
    const Instant later{start.steady + day * 24h, start.wall + day * 24h};
    while (engine.step(later, 100, nullptr, news)) {
    }
  }
  EXPECT_TRUE(news.empty());
  EXPECT_EQ(engine.count(FreshState::none), engine.subjects().size());
}

TEST(FreshnessFaults, EachIsNamedWithItsEntry) {
  FreshnessEntry backup;
  backup.host = "db*";
  backup.service = "Backup*";
  backup.promise.every = 1h;
  backup.expect = {"Backup full", "Dump"};
  FreshnessEntry same = backup;
  same.host = "*1";
  same.expect.clear();
  FreshnessEntry other = same;
  other.service = "Load";
  other.promise.every = {};
  const std::vector<FreshnessFault> expected{
      {0, "expect: \"Dump\" is not covered by service \"Backup*\""},
      {1, "host: \"*1\" with service \"Backup*\" covers subjects of entry 1 too", 0},
      {2, "every or schedule is needed"}};
  EXPECT_EQ(find_faults({backup, same, other}, Wall(1s)), expected);
}

}  // namespace
}  // namespace checkrelay
