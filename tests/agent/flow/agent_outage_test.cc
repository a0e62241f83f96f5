// What planned outages do to an agent's results.
#include "tests/agent/flow/agent_world.h"
#include "tests/agent/flow/outage_world.h"

namespace checkrelay {
namespace {

using AgentOutages = AgentTest;

Config with(Config config, std::vector<OutagesConfig> outages) {
  config.outages = std::move(outages);
  return config;
}

TEST_F(AgentOutages, WhatIsHeldGoesAtOnceWhenItsOutageIsGone) {
  const Config plain = config({door("a")}, {to("x")});
  const Wall now = world.now().wall;
  const OutagesConfig db1 = local_config(now, now + 48h, "hold");
  ASSERT_TRUE(agent->start(with(plain, {db1})));
  submit("a", "db1", "1");
  submit("a", "db2", "2");
  world.advance(10s);
  EXPECT_EQ(upstreams["x"].outputs(), std::vector<std::string>{"2"});
  EXPECT_EQ(destination(agent->status(), "x")->lane.held, 1U);
  EXPECT_EQ(destination(agent->status(), "x")->state, "held");
  EXPECT_EQ(agent->status().outages.at(0).in_force, 1U);
  agent->reload(plain);
  world.advance(1s);
  EXPECT_EQ(upstreams["x"].outputs(), (std::vector<std::string>{"2", "1"}));
  EXPECT_EQ(destination(agent->status(), "x")->lane.held, 0U);
  EXPECT_EQ(destination(agent->status(), "x")->state, "ok");
}

TEST_F(AgentOutages, AReloadThatFailsLeavesTheOutagesAsTheyWere) {
  const Config plain = config({door("a")}, {to("x")});
  const Wall now = world.now().wall;
  const Config good = with(plain, {local_config(now, now + 48h, "hold")});
  ASSERT_TRUE(agent->start(good));
  submit("a", "db1", "1");
  world.journal.fail_lanes = Error{Errc::unavailable, "no"};
  agent->reload(plain);
  world.advance(2min);
  EXPECT_TRUE(upstreams["x"].outputs().empty());
  EXPECT_EQ(agent->status().outages.size(), 1U);
}

TEST_F(AgentOutages, AHoldThatEndsBringsTheResultWithinASecond) {
  const Wall now = world.now().wall;
  ASSERT_TRUE(
      agent->start(with(config({door("a")}, {to("x")}), {local_config(now, now + 90s, "hold")})));
  submit("a", "db1", "1");
  world.advance(89s);
  EXPECT_TRUE(upstreams["x"].outputs().empty());
  world.advance(3s);
  EXPECT_EQ(upstreams["x"].outputs(), std::vector<std::string>{"1"});
}

}  // namespace
}  // namespace checkrelay
