#include "agent/policy/schedule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

Zone zone(std::string_view name) { return Zone::find(name).value(); }
Wall at(std::string_view text) { return parse_rfc3339(text).value(); }

Schedule schedule(std::string_view text) {
  auto parsed = Schedule::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().what);
  return parsed ? *parsed : Schedule::parse("0 0 1 1 *").value();
}

std::string error(std::string_view text) {
  auto parsed = Schedule::parse(text);
  EXPECT_FALSE(parsed) << text;
  return parsed ? "" : parsed.error().what;
}

// The next moments, UTC to the second, "2026-01-01 00:00:00".
std::vector<std::string> moments(std::string_view text, std::string_view after, std::size_t count,
                                 std::string_view where = "UTC") {
  const Schedule s = schedule(text);
  std::vector<std::string> found;
  std::optional<Wall> t = at(after);
  while (found.size() < count && (t = s.next(*t, zone(where)))) {
    std::string shown = format_rfc3339(*t).substr(0, 19);
    shown[10] = ' ';
    found.push_back(shown);
  }
  return found;
}

using Moments = std::vector<std::string>;

TEST(Cron, ListsRangesStepsAndNames) {
  EXPECT_EQ(moments("*/20 * * * *", "2026-01-01T00:00:00Z", 3),
            (Moments{"2026-01-01 00:20:00", "2026-01-01 00:40:00", "2026-01-01 01:00:00"}));
  EXPECT_EQ(moments("30/15 9-17/4 * * *", "2026-01-01T09:30:00Z", 4),
            (Moments{"2026-01-01 09:45:00", "2026-01-01 13:30:00", "2026-01-01 13:45:00",
                     "2026-01-01 17:30:00"}));
  EXPECT_EQ(moments("0 3 * JAN,mar Mon-wednesday", "2026-01-25T00:00:00Z", 4),
            (Moments{"2026-01-26 03:00:00", "2026-01-27 03:00:00", "2026-01-28 03:00:00",
                     "2026-03-02 03:00:00"}));
}

TEST(Cron, SundayIsZeroAndSeven) {
  const CalendarFields sunday = schedule("0 0 * * 0").fields();
  for (auto text : {"0 0 * * 7", "0 0 * * sun", "0 0 * * SUNDAY", "0 0 * * 0,7"})
    EXPECT_EQ(schedule(text).fields(), sunday) << text;
  EXPECT_EQ(schedule("0 0 * * sat-sun").fields(), schedule("0 0 * * 6,0").fields());
  EXPECT_EQ(schedule("0 0 * * sun-tue").fields(), schedule("0 0 * * 0-2").fields());
  EXPECT_EQ(schedule("0 0 * * */2").fields().weekdays,
            schedule("0 0 * * 0,2,4,6").fields().weekdays);
}

TEST(Cron, OneOfTwoDayFieldsIsEnough) {
  EXPECT_EQ(moments("0 0 13 * 5", "2026-02-01T00:00:00Z", 4),
            (Moments{"2026-02-06 00:00:00", "2026-02-13 00:00:00", "2026-02-20 00:00:00",
                     "2026-02-27 00:00:00"}));
  EXPECT_EQ(moments("0 0 1,15 * mon", "2026-04-27T00:00:00Z", 3),
            (Moments{"2026-05-01 00:00:00", "2026-05-04 00:00:00", "2026-05-11 00:00:00"}));
}

TEST(Cron, AStarInFrontMeansBothMustMatch) {
  EXPECT_EQ(moments("0 0 */2 * mon", "2026-05-01T00:00:00Z", 2),
            (Moments{"2026-05-11 00:00:00", "2026-05-25 00:00:00"}));
}

TEST(Cron, TheLastDayOfTheMonth) {
  EXPECT_EQ(moments("0 0 L * *", "2028-01-31T00:00:00Z", 3),
            (Moments{"2028-02-29 00:00:00", "2028-03-31 00:00:00", "2028-04-30 00:00:00"}));
  EXPECT_EQ(moments("0 0 L-2,1 2 *", "2026-01-01T00:00:00Z", 2),
            (Moments{"2026-02-01 00:00:00", "2026-02-26 00:00:00"}));
  EXPECT_EQ(moments("0 0 * * 5L", "2026-05-01T00:00:00Z", 2),
            (Moments{"2026-05-29 00:00:00", "2026-06-26 00:00:00"}));
  EXPECT_EQ(schedule("0 0 * * friL").fields(), schedule("0 0 * * 5l").fields());
}

