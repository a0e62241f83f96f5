#include <fnmatch.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

TEST(GlobMatch, CoversTheWholeText) {
  EXPECT_TRUE(glob_match("db1", "db1"));
  EXPECT_FALSE(glob_match("db", "db1"));
  EXPECT_FALSE(glob_match("b1", "db1"));
  EXPECT_FALSE(glob_match("", "db1"));
  EXPECT_TRUE(glob_match("", ""));
}

TEST(GlobMatch, StarTakesAnyNumber) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("db*", "db"));
  EXPECT_TRUE(glob_match("*.example.*", "a.example.com"));
  EXPECT_TRUE(glob_match("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(glob_match("a*b*c", "a-c-b"));
}

TEST(GlobMatch, QuestionMarkTakesOne) {
  EXPECT_TRUE(glob_match("db?", "db1"));
  EXPECT_FALSE(glob_match("db?", "db"));
}

TEST(GlobMatch, ClassesTakeRangesAndNegation) {
  EXPECT_TRUE(glob_match("db[0-9]", "db7"));
  EXPECT_FALSE(glob_match("db[!0-9]", "db7"));
  EXPECT_TRUE(glob_match("db[!0-9]", "dbx"));
  EXPECT_TRUE(glob_match("[]]", "]"));
  EXPECT_TRUE(glob_match("[a-]", "-"));
}

TEST(GlobMatch, AnUnclosedClassIsABracket) {
  EXPECT_TRUE(glob_match("[a", "[a"));
  EXPECT_FALSE(glob_match("[a", "a"));
  EXPECT_TRUE(glob_match("[", "["));
}

TEST(GlobMatch, BackslashQuotes) {
  EXPECT_TRUE(glob_match("\\*", "*"));
  EXPECT_FALSE(glob_match("\\*", "x"));
  EXPECT_TRUE(glob_match("a\\", "a\\"));
}

TEST(GlobMatch, TheCaseCounts) { EXPECT_FALSE(glob_match("DB*", "db1")); }

TEST(GlobMatch, AgreesWithTheShell) {
  constexpr unsigned kSeed = 99;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const std::string pattern_alphabet = "ab*?";
  const std::string text_alphabet = "ab";
  for (int i = 0; i < 20000; ++i) {
    std::string pattern(random() % 8, 'x');
    std::string text(random() % 8, 'x');
    for (char& c : pattern) c = pattern_alphabet[random() % pattern_alphabet.size()];
    for (char& c : text) c = text_alphabet[random() % text_alphabet.size()];
    ASSERT_EQ(glob_match(pattern, text), fnmatch(pattern.c_str(), text.c_str(), 0) == 0)
        << pattern << " " << text;
  }
}

// An exponential matcher would not come back from this within the test's time limit.
TEST(GlobMatch, ManyStarsAreNotExponential) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "a*";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace checkrelay
