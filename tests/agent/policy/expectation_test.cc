#include "agent/policy/expectation.h"

#include <gtest/gtest.h>

#include <string>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using Call = Reckoning::Call;

Wall at(std::string_view text) { return parse_rfc3339(text).value(); }
Second second(Wall t) {
  return static_cast<Second>(
      std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count());
}
Reading read(std::string_view text) { return {second(at(text)), second(at(text))}; }
Reading plus(Reading r, int more) {
  return {r.wall + static_cast<Second>(more), r.even + static_cast<Second>(more)};
}

Promise every(Duration d, Duration grace) {
  Promise p;
  p.every = d;
  p.grace = grace;
  return p;
}

Promise by(std::string_view schedule, Duration grace, std::string_view zone = "UTC") {
  Promise p;
  p.schedule = Schedule::parse(schedule).value();
  p.zone = Zone::find(zone).value();
  p.grace = grace;
  return p;
}

Reckoning judge(const Expectation& e, const Standing& s, const Reading& now) {
  return e.judge(s, now, 0, {});
}

TEST(Expectation, EveryIsOverdueTheSecondAfterItsGrace) {
  const Expectation e(every(10min, 1min));
  const Reading now = read("2026-05-01T12:00:00Z");
  Standing s;
  ASSERT_TRUE(e.report(s, Wall{}, {}, now));
  EXPECT_EQ(e.due(s, now), now.even + 600);
  EXPECT_EQ(judge(e, s, plus(now, 660)).state, FreshState::ok);
  EXPECT_EQ(judge(e, s, plus(now, 660)).look, now.even + 661);
  EXPECT_EQ(judge(e, s, plus(now, 661)).call, Call::tell);
}

TEST(Expectation, AReportForASlotMayComeEarly) {
  Promise p = by("0 3 * * *", 2h, "Europe/Stockholm");
  p.early = 10min;
  const Expectation e(p);
  Standing s;
  ASSERT_TRUE(e.report(s, at("2026-05-01T00:51:00Z"), {}, read("2026-05-01T00:51:00Z")));
  EXPECT_EQ(s.due, second(at("2026-05-02T01:00:00Z")));
  ASSERT_TRUE(e.report(s, at("2026-05-02T00:49:00Z"), {}, read("2026-05-02T00:49:00Z")));
  EXPECT_EQ(s.due, second(at("2026-05-02T01:00:00Z")));
}

TEST(Expectation, AReportAtTheSlotItselfIsForIt) {
  const Expectation e(by("0 3 * * *", 2h));
  Standing s;
  ASSERT_TRUE(e.report(s, at("2026-05-01T03:00:00Z"), {}, read("2026-05-01T03:00:00Z")));
  EXPECT_EQ(s.due, second(at("2026-05-02T03:00:00Z")));
}

TEST(Expectation, AWaitedForSubjectIsUnseenThenOverdue) {
  const Expectation e(every(1h, 5min));
  const Reading now = read("2026-05-01T12:00:00Z");
  Standing s;
  e.await(s, now);
  EXPECT_EQ(judge(e, s, plus(now, 3900)).state, FreshState::unseen);
  EXPECT_EQ(judge(e, s, plus(now, 3901)).call, Call::tell);
}

TEST(Expectation, AnOlderReportChangesNothing) {
  const Expectation e(every(1h, 5min));
  const Reading now = read("2026-05-01T12:00:00Z");
  Standing s;
  ASSERT_TRUE(e.report(s, Wall{}, {}, now));
  const Standing before = s;
  EXPECT_FALSE(e.report(s, at("2026-05-01T11:59:59Z"), 5min, plus(now, 60)));
  EXPECT_EQ(s, before);
}

TEST(Expectation, AReportFromTheFutureCountsAsMadeNow) {
  const Expectation e(every(1h, 5min));
  const Reading now = read("2026-05-01T12:00:00Z");
  Standing s;
  ASSERT_TRUE(e.report(s, at("2036-05-01T12:00:00Z"), {}, now));
  EXPECT_EQ(s.seen, now.wall);
  EXPECT_EQ(s.due, now.even + 3600);
}

