// Local checks in an agent whose plugins are make-believe.
#include "agent/config/checks.h"

#include <deque>

#include "agent_world.h"

namespace checkrelay {
namespace {

class FakeChildren : public ChildRunner {
 public:
  struct Running {
    ChildCommand command{};
    Done done{};
  };
  void start(const ChildCommand& command, Done done) override {
    commands.push_back(command);
    running.push_back({command, std::move(done)});
  }
  void stop() override { stopped = true; }
  void kill() override { killed = true; }
  [[nodiscard]] bool idle() const override { return running.empty(); }
  // The oldest one ends.
  void end(ChildOutcome outcome) {
    Running r = std::move(running.front());
    running.pop_front();
    r.done(std::move(outcome));
  }
  void say(int code, std::string out) {
    ChildOutcome o;
    o.code = code;
    o.out = std::move(out);
    end(std::move(o));
  }

  std::vector<ChildCommand> commands;
  std::deque<Running> running;
  bool stopped = false, killed = false;
};

CheckConfig check(std::string service, Duration every = 60s) {
  CheckConfig c;
  c.host = "edge1";
  c.service = std::move(service);
  c.command = {"/plugins/" + c.service};
  c.options.set("every", every);
  c.options.set("spread", Duration(0s));
  c.options.set("timeout", Duration(30s));
  return c;
}

class ChecksTest : public AgentTest {
 protected:
  ChecksTest() {
    world.env.children = &children;
    agent = std::make_unique<Agent>(registry, world.journal, loop, world.env);
  }
  static Config with(std::vector<CheckConfig> checks, long long most = 64) {
    Config c = config({}, {to("one")});
    c.limits.set("max_concurrent_checks", most);
    c.checks = std::move(checks);
    return c;
  }
  void start(Config c) {
    auto ok = agent->start(std::move(c));
    ASSERT_TRUE(ok) << ok.error().what;
    world.settle_down();
  }
  std::vector<std::string> outputs() {
    world.advance(1s);
    return upstreams["one"].outputs();
  }
  ChecksStatus status() const { return agent->status().checks; }

