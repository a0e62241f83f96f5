#include "agent/policy/heartbeat.h"

#include <gmock/gmock.h>

#include <map>

#include "agent/base/text.h"
#include "agent/model/perfdata.h"

namespace checkrelay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;

HeartbeatOptions options() {
  HeartbeatOptions o;
  o.subject = {"edge1", "checkrelay"};
  o.oldest = {15min, 4h};
  o.dead = {1, 0};
  o.trouble = {5min, 1h};
  o.journal = {800, 950};
  o.journal_most = 1000;
  return o;
}

Vitals::Destination in(std::string state, Duration lasting, std::string answer = "HTTP 500") {
  Vitals::Destination d;
  d.name = "central";
  d.will_not_heal = state == "auth" || state == "config";
  d.state = std::move(state);
  d.lasting = lasting;
  d.answer = std::move(answer);
  return d;
}

State state_of(const Vitals& v) { return heartbeat_result(options(), v, {}).state; }

Vitals with(Vitals::Destination d) {
  Vitals v;
  v.destinations.push_back(std::move(d));
  return v;
}

TEST(HeartbeatResult, SaysTheNumbers) {
  Vitals v;
  v.pending = 7;
  v.oldest = 35500ms;
  v.journal_bytes = 512;
  const CheckResult r = heartbeat_result(options(), v, {12.25, 0.5});
  EXPECT_EQ(to_string(r.subject), "edge1;checkrelay");
  EXPECT_EQ(r.state, 0);
  EXPECT_EQ(r.output,
            "checkrelay OK: 7 pending, 0 dead, 12.2/s in, 0.5/s out, journal " + format_size(512));
  EXPECT_EQ(r.perfdata,
            "pending=7;;;0 oldest_pending=35.500s;900;14400;0 dead=0;1;;0 ingest_rate=12.250;;;0 "
            "delivery_rate=0.500;;;0 journal_bytes=512B;800;950;0;1000");
  EXPECT_EQ(r.check_source, "checkrelay");
}

TEST(HeartbeatResult, PerfdataIsReadByTheGuidelines) {
  std::vector<std::string> unread;
  std::map<std::string, Metric> got;
  for (Metric& m : parse_perfdata(heartbeat_result(options(), {}, {}).perfdata, &unread))
    got[m.label] = m;
  EXPECT_TRUE(unread.empty());
  ASSERT_EQ(got.size(), 6U);
  EXPECT_EQ(got["oldest_pending"].unit, "s");
  EXPECT_EQ(got["oldest_pending"].value, 0);
  EXPECT_EQ(got["journal_bytes"].unit, "B");
  EXPECT_EQ(got["journal_bytes"].max, "1000");
  EXPECT_EQ(got["pending"].warn, "");
}

TEST(HeartbeatResult, ThresholdsBeginAtTheirValue) {
  Vitals v;
  v.oldest = 15min - 1us;
  EXPECT_EQ(state_of(v), 0);
  v.oldest = 15min;
  EXPECT_EQ(state_of(v), 1);
  v.oldest = 4h;
  EXPECT_EQ(state_of(v), 2);
  EXPECT_THAT(heartbeat_result(options(), v, {}).output,
              StartsWith("checkrelay CRITICAL: the oldest waits for 4 h - "));
  v.oldest.reset();
  v.dead = 1;
  EXPECT_EQ(state_of(v), 1);
  v.dead = 1'000'000;
  EXPECT_EQ(state_of(v), 1);
  v.dead = 0;
  v.journal_bytes = 950;
  EXPECT_EQ(state_of(v), 2);
}

TEST(HeartbeatResult, ZeroIsOff) {
  Vitals v;
  v.pending = v.dead = v.journal_bytes = 1'000'000;
  v.oldest = 100h;
  v.destinations.push_back(in("auth", 100h));
  HeartbeatOptions off;
  EXPECT_EQ(heartbeat_result(off, v, {}).state, 0);
  off.pending.crit = 5;
  EXPECT_EQ(heartbeat_result(off, v, {}).state, 2);
}

