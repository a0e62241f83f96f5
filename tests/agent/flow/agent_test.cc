#include "agent_world.h"

namespace checkrelay {
namespace {

TEST_F(AgentTest, ResultsGoInAtADoorAndOutAtEveryDestination) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one"), to("two")})));
  EXPECT_TRUE(submit("/a", "db1", "r1")[0].ok);
  world.advance(1s);
  EXPECT_EQ(upstreams["one"].outputs(), (std::vector<std::string>{"r1"}));
  EXPECT_EQ(upstreams["two"].outputs(), (std::vector<std::string>{"r1"}));
}

TEST_F(AgentTest, RoutesChooseTheDestinations) {
  Config c = config({door("/a")}, {to("one"), to("two")});
  c.routes.push_back({"db*", "*", {"two"}});
  ASSERT_TRUE(agent->start(std::move(c)));
  EXPECT_TRUE(submit("/a", "db1", "r1")[0].ok);
  EXPECT_EQ(submit("/a", "web1", "r2")[0].code, Errc::refused);
  world.advance(1s);
  EXPECT_TRUE(upstreams["one"].sent.empty());
  EXPECT_EQ(upstreams["two"].sent.size(), 1U);
}

TEST_F(AgentTest, ADeadDestinationDelaysNoOther) {
  upstreams["one"].judge = Upstream::always(Judgement::transient);
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one"), to("two")})));
  for (int i = 0; i < 5; ++i) submit("/a", "db1", "r" + std::to_string(i));
  world.advance(1s);
  EXPECT_EQ(destination(agent->status(), "two")->lane.delivered, 5U);
  EXPECT_EQ(destination(agent->status(), "one")->state, "backoff");
  EXPECT_TRUE(destination(agent->status(), "one")->next_attempt);
}

TEST_F(AgentTest, ADoorThatCannotBeOpenedFailsTheStart) {
  auto ok = agent->start(config({door("/a"), door("/forbidden")}, {to("one")}));
  ASSERT_FALSE(ok);
  EXPECT_NE(ok.error().what.find("/forbidden: permission denied"), std::string::npos);
}

TEST_F(AgentTest, ADestinationThatCannotBeBuiltFailsTheStart) {
  DestinationConfig broken = to("one");
  broken.options.set("broken", true);
  EXPECT_FALSE(agent->start(config({door("/a")}, {broken})));
}

TEST_F(AgentTest, CountersTellAcceptedAndRefused) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  submit("/a", "db1", "r1");
  submit("/a", std::string(300, 'x'), "r2");
  Refusal refusals[2];
  doorways["/a"].receiver->refused(Peer{}, refusals);
  Status s = agent->status();
  ASSERT_EQ(s.intakes.size(), 1U);
  EXPECT_EQ(s.intakes[0].where, "/a");
  EXPECT_EQ(s.intakes[0].accepted, 1U);
  EXPECT_EQ(s.intakes[0].refused, 3U);
}

TEST_F(AgentTest, ADoorRefusesWhatNoneOfItsDialectsReads) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  std::string why;
  InboundContext c;
  EXPECT_NE(doorways["/a"].receiver->accept(Peer{}, c, why), nullptr);
  c.framing = Framing::datagram;
  EXPECT_EQ(doorways["/a"].receiver->accept(Peer{}, c, why), nullptr);
  EXPECT_FALSE(why.empty());
}

TEST_F(AgentTest, AReloadKeepsEqualDoorsAndDeliveries) {
  upstreams["one"].latency = 1h;
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  submit("/a", "db1", "r1");
  agent->reload(config({door("/a")}, {to("one")}));
  world.settle_down();
  EXPECT_EQ(doorways["/a"].opened, 1);
  EXPECT_FALSE(doorways["/a"].stopped);
  EXPECT_EQ(upstreams["one"].cancelled, 0U);
  EXPECT_EQ(upstreams["one"].open, 1U);
}

