#include "agent/base/text.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace checkrelay {
namespace {

TEST(Trimmed, TakesBlanksAndLineEndsOffBothSides) {
  EXPECT_EQ(trimmed(" \t\r\n\v\fa b \r\n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("", ';'), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split("a;;b;", ';'), (std::vector<std::string_view>{"a", "", "b", ""}));
}

TEST(EqualsIgnoringCase, IsForAscii) {
  EXPECT_TRUE(equals_ignoring_case("WaRning", "wARNING"));
  EXPECT_FALSE(equals_ignoring_case("ok", "okay"));
  EXPECT_FALSE(equals_ignoring_case("Ä", "ä"));
  EXPECT_EQ(lower("ÄBC"), "Äbc");
}

constexpr std::array<std::string_view, 5> kWords{"status", "send", "queue", "state", "run"};

TEST(Closest, FindsWhatAPersonProbablyMeant) {
  EXPECT_EQ(closest("statsu", kWords), "status");
  EXPECT_EQ(closest("SEND", kWords), "send");
  EXPECT_EQ(closest("quue", kWords), "queue");
}

TEST(Closest, TakesAUniquePrefix) {
  constexpr std::array<std::string_view, 3> words{"unknown_object_retry", "unsure", "rate"};
  EXPECT_EQ(closest("unknown", words), "unknown_object_retry");
  EXPECT_EQ(closest("un", words), std::nullopt);
}

TEST(Closest, DoesNotGuessWildly) {
  EXPECT_EQ(closest("xyzzy", kWords), std::nullopt);
  EXPECT_EQ(closest("", kWords), std::nullopt);
  constexpr std::array<std::string_view, 1> two{"ab"};
  EXPECT_EQ(closest("xy", two), std::nullopt);
}

TEST(ParseSize, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("512").value(), 512U);
  EXPECT_EQ(parse_size("512B").value(), 512U);
  EXPECT_EQ(parse_size("64KiB").value(), 65536U);
  EXPECT_EQ(parse_size("64kib").value(), 65536U);
  EXPECT_EQ(parse_size("4GiB").value(), 4294967296U);
  EXPECT_EQ(parse_size("1.5MB").value(), 1500000U);
  EXPECT_EQ(parse_size("0").value(), 0U);
}

TEST(ParseSize, RefusesWhatIsNoneAndShowsIt) {
  for (std::string text : {"", "KiB", "-1", "64K", "64Kib B", "1e3", "x", "1..5MB", "∞"})
    EXPECT_FALSE(parse_size(text)) << text;
  EXPECT_NE(parse_size("64 Zib").error().what.find("\"64 Zib\""), std::string::npos);
}

TEST(ParseSize, IsAtMostTwoToThe62) {
  EXPECT_EQ(parse_size("4611686018427387904").value(), std::size_t{1} << 62U);
  EXPECT_FALSE(parse_size("4611686018427389000"));
  EXPECT_FALSE(parse_size("9999999TiB"));
  EXPECT_FALSE(parse_size(std::string(400, '9')));
}

TEST(FormatSize, UsesTheGreatestFittingUnit) {
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(1023), "1023");
  EXPECT_EQ(format_size(65536), "64KiB");
  EXPECT_EQ(format_size(1536), "1.5KiB");
  EXPECT_EQ(format_size(std::size_t{4} << 30U), "4GiB");
}

TEST(ParseInteger, IsTheWholeText) {
  EXPECT_EQ(parse_integer("3", 0, 3), 3);
  EXPECT_EQ(parse_integer("-3", -3, 3), -3);
  EXPECT_EQ(parse_integer("0042", 0, 100), 42);
  for (std::string text : {"", " 3", "3 ", "+3", "3.0", "0x3", "three", "-"})
    EXPECT_EQ(parse_integer(text, -100, 100), std::nullopt) << text;
}

TEST(ParseInteger, KeepsItsBounds) {
  EXPECT_EQ(parse_integer("4", 0, 3), std::nullopt);
  EXPECT_EQ(parse_integer("-1", 0, 3), std::nullopt);
  EXPECT_EQ(parse_integer("9223372036854775807", 0, INT64_MAX), INT64_MAX);
  EXPECT_EQ(parse_integer("9223372036854775808", 0, INT64_MAX), std::nullopt);
}

TEST(ParseNumber, IsFiniteAndTheWholeText) {
  EXPECT_EQ(parse_number("1.5"), 1.5);
  EXPECT_EQ(parse_number("-2e3"), -2000.0);
  for (std::string text : {"", "inf", "nan", "1e999", "1,5", " 1", "1 ", "0x10", "e5", "."})
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
}

TEST(SameSecret, ComparesWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_FALSE(same_secret("abc", "abcabc"));
  EXPECT_FALSE(same_secret("abcabc", "abc"));
  EXPECT_FALSE(same_secret("", "abc"));
  EXPECT_FALSE(same_secret("abc", ""));
  EXPECT_FALSE(same_secret("abd", "abc"));
}

}  // namespace
}  // namespace checkrelay