TEST(Cron, TheNthWeekdayOfTheMonth) {
  EXPECT_EQ(moments("0 0 * * mon#1", "2026-05-01T00:00:00Z", 2),
            (Moments{"2026-05-04 00:00:00", "2026-06-01 00:00:00"}));
  EXPECT_EQ(moments("0 0 * * 5#5", "2026-05-01T00:00:00Z", 1), (Moments{"2026-05-29 00:00:00"}));
}

TEST(Cron, LeapDaysAreYearsApart) {
  EXPECT_EQ(moments("0 12 29 2 *", "2096-03-01T00:00:00Z", 1), (Moments{"2104-02-29 12:00:00"}));
}

TEST(Cron, NicknamesAreWhatTheyStandFor) {
  EXPECT_EQ(schedule("@Daily").fields(), schedule("0 0 * * *").fields());
  EXPECT_EQ(schedule("@weekly").fields(), schedule("0 0 * * 0").fields());
  EXPECT_EQ(schedule(" @yearly ").fields(), schedule("0 0 1 1 *").fields());
}

TEST(Cron, ErrorsNameTheFieldAndTheFragment) {
  EXPECT_EQ(error("60 * * * *"), "minute: \"60\" is not 0 to 59");
  EXPECT_EQ(error("0 8,24 * * *"), "hour: \"24\" is not 0 to 23");
  EXPECT_EQ(error("0 0 0 * *"), "day of month: \"0\" is not 1 to 31");
  EXPECT_EQ(error("0 0 * foo *"), "month: \"foo\" is not 1 to 12");
  EXPECT_EQ(error("0 0 * * 8"), "day of week: \"8\" is not 0 to 7");
  EXPECT_EQ(error("0 22-6 * * *"), "hour: \"22-6\" runs backwards");
  EXPECT_EQ(error("*/0 * * * *"), "minute: \"0\" is no step: a number from 1 on");
  EXPECT_EQ(error("*/90 * * * *"), "minute: \"90\" is a step that never comes to a second value");
  EXPECT_EQ(error("0 0 L-31 * *"), "day of month: \"L-31\" is not L or L-1 to L-30");
  EXPECT_EQ(error("0 0 * * 5#6"), "day of week: \"5#6\" is not DAY#1 to DAY#5");
  EXPECT_EQ(error("31 2 *"),
            "\"31 2 *\" has 3 fields; cron has five: minute, hour, day of month, month, day of "
            "week");
  EXPECT_EQ(error("@reboot"),
            "\"@reboot\" is not @hourly, @daily, @midnight, @weekly, @monthly, @yearly or "
            "@annually");
}

TEST(Cron, ImpossibleDaysAreNamed) {
  EXPECT_EQ(error("0 3 31 2 *"),
            "day of month: \"31\" is impossible: it does not come in month \"2\"");
  EXPECT_EQ(error("0 3 31 apr,jun,9,11 *"),
            "day of month: \"31\" is impossible: it does not come in month \"apr,jun,9,11\"");
  EXPECT_EQ(error("0 3 L-30 2-2 *"),
            "day of month: \"L-30\" is impossible: it does not come in month \"2-2\"");
  EXPECT_TRUE(Schedule::parse("0 3 31 2 mon"));  // every Monday in February
  EXPECT_TRUE(Schedule::parse("0 3 29 2 *"));
}

TEST(Cron, HostileTextIsRefused) {
  for (auto text : {"",
                    "   ",
                    "* * * *",
                    "* * * * * *",
                    ", * * * *",
                    "1,, * * * *",
                    "- * * * *",
                    "1- * * * *",
                    "-1 * * * *",
                    "1/ * * * *",
                    "/5 * * * *",
                    "*/x * * * *",
                    "** * * * *",
                    "1-2-3 * * * *",
                    "1/2/3 * * * *",
                    "0x1 * * * *",
                    "1e1 * * * *",
                    "99999999999999999999 * * * *",
                    "0 0 W * *",
                    "0 0 15W * *",
                    "0 0 LW * *",
                    "0 0 ? * *",
                    "0 0 * * L",
                    "0 0 * * #1",
                    "0 0 * * 5##1",
                    "@",
                    "@daily 1 2 3 4"})
    EXPECT_FALSE(Schedule::parse(text)) << text;
  EXPECT_FALSE(Schedule::parse(std::string(513, '*')));
  EXPECT_FALSE(Schedule::parse(std::string("0 0 * * \0", 9)));
}