TEST(Expectation, OldNewsIsJudgedAfterItHadTimeToSettle) {
  const Expectation e(every(10min, 1min));
  const Reading now = read("2026-05-01T12:00:00Z");
  Standing s;
  ASSERT_TRUE(e.report(s, at("2026-05-01T10:00:00Z"), {}, now));
  EXPECT_EQ(judge(e, s, now).call, Call::wait);
  EXPECT_EQ(judge(e, s, now).look, now.even + 60);
  EXPECT_EQ(judge(e, s, plus(now, 60)).call, Call::tell);
}

TEST(Expectation, ATtlStandsForThePromiseUntilAResultWithoutOne) {
  const Expectation e(every(24h, 1h)), none;
  const Reading now = read("2026-05-01T12:00:00Z");
  Standing s, bare;
  ASSERT_TRUE(e.report(s, Wall{}, 5min, now));
  ASSERT_TRUE(none.report(bare, Wall{}, 5min, now));
  EXPECT_EQ(judge(e, s, plus(now, 300)).call, Call::wait);
  EXPECT_EQ(judge(e, s, plus(now, 301)).call, Call::tell);
  EXPECT_EQ(judge(none, bare, plus(now, 301)).call, Call::tell);
  ASSERT_TRUE(e.report(s, Wall{}, {}, plus(now, 60)));
  ASSERT_TRUE(none.report(bare, Wall{}, {}, plus(now, 60)));
  EXPECT_EQ(judge(e, s, plus(now, 301)).state, FreshState::ok);
  EXPECT_EQ(judge(none, bare, plus(now, 301)).state, FreshState::none);
}

TEST(Expectation, ItIsToldOnceAndAgainEveryRepeat) {
  Promise p = every(10min, 1min);
  const Reading now = read("2026-05-01T12:00:00Z");
  Standing s;
  ASSERT_TRUE(Expectation(p).report(s, Wall{}, {}, now));
  s.told = now.even + 661;
  EXPECT_EQ(judge(Expectation(p), s, plus(now, 99999)).look, kNever);
  p.repeat = 1h;
  EXPECT_EQ(judge(Expectation(p), s, plus(now, 700)).look, now.even + 4261);
  EXPECT_EQ(judge(Expectation(p), s, plus(now, 4261)).call, Call::again);
}

TEST(Expectation, InAnOutageItIsQuietAndJudgedWhenThatHasEndedAndSettled) {
  const Expectation e(every(10min, 1min));
  const Reading now = read("2026-05-01T12:00:00Z");
  const Wall begin = at("2026-05-01T12:05:00Z"), end = at("2026-05-01T13:00:00Z");
  const OutageUntil outage = [&](Wall t) {
    return t >= begin && t <= end ? std::optional<Wall>(end) : std::nullopt;
  };
  Standing s;
  ASSERT_TRUE(e.report(s, Wall{}, {}, now));
  const Reckoning j = e.judge(s, plus(now, 661), 0, outage);
  EXPECT_EQ(j.state, FreshState::in_outage);
  EXPECT_EQ(j.look, now.even + 3661);
  EXPECT_EQ(e.judge(s, plus(now, 3660), 0, outage).state, FreshState::in_outage);
  EXPECT_EQ(e.judge(s, plus(now, 3661), 0, outage).call, Call::tell);
}

TEST(Expectation, NothingIsToldBeforeTheStartHasSettled) {
  const Reading now = read("2026-05-01T12:00:00Z");
  Promise p = every(10min, 2h);
  Standing s;
  ASSERT_TRUE(Expectation(p).report(s, at("2026-04-01T12:00:00Z"), {}, now));
  s.heard = 1;
  EXPECT_EQ(Expectation(p).judge(s, now, now.even, {}).look, now.even + 300);  // five minutes
  p.grace = 1min;
  EXPECT_EQ(Expectation(p).judge(s, now, now.even, {}).look, now.even + 60);
  p.grace = 0s;
  EXPECT_EQ(Expectation(p).judge(s, now, now.even, {}).look, now.even + 300);
  p.settle = 7s;
  EXPECT_EQ(Expectation(p).judge(s, now, now.even, {}).look, now.even + 7);
}