TEST(HeartbeatResult, AJournalThatTakesNothingIsCriticalWhateverTheThresholds) {
  Vitals v;
  v.journal_trouble = "full: the journal has reached limits.max_queue";
  const CheckResult r = heartbeat_result({}, v, {});
  EXPECT_EQ(r.state, 2);
  EXPECT_THAT(r.output, StartsWith("checkrelay CRITICAL: no results are taken: full: "));
}

TEST(HeartbeatResult, TroubleThatMayPassIsToldAtOnceAndWarnsLater) {
  EXPECT_EQ(state_of(with(in("backoff", 5min - 1s))), 0);
  EXPECT_THAT(heartbeat_result(options(), with(in("backoff", 4min)), {}).output,
              StartsWith("checkrelay OK: destination central: backoff for 4 min: HTTP 500 - 0 "));
  EXPECT_EQ(state_of(with(in("backoff", 5min))), 1);
  EXPECT_EQ(state_of(with(in("paused", 1h))), 2);
}

TEST(HeartbeatResult, TroubleThatNeedsSomebodyWarnsAtOnce) {
  EXPECT_EQ(state_of(with(in("auth", 0s))), 1);
  EXPECT_EQ(state_of(with(in("config", 59min))), 1);
  EXPECT_EQ(state_of(with(in("auth", 1h))), 2);
}

TEST(HeartbeatResult, WhatIsNoTroubleByItselfIsTold) {
  Vitals v = with(in("removed", 0s, "its results are kept"));
  v.destinations[0].lasting.reset();
  EXPECT_EQ(state_of(v), 0);
  EXPECT_THAT(heartbeat_result(options(), v, {}).output,
              HasSubstr("destination central: removed: its results are kept"));
}

TEST(HeartbeatResult, TheWorstIsSaidFirst) {
  Vitals v = with(in("backoff", 10min));
  v.dead = 3;
  v.journal_bytes = 960;
  EXPECT_THAT(heartbeat_result(options(), v, {}).output,
              StartsWith("checkrelay CRITICAL: the journal grows full - destination central: "));
}