TEST_F(AgentTest, AChangedDestinationFinishesItsFlightBesideItsSuccessor) {
  upstreams["one"].latency = 10s;
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  submit("/a", "db1", "r1");
  DestinationConfig changed = to("one");
  changed.options.set("rate", 100.0);
  agent->reload(config({door("/a")}, {changed}));
  submit("/a", "db1", "r2");
  world.advance(9s);
  EXPECT_EQ(upstreams["one"].sent.size(), 1U) << "one subject, never two at once";
  world.advance(20s);
  EXPECT_EQ(upstreams["one"].outputs(), (std::vector<std::string>{"r1", "r2"}));
  EXPECT_EQ(upstreams["one"].cancelled, 0U);
  EXPECT_EQ(destination(agent->status(), "one")->lane.delivered, 2U);
}

TEST_F(AgentTest, APausedDestinationIsShownAsPausedAndStaysSoOverAReload) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one"), to("two")})));
  world.journal.pause(0, true, [](const Result<bool>&) {});
  world.settle_down();
  EXPECT_TRUE(submit("/a", "db1", "r1").at(0).ok);
  world.advance(1h);
  EXPECT_EQ(destination(agent->status(), "one")->state, "paused");
  EXPECT_EQ(destination(agent->status(), "two")->state, "ok");
  DestinationConfig changed = to("one");
  changed.options.set("rate", 100.0);
  agent->reload(config({door("/a")}, {changed, to("two")}));
  world.advance(1h);
  EXPECT_EQ(destination(agent->status(), "one")->state, "paused");
  EXPECT_TRUE(upstreams["one"].sent.empty());
  EXPECT_EQ(upstreams["two"].sent.size(), 1U);
}

TEST_F(AgentTest, DoorsThatAreGoneDrainBeforeTheyClose) {
  ASSERT_TRUE(agent->start(config({door("/a"), door("/b"), door("/c")}, {to("one")})));
  for (const char* path : {"/a", "/b"}) doorways[path].owes = true;
  agent->reload(config({door("/c")}, {to("one")}));
  world.settle_down();
  EXPECT_TRUE(doorways["/a"].stopped);
  EXPECT_TRUE(doorways["/a"].open);
  doorways["/a"].owes = false;
  agent->tick(world.now());
  EXPECT_FALSE(doorways["/a"].open);
  EXPECT_TRUE(doorways["/b"].open);
  doorways["/b"].owes = false;
  agent->tick(world.now());
  EXPECT_FALSE(doorways["/b"].open);
  EXPECT_FALSE(doorways["/c"].stopped);
}

TEST_F(AgentTest, AtAReloadADoorThatCannotBeOpenedStaysClosedAndTheRestIsTaken) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  agent->reload(config({door("/forbidden"), door("/b")}, {to("one"), to("two")}));
  world.settle_down();
  EXPECT_TRUE(doorways["/b"].open);
  submit("/b", "db1", "r1");
  world.advance(1s);
  EXPECT_EQ(upstreams["two"].sent.size(), 1U);
}

TEST_F(AgentTest, AReloadWithABrokenDestinationChangesNothing) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  DestinationConfig broken = to("two");
  broken.options.set("broken", true);
  agent->reload(config({door("/b")}, {broken}));
  world.settle_down();
  EXPECT_FALSE(doorways["/a"].stopped);
  EXPECT_EQ(doorways["/b"].opened, 0);
  ASSERT_EQ(world.journal.declared().size(), 1U);
  EXPECT_EQ(world.journal.declared()[0].first, "one");
  submit("/a", "db1", "r1");
  world.advance(1s);
  EXPECT_EQ(upstreams["one"].sent.size(), 1U);
}

TEST_F(AgentTest, AReloadThatTheJournalRefusesChangesNothing) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  world.journal.fail_lanes = Error{Errc::full, "no lane is left"};
  agent->reload(config({door("/b")}, {to("two")}));
  EXPECT_EQ(agent->config().destinations[0].name, "one");
  EXPECT_FALSE(doorways["/a"].stopped);
}

TEST_F(AgentTest, ARemovedDestinationsResultsAreKeptAndShown) {
  upstreams["one"].judge = Upstream::always(Judgement::transient);
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one"), to("two")})));
  submit("/a", "db1", "r1");
  world.advance(1s);
  agent->reload(config({door("/a")}, {to("two")}));
  world.advance(1h);
  Status s = agent->status();
  ASSERT_NE(destination(s, "one"), nullptr);
  EXPECT_EQ(destination(s, "one")->type, "removed");
  EXPECT_EQ(destination(s, "one")->lane.pending, 1U);
  upstreams["one"].judge = Upstream::always(Judgement::delivered);
  agent->reload(config({door("/a")}, {to("one"), to("two")}));
  world.advance(1h);
  EXPECT_EQ(destination(agent->status(), "one")->lane.delivered, 1U);
}

