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
