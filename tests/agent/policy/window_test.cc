#include "agent/policy/window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/agent/policy/minute_model.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

Zone zone(std::string_view name) { return Zone::find(name).value(); }
Wall at(std::string_view text) { return parse_rfc3339(text).value(); }

WindowRule rule(Frequency f, std::string_view start, std::string_view end,
                std::string_view where = "UTC") {
  auto parsed = WindowRule::parse(f, start, end, zone(where));
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().what);
  return parsed.value_or(WindowRule());
}

bool holds(const WindowRule& r, std::string_view t) { return r.at(at(t)).has_value(); }

TEST(Window, BothEndsBelongToIt) {
  WindowRule r = rule(Frequency::daily, "22:00", "06:00");
  EXPECT_FALSE(holds(r, "2026-05-05T21:59:59.999Z"));
  EXPECT_TRUE(holds(r, "2026-05-05T22:00:00Z"));
  EXPECT_TRUE(holds(r, "2026-05-06T00:00:00Z"));
  EXPECT_TRUE(holds(r, "2026-05-06T06:00:00.999Z"));
  EXPECT_FALSE(holds(r, "2026-05-06T06:00:01Z"));
}

TEST(Window, TwentyFourIsTheMidnightThatEndsTheDay) {
  WindowRule evening = rule(Frequency::daily, "22:00", "24:00");
  EXPECT_TRUE(holds(evening, "2026-05-06T00:00:00Z"));
  EXPECT_FALSE(holds(evening, "2026-05-06T00:00:01Z"));
  WindowRule always = rule(Frequency::daily, "0:00", "24:00:00");
  for (int hour = 0; hour < 48; ++hour)
    EXPECT_TRUE(always.at(at("2026-05-06T00:30:00Z") + hour * 1h));
  WindowRule sunday = rule(Frequency::weekly, "Sunday 24:00", "mon 06:00");
  EXPECT_TRUE(holds(sunday, "2026-05-04T00:00:00Z"));
  EXPECT_FALSE(holds(sunday, "2026-05-03T23:59:59Z"));
}

TEST(Window, EqualEndsAreOneSecond) {
  WindowRule r = rule(Frequency::daily, "10:00", "10:00");
  EXPECT_TRUE(holds(r, "2026-05-05T10:00:00.5Z"));
  EXPECT_FALSE(holds(r, "2026-05-05T10:00:01Z"));
  EXPECT_FALSE(holds(r, "2026-05-05T22:00:00Z"));
}

TEST(Window, FridayToMondayIsAWeekend) {
  WindowRule r = rule(Frequency::weekly, "Friday 18:00", "MON 07:30");
  EXPECT_FALSE(holds(r, "2026-05-01T17:59:59Z"));
  for (auto t : {"2026-05-01T18:00:00Z", "2026-05-03T12:00:00Z", "2026-05-04T07:30:00Z"})
    EXPECT_TRUE(holds(r, t)) << t;
  EXPECT_FALSE(holds(r, "2026-05-04T07:30:01Z"));
}

TEST(Window, NegativeDaysCountFromTheEndOfTheMonth) {
  WindowRule last = rule(Frequency::monthly, "-1 10:00", "-1 11:00");
  for (auto t : {"2026-01-31T10:30:00Z", "2026-02-28T10:30:00Z", "2028-02-29T10:30:00Z"})
    EXPECT_TRUE(holds(last, t)) << t;
  EXPECT_FALSE(holds(last, "2026-01-30T10:30:00Z"));
  EXPECT_TRUE(holds(rule(Frequency::monthly, "-2 10:00", "-2 11:00"), "2026-01-30T10:30:00Z"));
  WindowRule over = rule(Frequency::monthly, "-1 22:00", "1 04:00");
  EXPECT_TRUE(holds(over, "2026-03-01T03:00:00Z"));
  EXPECT_TRUE(holds(over, "2026-02-28T23:00:00Z"));
  EXPECT_FALSE(holds(over, "2026-03-01T04:00:01Z"));
}

TEST(Window, ADayThatTheMonthDoesNotHaveIsItsNearest) {
  WindowRule r = rule(Frequency::monthly, "31 10:00", "31 11:00");
  for (auto t : {"2026-03-31T10:30:00Z", "2026-04-30T10:30:00Z", "2026-02-28T10:30:00Z"})
    EXPECT_TRUE(holds(r, t)) << t;
  EXPECT_FALSE(holds(r, "2026-03-30T10:30:00Z"));
  EXPECT_TRUE(holds(rule(Frequency::monthly, "-31 10:00", "-31 11:00"), "2026-02-01T10:30:00Z"));
  EXPECT_TRUE(holds(rule(Frequency::monthly, "0 10:00", "0 11:00"), "2026-02-01T10:30:00Z"));
}

