#include "agent/base/time.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

Wall wall(std::int64_t micros) { return Wall(Duration(micros)); }

TEST(ParseDuration, ReadsEachUnit) {
  EXPECT_EQ(parse_duration("1us").value(), 1us);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("90s").value(), 90s);
  EXPECT_EQ(parse_duration("15m").value(), 15min);
  EXPECT_EQ(parse_duration("15min").value(), 15min);
  EXPECT_EQ(parse_duration("24h").value(), 24h);
  EXPECT_EQ(parse_duration("7d").value(), 7 * 24h);
}

TEST(ParseDuration, PartsMayFollowEachOther) {
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("1d2h3m4s5ms6us").value(), 26h + 3min + 4s + 5ms + 6us);
}

TEST(ParseDuration, ReadsFractions) { EXPECT_EQ(parse_duration("1.5h").value(), 90min); }

TEST(ParseDuration, BareZeroIsZero) { EXPECT_EQ(parse_duration("0").value(), 0s); }

TEST(ParseDuration, RefusesABareNumberAndShowsIt) {
  auto r = parse_duration("90");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, Errc::invalid);
  EXPECT_NE(r.error().what.find("\"90\""), std::string::npos) << r.error().what;
}

TEST(ParseDuration, RefusesWhatIsNone) {
  for (std::string text : {"", "s", "-5s", "5 s", " 5s", "5s ", "5S", "1e3s", "5x", "1..5s", ".s",
                           "5s5", "infs", "nans", "0x5s", "5s-", "\0s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(ParseDuration, RefusesMoreThanAHundredYears) {
  EXPECT_TRUE(parse_duration("36500d"));
  EXPECT_FALSE(parse_duration("36700d"));
  EXPECT_FALSE(parse_duration("36500d36500d"));
  EXPECT_FALSE(parse_duration(std::string(400, '9') + "s"));
}

TEST(FormatDuration, WritesWhatAPersonWould) {
  EXPECT_EQ(format_duration(90min), "1h30m");
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(-1s), "0s");
  EXPECT_EQ(format_duration(25h + 1us), "1d1h1us");
}

TEST(FormatDuration, ReadsBackTheSame) {
  constexpr unsigned kSeed = 20260105;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    Duration d(static_cast<std::int64_t>(random() >> (14 + random() % 48)));
    ASSERT_EQ(parse_duration(format_duration(d)).value_or(-1us), d) << format_duration(d);
  }
}

// The examples of RFC 3339 section 5.8.
TEST(ParseRfc3339, ReadsTheDocumentsExamples) {
  EXPECT_EQ(parse_rfc3339("1985-04-12T23:20:50.52Z").value(), wall(482196050520000));
  EXPECT_EQ(parse_rfc3339("1996-12-19T16:39:57-08:00").value(), wall(851042397000000));
  EXPECT_EQ(parse_rfc3339("1990-12-31T23:59:60Z").value(), wall(662688000000000));
  EXPECT_EQ(parse_rfc3339("1990-12-31T15:59:60-08:00").value(), wall(662688000000000));
}

TEST(ParseRfc3339, TakesLowerCaseAndABlankForTheT) {
  Wall t = parse_rfc3339("2026-01-05T10:15:00Z").value();
  EXPECT_EQ(parse_rfc3339("2026-01-05t10:15:00z").value(), t);
  EXPECT_EQ(parse_rfc3339("2026-01-05 10:15:00Z").value(), t);
}

TEST(ParseRfc3339, OffsetsCountFromUtc) {
  Wall t = parse_rfc3339("2026-01-05T10:15:00Z").value();
  EXPECT_EQ(parse_rfc3339("2026-01-05T11:15:00+01:00").value(), t);
  EXPECT_EQ(parse_rfc3339("2026-01-05T04:45:00-05:30").value(), t);
  EXPECT_EQ(parse_rfc3339("2026-01-05T10:15:00-00:00").value(), t);
}

TEST(ParseRfc3339, KeepsMicrosecondsOfAFraction) {
  Wall t = parse_rfc3339("2026-01-05T10:15:00Z").value();
  EXPECT_EQ(parse_rfc3339("2026-01-05T10:15:00.000001Z").value() - t, 1us);
  EXPECT_EQ(parse_rfc3339("2026-01-05T10:15:00.123456789012345678901234Z").value() - t, 123456us);
}

TEST(ParseRfc3339, KnowsLeapYears) {
  EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2026-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2100-02-29T00:00:00Z"));
}

TEST(ParseRfc3339, RefusesWhatIsNone) {
  for (std::string text : {"",
                           "2026",
                           "2026-01-05",
                           "2026-01-05T10:15:00",
                           "2026-01-05T10:15Z",
                           "2026-01-05T24:00:00Z",
                           "2026-01-05T10:60:00Z",
                           "2026-01-05T10:15:61Z",
                           "2026-13-05T10:15:00Z",
                           "2026-00-05T10:15:00Z",
                           "2026-01-32T10:15:00Z",
                           "2026-01-00T10:15:00Z",
                           "2026-1-5T10:15:00Z",
                           "2026-01-05T10:15:00.Z",
                           "2026-01-05T10:15:00,5Z",
                           "2026-01-05T10:15:00+0100",
                           "2026-01-05T10:15:00+24:00",
                           "2026-01-05T10:15:00+01:60",
                           "2026-01-05T10:15:00+01",
                           "2026-01-05T10:15:00ZZ",
                           " 2026-01-05T10:15:00Z",
                           "2026-01-05X10:15:00Z",
                           "+026-01-05T10:15:00Z",
                           "2026-01-05T-1:15:00Z"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(ParseRfc3339, TakesTheYears1970To9999Alone) {
  EXPECT_FALSE(parse_rfc3339("1969-12-31T23:59:59Z"));
  EXPECT_TRUE(parse_rfc3339("1970-01-01T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("9999-12-31T23:59:59Z"));
}

TEST(ParseRfc3339, AnOffsetDoesNotLeadOutOfTheYears) {
  EXPECT_FALSE(parse_rfc3339("1970-01-01T00:00:00+01:00"));
  EXPECT_FALSE(parse_rfc3339("9999-12-31T23:59:59-01:00"));
}

TEST(FormatRfc3339, WritesUtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(wall(1767608100250000)), "2026-01-05T10:15:00.250Z");
  EXPECT_EQ(format_rfc3339(Wall{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(wall(1767608100250999)), "2026-01-05T10:15:00.250Z");
  EXPECT_EQ(format_rfc3339(wall(253402300799999999)), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(wall(253402300800000000)), "10000-01-01T00:00:00.000Z");
}

TEST(FormatRfc3339, ReadsBackTheSame) {
  constexpr unsigned kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    Wall t = wall(static_cast<std::int64_t>(random() % 253402300799000U) * 1000);
    ASSERT_EQ(parse_rfc3339(format_rfc3339(t)).value_or(Wall{}), t) << format_rfc3339(t);
  }
}

TEST(WallFromEpoch, KeepsFractionsToMicroseconds) {
  EXPECT_EQ(wall_from_epoch(1767608100.25).value(), wall(1767608100250000));
  EXPECT_EQ(wall_from_epoch(0).value(), Wall{});
}

TEST(WallFromEpoch, RefusesWhatIsOutsideTheYears) {
  EXPECT_TRUE(wall_from_epoch(253402300799.0));
  for (double seconds : {-1.0, -1e-3, 253402300801.0, 1e300, HUGE_VAL, -HUGE_VAL, std::nan("")})
    EXPECT_FALSE(wall_from_epoch(seconds)) << seconds;
}

}  // namespace
}  // namespace checkrelay