TEST_F(AgentTest, ARemovedDestinationIsShownWhileItsLastResultIsInFlight) {
  upstreams["one"].latency = 10s;
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one"), to("two")})));
  submit("/a", "db1", "r1");
  agent->reload(config({door("/a")}, {to("two")}));
  world.advance(1s);
  EXPECT_NE(destination(agent->status(), "one"), nullptr);
  world.advance(10s);
  EXPECT_EQ(destination(agent->status(), "one"), nullptr);
}

TEST_F(AgentTest, StoppingAwaitsWhatIsOwed) {
  upstreams["one"].latency = 10s;
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  submit("/a", "db1", "r1");
  submit("/a", "db2", "r2");
  doorways["/a"].owes = true;
  agent->stop();
  EXPECT_TRUE(doorways["/a"].stopped);
  EXPECT_FALSE(agent->stopped());
  world.advance(11s);
  EXPECT_FALSE(agent->stopped());
  doorways["/a"].owes = false;
  EXPECT_TRUE(agent->stopped());
  EXPECT_EQ(upstreams["one"].sent.size(), 1U);
  EXPECT_EQ(destination(agent->status(), "one")->lane.pending, 1U);
}

TEST_F(AgentTest, CancellingGivesUpWaiting) {
  upstreams["one"].latency = 1h;
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  submit("/a", "db1", "r1");
  agent->stop();
  EXPECT_FALSE(agent->stopped());
  agent->cancel();
  world.settle_down();
  EXPECT_TRUE(agent->stopped());
  EXPECT_EQ(world.journal.fate("r1", 0), "pending");
}

TEST_F(AgentTest, DestroyedMidFlightItPutsEverythingBack) {
  upstreams["one"].latency = 1h;
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  submit("/a", "db1", "r1");
  world.tick = [](Instant) {};
  world.after_poll = [] {};
  agent.reset();
  world.settle_down();
  EXPECT_EQ(world.journal.fate("r1", 0), "pending");
}

TEST_F(AgentTest, DoorsReadOnWhenTheJournalHasCaughtUp) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  world.journal.faked.staged = 17U << 20U;
  submit("/a", "db1", "r1");
  EXPECT_TRUE(doorways["/a"].receiver->congested());
  EXPECT_EQ(doorways["/a"].drained, 0);
  world.journal.faked.staged = 0;
  submit("/a", "db1", "r2");
  EXPECT_EQ(doorways["/a"].drained, 1);
}

TEST_F(AgentTest, AFullJournalIsTrouble) {
  ASSERT_TRUE(agent->start(config({door("/a")}, {to("one")})));
  EXPECT_EQ(agent->status().trouble, "");
  world.journal.faked.full = true;
  world.journal.poll(world.now());
  EXPECT_EQ(agent->status().trouble.substr(0, 4), "full");
}

TEST_F(AgentTest, ABacklogAtTheStartIsBegunSlowlyAndNotAtAReload) {
  DestinationConfig one = to("one");
  one.options.set("spread", Duration(30s));
  one.options.set("rate", 1.0);
  ASSERT_TRUE(agent->start(config({door("/a")}, {one})));
  for (int i = 0; i < 40; ++i) submit("/a", "host" + std::to_string(i), "r" + std::to_string(i));
  EXPECT_LE(upstreams["one"].sent.size(), 2U);
  one.options.set("rate", 0.0);
  upstreams["one"].latency = 100ms;
  agent->reload(config({door("/a")}, {one}));
  world.advance(1s);
  const std::size_t before = upstreams["one"].sent.size();
  EXPECT_GE(before, 8U);
  agent = std::make_unique<Agent>(registry, world.journal, loop, world.env);
  ASSERT_TRUE(agent->start(config({door("/a")}, {one})));
  world.advance(1s);
  EXPECT_LE(upstreams["one"].sent.size(), before + 4);
  world.advance(1min);
  EXPECT_EQ(destination(agent->status(), "one")->lane.delivered, 40U);
}

}  // namespace
}  // namespace checkrelay