TEST(Window, AShortMonthShortensNone) {
  WindowRule r = rule(Frequency::monthly, "30 10:00", "31 05:00");
  EXPECT_EQ(r.at(at("2026-02-28T11:00:00Z")),
            (Window{at("2026-02-28T10:00:00Z"), at("2026-03-01T05:00:00Z")}));
  WindowRule back = rule(Frequency::monthly, "31 00:00", "28 12:00");
  EXPECT_EQ(back.at(at("2026-02-10T00:00:00Z")),
            (Window{at("2026-01-31T00:00:00Z"), at("2026-02-28T12:00:00Z")}));
}

TEST(Window, ASkippedTimeIsMovedOnByTheGap) {
  WindowRule r = rule(Frequency::daily, "02:30", "04:00", "Europe/Stockholm");
  EXPECT_EQ(r.at(at("2026-03-29T01:45:00Z")),
            (Window{at("2026-03-29T01:30:00Z"), at("2026-03-29T02:00:00Z")}));
  EXPECT_FALSE(holds(r, "2026-03-29T01:29:59Z"));
}

TEST(Window, OneThatTheGapWouldTurnInsideOutKeepsItsLength) {
  WindowRule r = rule(Frequency::daily, "02:30", "03:00", "Europe/Stockholm");
  EXPECT_EQ(r.at(at("2026-03-29T01:45:00Z")),
            (Window{at("2026-03-29T01:30:00Z"), at("2026-03-29T02:00:00Z")}));
}

TEST(Window, OfATimeThatComesTwiceAStartTakesTheFirstAndAnEndTheSecond) {
  WindowRule r = rule(Frequency::daily, "02:10", "02:50", "Europe/Stockholm");
  EXPECT_EQ(r.at(at("2026-10-25T01:00:00Z")),
            (Window{at("2026-10-25T00:10:00Z"), at("2026-10-25T01:50:00Z")}));
}

TEST(Window, OnceIsAsTheApiTellsIt) {
  WindowRule r = rule(Frequency::once, "1683811263", "2023-05-15T13:21:03Z");
  EXPECT_TRUE(holds(r, "2023-05-11T13:21:03Z"));
  EXPECT_FALSE(holds(r, "2023-05-11T13:21:02Z"));
  EXPECT_TRUE(holds(r, "2023-05-15T13:21:03.4Z"));
  EXPECT_FALSE(holds(r, "2023-05-15T13:21:04Z"));
  EXPECT_EQ(r.next(at("2020-01-01T00:00:00Z")), r.once());
  EXPECT_FALSE(r.next(at("2024-01-01T00:00:00Z")));
}

TEST(Window, TimesWithoutAZoneAreTheServers) {
  const Zone brisbane = zone("Australia/Brisbane");
  const Wall expected = at("2023-05-11T13:21:03Z");
  for (auto text : {"11-May-2023 23:21:03", "2023-05-11T23:21:03", "2023-05-11 23:21:03.75",
                    "2023-05-11T13:21:03Z", "2023-05-11T15:21:03+0200", "2023-05-11T15:21:03+02:00",
                    "2023-05-11T15:21:03+02", "1683811263"}) {
    auto t = parse_outage_time(text, brisbane);
    ASSERT_TRUE(t) << text;
    EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(*t), expected) << text;
  }
}

TEST(Window, OfATimeThatComesTwiceABeginningIsTheFirstAndAnEndTheSecond) {
  const Zone stockholm = zone("Europe/Stockholm");
  const char* twice = "2026-10-25T02:30:00";
  EXPECT_EQ(*parse_outage_time(twice, stockholm, Edge::start), at("2026-10-25T00:30:00Z"));
  EXPECT_EQ(*parse_outage_time(twice, stockholm, Edge::end), at("2026-10-25T01:30:00Z"));
  auto rule = WindowRule::parse(Frequency::once, "2026-10-25T01:00:00", twice, stockholm);
  ASSERT_TRUE(rule);
  EXPECT_TRUE(rule->at(at("2026-10-25T01:29:59Z")));
  EXPECT_FALSE(rule->at(at("2026-10-25T01:30:01Z")));
}

TEST(Window, BadTextsAreNamed) {
  for (auto text : {"", "24:01", "25:00", "1", "10:60", "10:00:60", "10", "+1:00", "10:00:00:00"})
    EXPECT_FALSE(parse_moment(Frequency::daily, text)) << text;
  for (auto text : {"10:00", "Fr 10:00", "Foo 10:00", "Friday", "Fri10:00", "Fri"})
    EXPECT_FALSE(parse_moment(Frequency::weekly, text)) << text;
  for (auto text : {"32 10:00", "-32 10:00", "x 10:00", "10:00", "1"})
    EXPECT_FALSE(parse_moment(Frequency::monthly, text)) << text;
  for (auto text : {"", "soon", "2026-02-30T10:00:00Z", "2026-13-01T10:00:00Z", "2026-01-01",
                    "1969-12-31T10:00:00Z", "2026-01-01T10:00:00+1", "1.2.3", "99999999999999",
                    "2026-01-01T10:00:00+01:00:00", "2026-01-01T10:00:00Zulu"})
    EXPECT_FALSE(parse_outage_time(text, Zone())) << text;
  auto bad = WindowRule::parse(Frequency::daily, "22:00", "24:01", Zone());
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().what, "end: \"24:01\" is not HH:MM[:SS]");
  EXPECT_FALSE(WindowRule::parse(Frequency::once, "20", "20", Zone()));
  EXPECT_FALSE(parse_frequency("yearly"));
}