  FakeChildren children;
};

TEST_F(ChecksTest, WhatAPluginSaysIsAResultLikeAnyOther) {
  start(with({check("Disk")}));
  ASSERT_EQ(children.running.size(), 1U);
  EXPECT_EQ(children.commands[0].arguments, std::vector<std::string>{"/plugins/Disk"});
  world.advance(5s);
  const Wall ended = world.now().wall;
  children.say(2, "full|used=99%\n");
  EXPECT_EQ(outputs(), std::vector<std::string>{"full"});
  const CheckResult& r = upstreams["one"].sent.at(0).batch.at(0);
  EXPECT_EQ(r.subject, (Subject{"edge1", "Disk"}));
  EXPECT_EQ(r.state, 2);
  EXPECT_EQ(r.perfdata, "used=99%");
  EXPECT_EQ(r.time, ended);
  EXPECT_EQ(r.check_source, "checkrelay check");
  EXPECT_EQ(r.ttl, 0s);
}

TEST_F(ChecksTest, AResultMayPromiseTheNext) {
  CheckConfig c = check("Disk");
  c.options.set("ttl", Duration(3min));
  start(with({c}));
  children.say(0, "fine");
  outputs();
  EXPECT_EQ(upstreams["one"].sent.at(0).batch.at(0).ttl, 3min);
}

TEST_F(ChecksTest, ItRunsAgainAndAgain) {
  start(with({check("Disk")}));
  for (int n = 0; n < 10; ++n) {
    ASSERT_EQ(children.running.size(), 1U) << n;
    children.say(0, std::to_string(n));
    world.advance(60s);
  }
  EXPECT_EQ(outputs().size(), 10U);
  EXPECT_EQ(status().runs, 11U);
  EXPECT_EQ(status().skipped, 0U);
}

TEST_F(ChecksTest, WhatStillRunsIsNotStartedAgain) {
  start(with({check("Disk")}));
  world.advance(5min);
  EXPECT_EQ(children.commands.size(), 1U);
  EXPECT_EQ(status().skipped, 5U);
  EXPECT_EQ(status().running, 1U);
  children.say(0, "at last");
  world.advance(60s);
  EXPECT_EQ(children.commands.size(), 2U);
}

TEST_F(ChecksTest, NoMoreThanMaxConcurrentRunAtOnce) {
  std::vector<CheckConfig> many;
  for (int n = 0; n < 20; ++n) many.push_back(check(std::to_string(n)));
  start(with(many, 3));
  EXPECT_EQ(children.running.size(), 3U);
  EXPECT_EQ(status().waiting, 17U);
  for (int n = 0; n < 20; ++n) {
    children.say(0, "x");
    world.settle_down();
  }
  EXPECT_EQ(children.commands.size(), 20U);
  EXPECT_EQ(status().configured, 20U);
}

TEST_F(ChecksTest, WhatHangsIsToldOnceAndBlocksItsCheckAlone) {
  start(with({check("Disk"), check("Load")}));
  ASSERT_EQ(children.running.size(), 2U);
  ChildOutcome o;
  o.end = ChildOutcome::End::hangs;
  o.timed_out = true;
  auto hanging = children.running.front();
  hanging.done(o);
  EXPECT_EQ(outputs().size(), 1U);
  children.running.pop_front();
  children.say(0, "fine");
  world.advance(2min);
  EXPECT_EQ(children.commands.size(), 3U) << "Load alone, which now is not over";
  o.end = ChildOutcome::End::signalled;
  hanging.done(o);
  EXPECT_EQ(outputs().size(), 2U) << "the end of what was told is no news";
  world.advance(60s);
  EXPECT_EQ(children.commands.size(), 4U);
}

TEST_F(ChecksTest, AReloadKeepsTheGridAndDropsWhatIsGone) {
  start(with({check("Disk"), check("Gone")}));
  world.advance(20s);
  agent->reload(with({check("New", 30s), check("Disk")}));
  world.settle_down();
  EXPECT_EQ(status().configured, 2U);
  EXPECT_EQ(children.running.size(), 3U);
  for (const char* out : {"disk", "gone", "new"}) children.say(0, out);
  EXPECT_EQ(outputs(), (std::vector<std::string>{"disk", "new"}));
  world.advance(38s);
  EXPECT_EQ(children.commands.size(), 4U) << "New, after 30 seconds";
  world.advance(1s);
  EXPECT_EQ(children.commands.size(), 5U) << "Disk, 60 seconds after its first run";
  EXPECT_EQ(children.commands.back().arguments[0], "/plugins/Disk");
}

TEST_F(ChecksTest, AUserThatTheAgentCannotBecomeFailsTheStart) {
  CheckConfig c = check("Disk");
  c.options.set("user", std::string("no-such-user"));
  auto ok = agent->start(with({c}));
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().what, "check edge1;Disk: user: no user is called \"no-such-user\"");
  EXPECT_TRUE(children.commands.empty());
}

TEST_F(ChecksTest, AReloadThatFailsChangesNothing) {
  start(with({check("Disk")}));
  CheckConfig bad = check("Bad");
  bad.options.set("user", std::string("no-such-user"));
  agent->reload(with({bad}));
  EXPECT_EQ(status().configured, 1U);
  children.say(0, "still");
  EXPECT_EQ(outputs(), std::vector<std::string>{"still"});
}

TEST_F(ChecksTest, AStopEndsWhatRunsAndMakesNoResultOfIt) {
  start(with({check("Disk")}));
  agent->stop();
  EXPECT_TRUE(children.stopped);
  EXPECT_FALSE(agent->stopped());
  EXPECT_FALSE(children.killed);
  agent->cancel();
  EXPECT_TRUE(children.killed);
  ChildOutcome o;
  o.end = ChildOutcome::End::signalled;
  o.code = 15;
  o.stopped = true;
  children.end(o);
  EXPECT_TRUE(agent->stopped());
  world.advance(5min);
  EXPECT_EQ(children.commands.size(), 1U);
  EXPECT_TRUE(upstreams["one"].sent.empty());
}

TEST_F(ChecksTest, WhereNothingRunsProgramsChecksAreRefused) {
  world.env.children = nullptr;
  agent = std::make_unique<Agent>(registry, world.journal, loop, world.env);
  EXPECT_FALSE(agent->start(with({check("Disk")})));
  EXPECT_TRUE(agent->start(with({})));
}

TEST_F(ChecksTest, ABadOutputIsMendedAndCounted) {
  start(with({check("Disk")}));
  children.say(0, "a\xff");
  EXPECT_EQ(outputs(), std::vector<std::string>{"a\xef\xbf\xbd"});
  EXPECT_EQ(agent->status().mended, 1U);
}

TEST_F(ChecksTest, AResultThatNoRouteTakesHarmsNobody) {
  Config c = with({check("Disk")});
  c.routes.push_back({"other", "*", {"one"}});
  start(std::move(c));
  children.say(0, "x");
  EXPECT_TRUE(outputs().empty());
  world.advance(60s);
  EXPECT_EQ(children.commands.size(), 2U);
}

}  // namespace
}  // namespace checkrelay
