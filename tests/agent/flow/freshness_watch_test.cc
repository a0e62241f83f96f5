// Freshness in an agent whose journal fails, is full, or is left by a kill.
#include "tests/agent/flow/agent_world.h"
#include "tests/agent/flow/promises.h"

namespace checkrelay {
namespace {

constexpr std::string_view kPromise = R"(
[[freshness]]
host = "db*"
every = "10m"
grace = "1m"
settle = "1s"
)";
constexpr std::string_view kGroup = R"(
[[freshness]]
host = "db*"
every = "10m"
grace = "1m"
settle = "1s"
group = "site"
)";

class FreshnessFlow : public AgentTest {
 protected:
  void begin(std::string_view tables) {
    site_ = config({door("a")}, {to("x")});
    site_.freshness = promises(tables);
    ASSERT_TRUE(agent->start(site_));
  }
  void kill_and_start() {
    agent.reset();
    agent = std::make_unique<Agent>(registry, world.journal, loop, world.env);
    ASSERT_TRUE(agent->start(site_));
    world.settle_down();
  }
  // What freshness has told to `x`, "subject state" each.
  std::vector<std::string> said() {
    std::vector<std::string> out;
    for (const Upstream::Sent& sent : upstreams["x"].sent)
      for (const CheckResult& r : sent.batch)
        if (is_freshness_source(r.check_source))
          out.push_back(to_string(r.subject) + " " + std::to_string(r.state));
    return out;
  }
  [[nodiscard]] std::size_t overdue() const { return agent->status().freshness.overdue; }
  void fill() { world.journal.fail_stage = Error{Errc::full, "full"}; }
  void make_room() { world.journal.fail_stage.reset(); }

  using Said = std::vector<std::string>;
  Config site_;
};

TEST_F(FreshnessFlow, ARefusedResultIsNoReport) {
  begin(kPromise);
  submit("a", "db1", "1");
  world.advance(12min);
  EXPECT_EQ(said(), Said{"db1 1"});
  fill();
  EXPECT_FALSE(submit("a", "db1", "2").at(0).ok);
  EXPECT_EQ(overdue(), 1U);
  make_room();
  EXPECT_TRUE(submit("a", "db1", "3").at(0).ok);
  EXPECT_EQ(overdue(), 0U);
}

TEST_F(FreshnessFlow, TheSameResultOnceMoreIsNoReport) {
  begin(kPromise);
  submit("a", "db1", "1");
  world.advance(12min);
  EXPECT_TRUE(submit("a", "db1", "1").at(0).ok);
  EXPECT_EQ(overdue(), 1U);
  kill_and_start();
  EXPECT_EQ(overdue(), 1U);
}

TEST_F(FreshnessFlow, WhatCouldNotBeStoredIsToldOnceThereIsRoom) {
  begin(kPromise);
  submit("a", "db1", "1");
  fill();
  world.advance(1h);
  EXPECT_EQ(said(), Said{});
  make_room();
  world.advance(10s);
  EXPECT_EQ(said(), Said{"db1 1"});
  world.advance(1h);
  EXPECT_EQ(said(), Said{"db1 1"});
}

TEST_F(FreshnessFlow, AKillBeforeItWasStoredDoesNotForgetIt) {
  begin(kPromise);
  submit("a", "db1", "1");
  fill();
  world.advance(1h);
  make_room();
  kill_and_start();
  world.advance(1min);
  EXPECT_EQ(said(), Said{"db1 1"});
}

TEST_F(FreshnessFlow, AGroupThatCouldNotBeToldIsToldOnceThereIsRoom) {
  begin(kGroup);
  for (const char* host : {"db1", "db2", "db3"}) submit("a", host, host);
  fill();
  world.advance(1h);
  make_room();
  world.advance(2min);
  EXPECT_EQ(said(), Said{"edge1;site 2"});
}

TEST_F(FreshnessFlow, ThatAGroupIsHeardOutlivesAKillBetweenItsReportAndItsRecovery) {
  begin(kGroup);
  for (const char* host : {"db1", "db2", "db3"}) submit("a", host, host);
  world.advance(30min);
  ASSERT_EQ(said(), Said{"edge1;site 2"});
  world.advance(10s);
  world.tick = [](Instant) {};  // it is stored; what it means for the group is never told
  submit("a", "db2", "again");
  ASSERT_EQ(said().size(), 1U);
  kill_and_start();
  world.tick = [this](Instant now) { agent->tick(now); };
  world.advance(1min);
  EXPECT_EQ(said(), (Said{"edge1;site 2", "edge1;site 0", "db1 1", "db3 1"}));
}

TEST_F(FreshnessFlow, AStartIsNoResultAndItsRunIsWatchedOverAKill) {
  begin("[[freshness]]\nhost = \"db*\"\nevery = \"24h\"\nrun_limit = \"1h\"\nsettle = \"1s\"\n");
  Submission s;
  s.results.emplace_back().subject.host = "db1";
  s.results[0].id = "run-1";
  s.results[0].start = true;
  std::vector<Outcome> got;
  doorways["a"].receiver->submit(Peer{}, std::move(s), [&](auto o) { got = std::move(o); });
  world.settle_down();
  ASSERT_TRUE(got.at(0).ok);
  kill_and_start();
  world.advance(59min);
  EXPECT_TRUE(upstreams["x"].outputs().empty());
  world.advance(2min);
  EXPECT_EQ(said(), Said{"db1 1"});
}

}  // namespace
}  // namespace checkrelay