TEST(OnCalendar, ShorthandsAreWhatTheyStandFor) {
  EXPECT_EQ(schedule("hourly").fields(), schedule("0 * * * *").fields());
  EXPECT_EQ(schedule("Daily").fields(), schedule("*-*-*").fields());
  EXPECT_EQ(schedule("weekly").fields(), schedule("Mon").fields());
  EXPECT_EQ(schedule("quarterly").fields(), schedule("*-1/3-1").fields());
  EXPECT_EQ(schedule("semiannually").fields(), schedule("1,7-1 0:00").fields());
  EXPECT_EQ(schedule("yearly UTC").zone(), Zone());
}

TEST(OnCalendar, PartsMayBeLeftOut) {
  EXPECT_EQ(moments("10:15", "2026-01-01T10:15:00Z", 1), (Moments{"2026-01-02 10:15:00"}));
  EXPECT_EQ(moments("Fri", "2026-01-01T00:00:00Z", 1), (Moments{"2026-01-02 00:00:00"}));
  EXPECT_EQ(moments("05-01", "2026-05-01T00:00:00Z", 1), (Moments{"2027-05-01 00:00:00"}));
  EXPECT_EQ(moments("26-05-01 1:2:3", "2026-01-01T00:00:00Z", 9), (Moments{"2026-05-01 01:02:03"}));
}

TEST(OnCalendar, ListsRangesAndRepetitions) {
  EXPECT_EQ(moments("Mon,Wed..Fri *-*-1..7 8,20:0/30:15", "2026-05-01T08:00:00Z", 5),
            (Moments{"2026-05-01 08:00:15", "2026-05-01 08:30:15", "2026-05-01 20:00:15",
                     "2026-05-01 20:30:15", "2026-05-04 08:00:15"}));
  EXPECT_FALSE(Schedule::parse("2026/4-2-29"));
  EXPECT_EQ(moments("2028/4-2-29", "2000-01-01T00:00:00Z", 2),
            (Moments{"2028-02-29 00:00:00", "2032-02-29 00:00:00"}));
  EXPECT_EQ(moments("*:*:0/25", "2026-01-01T00:00:00Z", 3),
            (Moments{"2026-01-01 00:00:25", "2026-01-01 00:00:50", "2026-01-01 00:01:00"}));
}

TEST(OnCalendar, TildeCountsFromTheMonthsEnd) {
  EXPECT_EQ(moments("*-02~03", "2026-01-01T00:00:00Z", 3),
            (Moments{"2026-02-26 00:00:00", "2027-02-26 00:00:00", "2028-02-27 00:00:00"}));
  EXPECT_EQ(moments("Mon *-05~07/1", "2026-01-01T00:00:00Z", 2),
            (Moments{"2026-05-25 00:00:00", "2027-05-31 00:00:00"}));
  EXPECT_EQ(moments("*-04~10/4", "2026-01-01T00:00:00Z", 3),
            (Moments{"2026-04-21 00:00:00", "2026-04-25 00:00:00", "2026-04-29 00:00:00"}));
}

TEST(OnCalendar, TheZoneOfTheExpressionWins) {
  EXPECT_EQ(moments("03:00 Europe/Stockholm", "2026-01-01T00:00:00Z", 1, "Asia/Tokyo"),
            (Moments{"2026-01-01 02:00:00"}));
  EXPECT_EQ(schedule("03:00").zone(), std::nullopt);
}

TEST(OnCalendar, ErrorsNameTheFieldAndTheFragment) {
  EXPECT_EQ(error("25:00"), "hour: \"25\" is not 0 to 23");
  EXPECT_EQ(error("10:60"), "minute: \"60\" is not 0 to 59");
  EXPECT_EQ(error("10:00:1.5"), "second: \"1.5\" is not 0 to 59");
  EXPECT_EQ(error("*-13-01"), "month: \"13\" is not 1 to 12");
  EXPECT_EQ(error("1969-01-01"), "year: \"1969\" is not 1970 to 2199");
  EXPECT_EQ(error("Mon..Foo"), "weekday: \"Mon..Foo\" is not Mon to Sun, or a range of these");
  EXPECT_EQ(error("Sat..Mon"), "weekday: \"Sat..Mon\" runs backwards");
  EXPECT_EQ(error("*-*-* 10:00 Mars/Olympus"),
            "\"Mars/Olympus\" is no time zone that this system knows");
  EXPECT_EQ(error("fortnightly"), "\"fortnightly\" is neither cron nor OnCalendar");
  EXPECT_EQ(error("*-02-31"), "date: \"*-02-31\" is impossible: no month has that day");
  EXPECT_EQ(error("2026-02-29"),
            "\"2026-02-29\" is impossible: there is no such day in the years 1970 to 2199");
  EXPECT_EQ(error("Mon 2026-05-05"),
            "\"Mon 2026-05-05\" is impossible: there is no such day in the years 1970 to 2199");
}