TEST(HeartbeatResult, ForeignWordsStayOnOneLineAndMakeNoPerfdata) {
  const CheckResult r = heartbeat_result(
      options(), with(in("backoff", 1s, "a|b\nc\x01\xff" + std::string(100'000, 'x'))), {});
  EXPECT_THAT(r.output, HasSubstr("a/b c "));
  EXPECT_THAT(r.output, Not(HasSubstr("|")));
  EXPECT_THAT(r.output, Not(HasSubstr("\n")));
  EXPECT_LT(r.output.size(), 400U);
  EXPECT_TRUE(validate(r));
}

TEST(HeartbeatResult, ManyDestinationsAreCut) {
  Vitals v;
  for (int i = 0; i < 64; ++i) v.destinations.push_back(in("backoff", 1s));
  v.destinations.push_back(in("auth", 2h));
  const std::string output = heartbeat_result(options(), v, {}).output;
  EXPECT_THAT(output, StartsWith("checkrelay CRITICAL: destination central: auth for 2 h"));
  EXPECT_THAT(output, HasSubstr("60 more destinations in trouble"));
  EXPECT_LT(output.size(), 1000U);
}

TEST(HeartbeatResult, WhatPlannedOutagesHoldIsToldAndIsNoTrouble) {
  Vitals v;
  v.pending = v.held = 9;
  const CheckResult r = heartbeat_result(options(), v, {});
  EXPECT_EQ(r.state, 0);
  EXPECT_THAT(r.output, HasSubstr("9 pending (planned outages hold 9)"));
}

class HeartbeatBeat : public testing::Test {
 protected:
  Instant now_{Steady(1000s), Wall(1'700'000'007s)};
  void pass(Duration d) {
    now_.steady += d;
    now_.wall += d;
  }
};

TEST_F(HeartbeatBeat, FirstOneComesAtOnceAndTheOthersOnAGridThatDoesNotDrift) {
  Heartbeat h(options(), 1, now_);
  EXPECT_EQ(h.due(), now_.steady);
  EXPECT_FALSE(h.last());
  h.beat({}, now_);
  const Steady grid = h.due();
  EXPECT_GT(grid, now_.steady);
  EXPECT_LE(grid, now_.steady + 60s);
  for (int i = 1; i < 1000; ++i) {
    pass(h.due() - now_.steady + 777ms);  // always late
    h.beat({}, now_);
    EXPECT_EQ(h.due(), grid + i * 60s);
  }
}

TEST_F(HeartbeatBeat, MissedOnesAreNotMadeUpFor) {
  Heartbeat h(options(), 1, now_);
  h.beat({}, now_);
  const Steady grid = h.due();
  pass(grid - now_.steady + 10min + 1s);
  h.beat({}, now_);
  EXPECT_EQ(h.due(), grid + 11min);
}

TEST_F(HeartbeatBeat, AWallClockThatJumpsMovesNothing) {
  Heartbeat h(options(), 1, now_);
  h.beat({}, now_);
  const Steady grid = h.due();
  now_.wall -= 24h;
  pass(grid - now_.steady);
  h.beat({}, now_);
  EXPECT_EQ(h.due(), grid + 60s);
}

TEST_F(HeartbeatBeat, HostsAreSpreadAndEachKeepsItsPlaceOverARestart) {
  std::map<Steady, int> places;
  for (int i = 0; i < 100; ++i) {
    HeartbeatOptions o = options();
    o.subject.host = "edge" + std::to_string(i);
    Heartbeat h(o, 1, now_);
    h.beat({}, now_);
    ++places[h.due()];
    Instant later{now_.steady + 13s, now_.wall + 13s};
    Heartbeat again(o, 2, later);
    again.beat({}, later);
    EXPECT_EQ((again.due() - h.due()) % Duration(60s), Duration{});
  }
  EXPECT_GT(places.size(), 95U);
}

TEST_F(HeartbeatBeat, RatesAreThoseSinceTheBeatBefore) {
  Heartbeat h(options(), 1, now_);
  Vitals v;
  v.accepted = 500;
  v.delivered = 1'000'000;  // of former lives
  EXPECT_THAT(h.beat(v, now_).perfdata, HasSubstr("ingest_rate=0.000;;;0 delivery_rate=0.000"));
  pass(20s);
  v.accepted += 100;
  v.delivered += 10;
  EXPECT_THAT(h.beat(v, now_).perfdata, HasSubstr("ingest_rate=5.000;;;0 delivery_rate=0.500"));
  pass(20s);
  v.accepted = 3;  // a counter that began anew
  EXPECT_THAT(h.beat(v, now_).perfdata, HasSubstr("ingest_rate=0.000;;;0 delivery_rate=0.000"));
  EXPECT_THAT(h.beat(v, now_).perfdata, HasSubstr("ingest_rate=0.000"));  // no time has passed
}

TEST_F(HeartbeatBeat, EachIsTheResultOfItsMoment) {
  Heartbeat h(options(), 1, now_);
  const CheckResult first = h.beat({}, now_);
  pass(60s);
  const CheckResult second = h.beat({}, now_);
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(second.time, now_.wall);
  EXPECT_EQ(h.last()->id, second.id);
  EXPECT_TRUE(validate(first));
}

TEST_F(HeartbeatBeat, AChangeKeepsTheBeatWhereTheBeatIsTheSame) {
  Heartbeat h(options(), 1, now_);
  h.beat({}, now_);
  const Steady due = h.due();
  pass(5s);
  HeartbeatOptions o = options();
  o.pending.warn = 1;
  h.change(o, now_);
  EXPECT_EQ(h.due(), due);
  Vitals v;
  v.pending = 1;
  EXPECT_EQ(h.beat(v, now_).state, 1);
  o.every = 7s;
  h.change(o, now_);
  EXPECT_GT(h.due(), now_.steady);
  EXPECT_LE(h.due(), now_.steady + 7s);
}

}  // namespace
}  // namespace checkrelay