TEST(Window, TheNextOneBeginsAfterNow) {
  WindowRule r = rule(Frequency::monthly, "-1 10:00", "-1 11:00");
  EXPECT_EQ(r.next(at("2026-01-31T10:00:00Z"))->start, at("2026-02-28T10:00:00Z"));
  EXPECT_EQ(r.next(at("2026-01-31T09:59:59Z"))->start, at("2026-01-31T10:00:00Z"));
}

TEST(Zone, WhatNobodyKnowsIsRefused) {
  for (auto name : {"Mars/Base", "../../etc/passwd", "europe/stockholm "})
    EXPECT_FALSE(Zone::find(name)) << name;
  EXPECT_TRUE(Zone::find(""));
  EXPECT_EQ(zone("UTC").name(), "UTC");
  EXPECT_EQ(zone("Europe/Stockholm").name(), "Europe/Stockholm");
}

// Random rules against the minutes of more than a year, in zones that change their clocks in
// different ways.
class WindowModel : public testing::TestWithParam<const char*> {
 protected:
  static constexpr std::size_t kWarmUp = 70 * 24 * 60;
  static constexpr std::size_t kMinutes = 460 * 24 * 60;

  int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
  std::string clock() {
    if (pick(0, 9) == 0) return "24:00";
    if (pick(0, 2) == 0) return (pick(0, 1) ? "02:" : "01:") + std::to_string(pick(10, 59));
    const int minute = pick(0, 59);
    return std::to_string(pick(0, 23)) + (minute < 10 ? ":0" : ":") + std::to_string(minute);
  }
  std::string moment(Frequency f, bool from_end) {
    static constexpr const char* kDays[] = {"Mon", "tuesday", "WED", "Thu", "Fri", "sat", "Sunday"};
    if (f == Frequency::daily) return clock();
    if (f == Frequency::weekly) return std::string(kDays[pick(0, 6)]) + " " + clock();
    return std::to_string(from_end ? pick(-28, -1) : pick(1, 28)) + " " + clock();
  }
  void compare(const Timeline& line, Frequency f, const std::string& start, const std::string& end);

  std::mt19937 random_{7};
  int compared_ = 0;
};

void WindowModel::compare(const Timeline& line, Frequency f, const std::string& start,
                          const std::string& end) {
  const WindowRule r = rule(f, start, end, GetParam());
  const Lived lived =
      live_through(line, f, *parse_moment(f, start), *parse_moment(f, end), kWarmUp);
  if (!lived.sane) return;
  ++compared_;
  auto check = [&](std::size_t i) {
    const Wall t = line.time(i);
    ASSERT_EQ(r.at(t).has_value(), lived.in[i])
        << to_string(f) << " " << start << " - " << end << " at " << format_rfc3339(t);
    ASSERT_EQ(r.at(t + 1s).has_value(), lived.after[i])
        << to_string(f) << " " << start << " - " << end << " after " << format_rfc3339(t);
  };
  for (std::size_t i = kWarmUp; i < line.size(); ++i) {
    const bool change = lived.in[i] != lived.in[i - 1] || lived.in[i] != lived.after[i];
    if (change || pick(0, 2000) == 0) check(i);
    if (HasFatalFailure()) return;
  }
}

TEST_P(WindowModel, IsWhatTheClockOnTheWallSays) {
  const Timeline line(zone(GetParam()), at("2025-11-20T00:00:00Z"), kMinutes);
  for (Frequency f : {Frequency::daily, Frequency::weekly, Frequency::monthly}) {
    compared_ = 0;
    for (int i = 0; i < 8 && !HasFatalFailure(); ++i) {
      const bool from_end = pick(0, 1) == 1;
      const std::string start = moment(f, from_end), end = moment(f, from_end);
      compare(line, f, start, end);
    }
    EXPECT_GE(compared_, 4);
  }
}

INSTANTIATE_TEST_SUITE_P(Zones, WindowModel,
                         testing::Values("UTC", "Europe/Stockholm", "America/New_York",
                                         "Australia/Lord_Howe", "Asia/Kathmandu"),
                         [](const auto& p) {
                           std::string name = p.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return c == '/'; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace checkrelay
