#include <gtest/gtest.h>

#include <algorithm>

#include "agent/policy/schedule.h"
#include "tests/agent/policy/schedule_model.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

Zone zone(std::string_view name) { return Zone::find(name).value(); }
Wall at(std::string_view text) { return parse_rfc3339(text).value(); }

// Half an hour, midnight, both halves of the earth, and a zone that changes nothing.
constexpr std::string_view kZones[] = {"Europe/Stockholm",    "America/New_York",
                                       "Australia/Lord_Howe", "Africa/Cairo",
                                       "America/Santiago",    "Asia/Tokyo"};

std::vector<Wall> forwards(const Schedule& s, const Zone& z, const Watched& w) {
  std::vector<Wall> found;
  for (auto t = s.next(w.begin() - 1s, z); t && *t < w.end(); t = s.next(*t, z))
    found.push_back(*t);
  return found;
}

std::vector<Wall> backwards(const Schedule& s, const Zone& z, const Watched& w) {
  std::vector<Wall> found;
  for (auto t = s.previous(w.end(), z); t && *t >= w.begin(); t = s.previous(*t, z))
    found.push_back(*t);
  std::reverse(found.begin(), found.end());
  return found;
}

// From any moment, fractions of a second included.
void expect_from_anywhere(const Schedule& s, const Zone& z, const Watched& w,
                          const std::vector<Wall>& moments, std::mt19937& random) {
  std::uniform_int_distribution<Duration::rep> any(0, (w.end() - w.begin()).count());
  for (int i = 0; i < 10; ++i) {
    const Wall t = w.begin() + Duration(any(random));
    const auto after = std::upper_bound(moments.begin(), moments.end(), t);
    EXPECT_TRUE(after == moments.end() || s.next(t, z) == *after) << format_rfc3339(t);
    const auto before = std::lower_bound(moments.begin(), moments.end(), t);
    EXPECT_TRUE(before == moments.begin() || s.previous(t, z) == *std::prev(before))
        << format_rfc3339(t);
  }
}

void expect_same(const MadeUp& made_up, const Zone& z, const Watched& w, std::mt19937& random) {
  SCOPED_TRACE(made_up.text + " " + z.name() + " " + format_rfc3339(w.begin()));
  auto s = Schedule::parse(made_up.text);
  if (!s) {
    EXPECT_TRUE(s.error().what.find("impossible") != std::string::npos) << s.error().what;
    EXPECT_TRUE(w.moments(made_up).empty());
    return;
  }
  const std::vector<Wall> moments = w.moments(made_up);
  EXPECT_EQ(forwards(*s, z, w), moments);
  EXPECT_EQ(backwards(*s, z, w), moments);
  expect_from_anywhere(*s, z, w, moments, random);
}

TEST(ScheduleProperty, EveryNightOnWhichClocksChangeIsAsTheMinutesHaveIt) {
  std::mt19937 random(20261121);
  std::size_t nights = 0;
  for (std::string_view name : kZones) {
    const Zone z = zone(name);
    for (Wall change : changes(z, at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"))) {
      const Watched w(z, change - 30h, 60 * 60);
      for (int i = 0; i < 25; ++i) expect_same(made_up_cron(random), z, w, random);
      for (int i = 0; i < 25; ++i) expect_same(made_up_calendar(random), z, w, random);
      ++nights;
    }
  }
  EXPECT_EQ(nights, 10U);  // both nights in five zones
}

TEST(ScheduleProperty, EveryDayOfLeapYearsIsAsTheDaysHaveIt) {
  std::mt19937 random(29);
  for (int i = 0; i < 60; ++i) {
    MadeUp s = i % 2 ? made_up_cron(random) : made_up_calendar(random);
    SCOPED_TRACE(s.text);
    auto parsed = Schedule::parse(s.text);
    const auto time = std::chrono::hours(*s.hours.begin()) + 1min * *s.minutes.begin();
    for (auto from : {"2027-12-01T00:00:00Z", "2099-12-01T00:00:00Z"}) {
      const CivilDay first = std::chrono::floor<days>(Zone().civil(at(from)));
      for (CivilDay day = first; day < first + days(460); day += days(1)) {
        const Wall before = Zone().first(day) - 1s;
        const auto next = parsed ? parsed->next(before, Zone()) : std::nullopt;
        const bool comes = next && std::chrono::floor<days>(Zone().civil(*next)) == day;
        ASSERT_EQ(comes, s.on(day)) << format_rfc3339(before);
        ASSERT_TRUE(!comes || *next == Zone().first(day) + time) << format_rfc3339(before);
      }
    }
  }
}

TEST(ScheduleProperty, TheClockHasReachedWhatItHasShown) {
  for (std::string_view name : kZones) {
    const Zone z = zone(name);
    for (Wall change : changes(z, at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"))) {
      Wall newest = z.reached(z.civil(change) - 4h);
      for (Civil c = z.civil(change) - 4h; c < z.civil(change) + 4h; c += 7min) {
        EXPECT_LE(newest, z.reached(c));
        newest = z.reached(c);
        for (Duration d : {Duration(-1s), Duration(0), Duration(1s)})
          EXPECT_EQ(z.reached(c) <= newest + d, c <= z.shown(newest + d)) << format_rfc3339(newest);
      }
    }
  }
}

}  // namespace
}  // namespace checkrelay
