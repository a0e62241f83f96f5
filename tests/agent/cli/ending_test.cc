#include "agent/cli/ending.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "agent/model/perfdata.h"

namespace checkrelay {
namespace {

using Kind = Ending::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr State kOk = 0;
constexpr State kWarning = 1;
constexpr State kCritical = 2;
constexpr State kUnknown = 3;

Ending ended(Kind kind, int code = 0) {
  Ending e;
  e.kind = kind;
  e.code = code;
  e.why = "some reason";
  return e;
}

Ending exited(int code, Duration wall = seconds(1)) {
  Ending e = ended(Kind::exited, code);
  e.wall = wall;
  return e;
}

StateMap map(std::string_view text) {
  auto out = StateMap::parse(text);
  EXPECT_TRUE(out) << text << ": " << out.error().what;
  return out.value_or(StateMap());
}

std::string fault(std::string_view text) {
  auto out = StateMap::parse(text);
  return out ? "" : out.error().what;
}

TEST(Ending, TheExitStatusSaysHowItEnded) {
  EXPECT_EQ(exit_status(exited(0)), 0);
  EXPECT_EQ(exit_status(exited(255)), 255);
  EXPECT_EQ(exit_status(ended(Kind::killed, SIGKILL)), 137);
  EXPECT_EQ(exit_status(ended(Kind::timed_out, SIGTERM)), 124);
  EXPECT_EQ(exit_status(ended(Kind::not_found)), 127);
  EXPECT_EQ(exit_status(ended(Kind::not_runnable)), 126);
  EXPECT_EQ(exit_status(ended(Kind::locked)), 75);
}

TEST(StateMap, WithoutEntriesOnlyExit0IsOk) {
  StateMap none;
  EXPECT_EQ(none.state_of(exited(0)), kOk);
  EXPECT_EQ(none.state_of(exited(1)), kCritical);
  for (Kind kind :
       {Kind::killed, Kind::timed_out, Kind::not_found, Kind::not_runnable, Kind::locked})
    EXPECT_EQ(none.state_of(ended(kind, kind == Kind::killed ? SIGTERM : 0)), kCritical);
}

TEST(StateMap, StatusesAndRangesOfThem) {
  StateMap m = map("1=WARNING,2-9=critical, 10-20 = 3");
  EXPECT_EQ(m.state_of(exited(0)), kOk);
  EXPECT_EQ(m.state_of(exited(1)), kWarning);
  EXPECT_EQ(m.state_of(exited(2)), kCritical);
  EXPECT_EQ(m.state_of(exited(9)), kCritical);
  EXPECT_EQ(m.state_of(exited(10)), kUnknown);
  EXPECT_EQ(m.state_of(exited(20)), kUnknown);
  EXPECT_EQ(m.state_of(exited(21)), kCritical);
  EXPECT_EQ(map("0=WARNING").state_of(exited(0)), kWarning);
}

TEST(StateMap, SignalsByNameOrAll) {
  StateMap m = map("SIGTERM=OK,signal=UNKNOWN");
  EXPECT_EQ(m.state_of(ended(Kind::killed, SIGTERM)), kOk);
  EXPECT_EQ(m.state_of(ended(Kind::killed, SIGKILL)), kUnknown);
  EXPECT_EQ(m.state_of(exited(128 + SIGKILL)), kCritical) << "a shell's word is an exit status";
  EXPECT_EQ(map("sigkill=1").state_of(ended(Kind::killed, SIGKILL)), kWarning);
  EXPECT_EQ(map("signal=1").state_of(ended(Kind::timed_out, SIGTERM)), kCritical);
}

TEST(StateMap, WhatIsNoExitOfTheCommandHasNames) {
  StateMap m = map("timeout=WARNING,locked=OK,127=UNKNOWN");
  EXPECT_EQ(m.state_of(ended(Kind::timed_out, SIGTERM)), kWarning);
  EXPECT_EQ(m.state_of(exited(124)), kCritical);
  EXPECT_EQ(m.state_of(ended(Kind::locked)), kOk);
  EXPECT_EQ(m.state_of(ended(Kind::not_found)), kUnknown);
  EXPECT_EQ(m.state_of(ended(Kind::not_runnable)), kCritical);
}

TEST(StateMap, TheFirstThatFitsCounts) {
  StateMap m = map("3=OK,1-5=WARNING,3=CRITICAL");
  EXPECT_EQ(m.state_of(exited(3)), kOk);
  EXPECT_EQ(m.state_of(exited(4)), kWarning);
}

TEST(StateMap, AStarIsTheRestWhereverItStands) {
  StateMap m = map("*=UNKNOWN,1=WARNING");
  EXPECT_EQ(m.state_of(exited(0)), kOk);
  EXPECT_EQ(m.state_of(exited(1)), kWarning);
  EXPECT_EQ(m.state_of(exited(2)), kUnknown);
  EXPECT_EQ(m.state_of(ended(Kind::killed, SIGTERM)), kUnknown);
  EXPECT_EQ(m.state_of(ended(Kind::locked)), kUnknown);
}

TEST(StateMap, FaultsAreNamedWithTheirFragment) {
  for (const char* text :
       {"", "1", "1=", "=OK", "256=OK", "-1=OK", "5-2=OK", "1-=OK", "1=FINE", "1=UP", "SIGNOPE=OK",
        "1=OK,,2=OK", "1=OK,", "1=4", "signals=OK", "1.5=OK"})
    EXPECT_NE(fault(text), "") << text;
  EXPECT_NE(fault("1=OK,7x=OK").find("\"7x\""), std::string::npos);
  EXPECT_NE(fault("1=FINE").find("\"FINE\""), std::string::npos);
}

TEST(Judge, LongRunsAreWorseThanTheirExitStatus) {
  RunLimits limits;
  limits.warn_after = seconds(10);
  limits.crit_after = seconds(20);
  StateMap m = map("3=UNKNOWN");
  EXPECT_EQ(judge(exited(0, seconds(10)), m, limits), kOk);
  EXPECT_EQ(judge(exited(0, milliseconds(10001)), m, limits), kWarning);
  EXPECT_EQ(judge(exited(0, seconds(21)), m, limits), kCritical);
  EXPECT_EQ(judge(exited(1, seconds(11)), m, limits), kCritical);
  EXPECT_EQ(judge(exited(3, seconds(11)), m, limits), kUnknown) << "never better";
}

TEST(FirstLine, SaysHowItEnded) {
  RunLimits none;
  EXPECT_EQ(first_line(exited(3, milliseconds(12340)), none), "exit 3 after 12.3 s");
  EXPECT_EQ(first_line(exited(0, milliseconds(7)), none), "exit 0 after 0.01 s");
  EXPECT_EQ(first_line(exited(0, std::chrono::hours(2)), none), "exit 0 after 7200 s");
  EXPECT_EQ(first_line(ended(Kind::killed, SIGKILL), none), "signal 9 (KILL) after 0.00 s");
  EXPECT_EQ(first_line(ended(Kind::timed_out, SIGTERM), none),
            "timeout, ended by signal 15 (TERM) after 0.00 s");
  EXPECT_EQ(first_line(ended(Kind::timed_out), none), "timeout after 0.00 s");
  EXPECT_EQ(first_line(ended(Kind::not_found), none), "exit 127, not started: some reason");
  EXPECT_EQ(first_line(ended(Kind::locked), none), "exit 75, not started: some reason");
}

TEST(FirstLine, TellsTriesAndWhatTookTooLong) {
  RunLimits limits;
  limits.warn_after = seconds(60);
  Ending e = exited(0, seconds(75));
  e.tries = 3;
  EXPECT_EQ(first_line(e, limits), "exit 0 after 75.0 s, 3 tries, longer than 1m");
  limits.crit_after = seconds(70);
  EXPECT_EQ(first_line(e, limits), "exit 0 after 75.0 s, 3 tries, longer than 1m10s");
}

TEST(Perfdata, HasTimeProcessorAndMemory) {
  Ending e = exited(0, milliseconds(12345));
  e.cpu = milliseconds(1500);
  e.rss = 4096000;
  EXPECT_EQ(perfdata_of(e, {}), "time=12.345s cpu=1.500s rss=4096000B");
  EXPECT_EQ(perfdata_of(ended(Kind::not_found), {}), "");
  EXPECT_EQ(perfdata_of(ended(Kind::locked), {}), "");
}

TEST(Perfdata, LimitsAreThoseOfTime) {
  RunLimits limits;
  limits.crit_after = seconds(90);
  EXPECT_EQ(perfdata_of(exited(0), limits), "time=1.000s;;90 cpu=0.000s rss=0B");
  limits.warn_after = milliseconds(1500);
  auto metrics = parse_perfdata(perfdata_of(exited(0), limits));
  ASSERT_EQ(metrics.size(), 3U);
  EXPECT_EQ(metrics[0].label, "time");
  EXPECT_EQ(metrics[0].warn, "1.5");
  EXPECT_EQ(metrics[0].crit, "90");
  EXPECT_EQ(metrics[2].unit, "B");
}

}  // namespace
}  // namespace checkrelay
