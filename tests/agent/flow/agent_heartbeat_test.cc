#include <gmock/gmock.h>

#include "agent/flow/vitals.h"
#include "agent_world.h"

namespace checkrelay {
namespace {

using ::testing::HasSubstr;

class AgentHeartbeat : public AgentTest {
 protected:
  static Config beating(std::vector<DestinationConfig> to, Duration every = 1min) {
    Config c = config({door("/a")}, std::move(to));
    Options& o = c.heartbeat.emplace();
    o.set("service", std::string("checkrelay"));
    o.set("host", std::string("edge1"));
    o.set("every", every);
    o.set("warn_pending", 3LL);
    return c;
  }
  std::vector<CheckResult> beats(const std::string& name) {
    std::vector<CheckResult> out;
    for (const auto& s : upstreams[name].sent)
      for (const CheckResult& r : s.batch)
        if (r.subject.service == "checkrelay") out.push_back(r);
    return out;
  }
};

TEST_F(AgentHeartbeat, EveryDestinationGetsTheSameAtOnceAndThenEvenly) {
  ASSERT_TRUE(agent->start(beating({to("one"), to("two")})));
  world.env.kick();
  world.advance(1s);
  EXPECT_EQ(beats("one").size(), 1U);
  world.advance(1h);
  ASSERT_EQ(beats("one").size(), 61U);
  EXPECT_EQ(beats("one"), beats("two"));
  const CheckResult r = beats("one").back();
  EXPECT_EQ(to_string(r.subject), "edge1;checkrelay");
  EXPECT_EQ(r.check_source, "checkrelay");
  EXPECT_EQ(r.time - beats("one")[59].time, Duration(1min));
  EXPECT_EQ(destination(agent->status(), "one")->heartbeat->sent, 61U);
  EXPECT_EQ(destination(agent->status(), "one")->lane.delivered, 0U);
}

TEST_F(AgentHeartbeat, WithoutTheSectionThereIsNone) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  world.advance(1h);
  EXPECT_TRUE(upstreams["one"].sent.empty());
  EXPECT_FALSE(destination(agent->status(), "one")->heartbeat);
}

TEST_F(AgentHeartbeat, TellsOfTheDestinationThatIsInTrouble) {
  upstreams["two"].judge = Upstream::always(Judgement::transient, "connection refused");
  ASSERT_TRUE(agent->start(beating({to("one"), to("two")})));
  for (int i = 0; i < 5; ++i) submit("/a", "db" + std::to_string(i), "r" + std::to_string(i));
  world.advance(10min);
  const CheckResult r = beats("one").back();
  EXPECT_EQ(r.state, 1);
  EXPECT_THAT(r.output, HasSubstr("destination two: backoff for 9 min: connection refused"));
  EXPECT_THAT(r.perfdata, HasSubstr("pending=5;3;;0"));
  EXPECT_THAT(beats("one")[1].perfdata, HasSubstr("ingest_rate="));
  EXPECT_EQ(destination(agent->status(), "two")->heartbeat->sent, 0U);
  EXPECT_GT(destination(agent->status(), "two")->heartbeat->superseded, 7U);
}

TEST_F(AgentHeartbeat, GoesOutWithADiskThatIsInTrouble) {
  ASSERT_TRUE(agent->start(beating({to("one")})));
  world.env.kick();
  world.advance(1s);
  world.journal.fail_stage = Error{Errc::unavailable, "disk I/O error"};
  world.journal.faked.trouble = "disk I/O error";
  EXPECT_FALSE(submit("/a", "db1", "r1")[0].ok);
  world.journal.frozen = true;  // and answers nothing any more
  const std::size_t before = beats("one").size();
  world.advance(3min);
  ASSERT_EQ(beats("one").size(), before + 3);
  EXPECT_EQ(beats("one").back().state, 2);
  EXPECT_THAT(beats("one").back().output, HasSubstr("no results are taken: disk I/O error"));
  world.journal.frozen = false;
}

TEST_F(AgentHeartbeat, AReloadKeepsTheBeatAndANewDestinationNeedNotWait) {
  ASSERT_TRUE(agent->start(beating({to("one")}, 10min)));
  world.env.kick();
  world.advance(11min);
  const std::size_t before = beats("one").size();
  agent->reload(beating({to("one"), to("two")}, 10min));
  world.settle_down();
  EXPECT_EQ(beats("one").size(), before);
  EXPECT_EQ(beats("two"), (std::vector<CheckResult>{beats("one").back()}));
  world.advance(1h);
  EXPECT_EQ(beats("one").size(), before + 6);
  agent->reload(config({door("/a")}, {to("one"), to("two")}));
  world.advance(1h);
  EXPECT_EQ(beats("one").size(), before + 6);
  EXPECT_FALSE(destination(agent->status(), "one")->heartbeat);
  agent->reload(beating({to("one"), to("two")}, 10min));
  world.advance(1s);
  EXPECT_EQ(beats("one").size(), before + 7);
}

TEST_F(AgentHeartbeat, AStopSendsNoMore) {
  ASSERT_TRUE(agent->start(beating({to("one")})));
  world.env.kick();
  world.advance(1s);
  agent->stop();
  world.advance(1h);
  EXPECT_EQ(beats("one").size(), 1U);
  EXPECT_TRUE(agent->stopped());
}

DestinationStatus status_of(std::string state) {
  DestinationStatus d;
  d.name = "central";
  d.type = "op5";
  d.state = std::move(state);
  return d;
}

TEST(Vitals, AreOfAllDestinationsTogether) {
  Status s;
  s.now = Wall(1000s);
  s.accepted = 44;
  s.trouble = "full";
  for (std::uint64_t i = 1; i <= 2; ++i) {
    DestinationStatus d = status_of("ok");
    d.lane.pending = 10 * i;
    d.lane.in_flight = i;
    d.lane.dead = 100 * i;
    d.lane.delivered = 1000 * i;
    d.lane.oldest = Wall(1000s - 7s * i);
    s.destinations.push_back(d);
  }
  const Vitals v = vitals_of(s);
  EXPECT_EQ(v.pending, 33U);
  EXPECT_EQ(v.dead, 300U);
  EXPECT_EQ(v.delivered, 3000U);
  EXPECT_EQ(v.accepted, 44U);
  EXPECT_EQ(v.oldest, Duration(14s));
  EXPECT_EQ(v.journal_trouble, "full");
}

TEST(Vitals, WhatAPlannedOutageHoldsDoesNotGrowOld) {
  Status s;
  s.now = Wall(1000s);
  s.destinations.push_back(status_of("held"));
  DestinationStatus& d = s.destinations[0];
  d.lane.pending = d.lane.held = 3;
  d.lane.oldest = Wall(1s);
  EXPECT_FALSE(vitals_of(s).oldest);
  EXPECT_EQ(vitals_of(s).held, 3U);
  EXPECT_EQ(vitals_of(s).destinations[0].state, "ok");
  d.troubled = 20s;
  EXPECT_EQ(vitals_of(s).oldest, Duration(999s));
  EXPECT_EQ(vitals_of(s).destinations[0].state, "held");
}

TEST(Vitals, APauseLastsSinceItWasOrdered) {
  Status s;
  s.now = Wall(1000s);
  s.destinations.push_back(status_of("paused"));
  s.destinations[0].lane.paused = Wall(900s);
  s.destinations[0].last_error = "connection refused";  // long ago
  EXPECT_EQ(vitals_of(s).destinations[0].lasting, Duration(100s));
  EXPECT_EQ(vitals_of(s).destinations[0].answer, "by the operator");
}

TEST(Vitals, ADestinationThatWasRemovedIsCalledSo) {
  Status s;
  s.destinations.push_back(status_of("held"));
  s.destinations[0].type = "removed";
  EXPECT_EQ(vitals_of(s).destinations[0].state, "removed");
  EXPECT_FALSE(vitals_of(s).destinations[0].lasting);
}

}  // namespace
}  // namespace checkrelay