TEST(Expectation, ARunHasItsOwnLimit) {
  Promise p = every(1h, 5min);
  p.run_limit = 3h;
  const Expectation e(p);
  const Reading now = read("2026-05-01T12:00:00Z");
  Standing s;
  ASSERT_TRUE(e.report(s, Wall{}, {}, now));
  s.run = now.even + 60;
  EXPECT_EQ(judge(e, s, plus(now, 2 * 3600)).call, Call::wait);
  const Reckoning j = judge(e, s, plus(now, 3 * 3600 + 61));
  EXPECT_EQ(j.call, Call::tell);
  EXPECT_TRUE(j.run);
}

TEST(Expectation, AClockThatWasWrongByHoursMakesNoSlotLate) {
  const Expectation e(by("0 * * * *", 10min));
  Reading now = read("2026-05-01T12:00:30Z");
  Standing s;
  ASSERT_TRUE(e.report(s, Wall{}, {}, now));
  now.wall += 5 * 3600;  // it was five hours behind
  e.renew(s, now);
  EXPECT_EQ(s.due, second(at("2026-05-01T18:00:00Z")));
  now.wall -= 3 * 3600 + 1800;  // an hour and a half
  e.renew(s, now);
  EXPECT_EQ(s.due, second(at("2026-05-01T13:00:00Z")));
}

TEST(EvenClock, AJumpOfTheWallClockMovesTheShiftAlone) {
  EvenClock clock;
  Instant now{Steady(5s), at("2026-05-01T12:00:00Z")};
  EXPECT_FALSE(clock.read(now));
  const Second even = clock.now().even;
  now = {now.steady + 60s, now.wall + 60s + 1h};
  EXPECT_TRUE(clock.read(now));
  EXPECT_EQ(clock.now().even, even + 60);
  EXPECT_EQ(clock.shift(), 1h);
  now = {now.steady + 60s, now.wall + 60s - 2h};
  EXPECT_TRUE(clock.read(now));
  EXPECT_EQ(clock.now().even, even + 120);
  EXPECT_EQ(clock.shift(), -1h);
}

TEST(EvenClock, SlowDriftIsNoJumpUntilItIsLarge) {
  EvenClock clock;
  Instant now{Steady(5s), at("2026-05-01T12:00:00Z")};
  int jumps = 0;
  for (int i = 0; i < 100; ++i) {
    jumps += clock.read(now) ? 1 : 0;
    now = {now.steady + 60s, now.wall + 60s + 50ms};
  }
  EXPECT_EQ(jumps, 2);
}

TEST(EvenClock, ARestartNeverTurnsItBack) {
  const Wall before = at("2026-05-01T12:00:00Z");
  EvenClock clock(0s, second(before));
  EXPECT_FALSE(clock.read({Steady(1s), at("1970-01-01T00:00:10Z")}));  // no battery
  EXPECT_EQ(clock.now().even, second(before));
  EXPECT_TRUE(clock.read({Steady(31s), before + 10min}));
  EXPECT_EQ(clock.now().even, second(before) + 30);
}

TEST(PromiseFaults, EachIsNamed) {
  const Wall now = at("2026-05-01T12:00:00Z");
  auto fault = [&](const Promise& p) {
    auto checked = check(p, now);
    return checked ? std::string() : checked.error().what;
  };
  Promise both = by("0 3 * * *", 1h);
  both.every = 1h;
  Promise early = by("0 * * * *", 10min);
  early.early = 1h;
  Promise not_early = every(1h, 1min);
  not_early.early = 1min;
  EXPECT_EQ(fault(every(1h, 0s)), "");
  EXPECT_EQ(fault(by("0 3 * * *", 1h)), "");
  EXPECT_EQ(fault(Promise{}), "every or schedule is needed");
  EXPECT_EQ(fault(both), "every: there is a schedule already");
  EXPECT_EQ(fault(by("0 3 * * *", 0s)),
            "grace: with a schedule it is needed: no job ends as it starts");
  EXPECT_EQ(fault(by("2020-01-01", 1h)),
            "schedule: \"2020-01-01\" is over: nothing comes any more");
  EXPECT_EQ(fault(early), "early: 1h is not shorter than the time between two of \"0 * * * *\"");
  EXPECT_EQ(fault(not_early), "early: is for a schedule, not for every");
}

}  // namespace
}  // namespace checkrelay