TEST(OnCalendar, HostileTextIsRefused) {
  for (auto text : {"*",
                    "-",
                    "~",
                    ":",
                    "::",
                    "1:2:3:4",
                    "*-*-*-*",
                    "*-*~",
                    "~1",
                    "Mon,",
                    ",Mon",
                    "Mon..",
                    "*-*-* *",
                    "10:00 10:00",
                    "10:00 *-*-*",
                    "UTC",
                    "Mon Tue",
                    "10:0/0",
                    "10:0/60",
                    "10:5..1",
                    "10:*..5",
                    "@1395716396",
                    "10:00 UTC UTC",
                    "1..2..3:00",
                    "*-*-32",
                    "*-*-0",
                    "*-*~32",
                    "12345-01-01",
                    "daily weekly",
                    "daily 10:00"})
    EXPECT_FALSE(Schedule::parse(text)) << text;
}

TEST(ScheduleNights, ASkippedTimeIsReachedWhenTheGapEnds) {
  EXPECT_EQ(moments("30 2 * * *", "2026-03-28T02:00:00Z", 2, "Europe/Stockholm"),
            (Moments{"2026-03-29 01:00:00", "2026-03-30 00:30:00"}));
  EXPECT_EQ(moments("*/20 2,3 * * *", "2026-03-29T00:00:00Z", 3, "Europe/Stockholm"),
            (Moments{"2026-03-29 01:00:00", "2026-03-29 01:20:00", "2026-03-29 01:40:00"}));
  EXPECT_EQ(moments("0 0 * * *", "2026-04-23T12:00:00Z", 1, "Africa/Cairo"),
            (Moments{"2026-04-23 22:00:00"}));  // the gap begins at midnight
  EXPECT_EQ(moments("15 2 * * *", "2026-10-03T00:00:00Z", 1, "Australia/Lord_Howe"),
            (Moments{"2026-10-03 15:30:00"}));  // half an hour
}

TEST(ScheduleNights, ATimeThatComesTwiceCountsOnce) {
  EXPECT_EQ(moments("30 2 * * *", "2026-10-24T23:00:00Z", 2, "Europe/Stockholm"),
            (Moments{"2026-10-25 00:30:00", "2026-10-26 01:30:00"}));
  EXPECT_EQ(moments("*/30 * * * *", "2026-10-24T23:45:00Z", 4, "Europe/Stockholm"),
            (Moments{"2026-10-25 00:00:00", "2026-10-25 00:30:00", "2026-10-25 02:00:00",
                     "2026-10-25 02:30:00"}));
}

TEST(ScheduleNights, ADayThatAZoneLeftOutIsReachedWithTheNextOne) {
  EXPECT_EQ(moments("0 12 * * *", "2011-12-29T22:30:00Z", 2, "Pacific/Apia"),
            (Moments{"2011-12-30 10:00:00", "2011-12-30 22:00:00"}));
}

TEST(Schedule, PreviousIsTheMirrorOfNext) {
  const Schedule s = schedule("30 2 * * *");
  const Zone stockholm = zone("Europe/Stockholm");
  EXPECT_EQ(s.previous(at("2026-03-29T01:00:00.5Z"), stockholm), at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(s.previous(at("2026-03-29T01:00:00Z"), stockholm), at("2026-03-28T01:30:00Z"));
  EXPECT_EQ(s.previous(at("2026-10-25T01:59:59Z"), stockholm), at("2026-10-25T00:30:00Z"));
  EXPECT_EQ(s.previous(at("1970-01-01T00:00:00Z"), Zone()), std::nullopt);
}

TEST(Schedule, AfterTheLastYearThereIsNothing) {
  EXPECT_EQ(schedule("0 0 1 1 *").next(at("2199-01-01T00:00:00Z"), Zone()), std::nullopt);
  EXPECT_EQ(schedule("*:*:*").next(at("2199-12-31T23:59:59Z"), Zone()), std::nullopt);
  EXPECT_EQ(schedule("2020-01-01").next(at("2026-01-01T00:00:00Z"), Zone()), std::nullopt);
}

}  // namespace
}  // namespace checkrelay
