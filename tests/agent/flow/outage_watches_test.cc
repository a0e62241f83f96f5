#include "agent/flow/outage_watches.h"

#include <gtest/gtest.h>

#include "tests/agent/flow/outage_world.h"

namespace checkrelay {
namespace {

class Outages : public testing::Test {
 protected:
  Outages() {
    registry.dialects = {&dialect};
    registry.carriers.push_back(
        {Framing::http, {}, [this](const Options&, Loop&) -> Result<std::unique_ptr<Carrier>> {
           return std::make_unique<BriefCarrier>(world);
         }});
    world.env.kept_outages = [this] { return Result<std::string>(kept); };
    world.env.keep_outages = [this](std::string bytes) {
      kept = std::move(bytes);
      ++written;
    };
    world.tick = [this](Instant now) {
      if (watches) watches->tick(now);
    };
    world.deadline = [this](Instant) { return watches ? watches->deadline() : std::nullopt; };
    server.outages = {planned("1", now() - 1h, now() + 48h)};
  }

  Wall now() const { return world.now().wall; }
  void start(std::vector<OutagesConfig> configs = {source_config()}) {
    watches.reset();
    watches = std::make_unique<OutageWatches>(registry, loop, world.env);
    watches->load();
    configure(std::move(configs));
  }
  void configure(std::vector<OutagesConfig> configs) {
    auto fresh = watches->prepare(configs);
    ASSERT_TRUE(fresh) << fresh.error().what;
    watches->take(std::move(*fresh), configs);
  }
  void run(Duration d = 0s) {
    world.env.kick();
    world.advance(d);
    world.settle_down();
  }
  OutageEffect effect(const std::string& host = "db1") const {
    CheckResult r;
    r.subject.host = host;
    r.time = now();
    return rule_on(watches->books(), r, now()).effect;
  }
  bool marks() const { return effect() == OutageEffect::mark; }
  OutagesStatus status() const { return watches->status(now()).at(0); }

  Loop loop;
  World world;
  FakeServer server;
  FakeSourceDialect dialect{server};
  Registry registry;
  std::string kept;
  int written = 0;
  std::unique_ptr<OutageWatches> watches;
};

TEST_F(Outages, TheListIsKnownOnceItIsThere) {
  start();
  EXPECT_FALSE(marks());
  EXPECT_EQ(status().state, "new");
  run();
  EXPECT_TRUE(marks());
  const OutagesStatus s = status();
  EXPECT_EQ(s.state, "ok");
  EXPECT_EQ(s.fetched, now());
  EXPECT_EQ(s.outages, 1U);
  EXPECT_EQ(s.in_force, 1U);
  EXPECT_EQ(s.left_out, 0U);
}

TEST_F(Outages, AStartWhileTheSourceIsAwayKnowsTheLastListUntilItIsStale) {
  start();
  run(10min);
  server.away = true;
  world.advance(20min);
  start();
  EXPECT_TRUE(marks());
  run();
  EXPECT_EQ(status().state, "away");
  EXPECT_EQ(status().last_error, "nobody there");
  run(39min);
  EXPECT_TRUE(marks()) << "59 minutes since it was fetched";
  run(2min);
  EXPECT_FALSE(marks());
  EXPECT_EQ(status().state, "stale");
  EXPECT_EQ(status().outages, 0U);
  server.away = false;
  run(1min);
  EXPECT_TRUE(marks());
}

TEST_F(Outages, AListThatWasTooOldAtTheStartDoesNotCount) {
  start();
  run();
  server.away = true;
  world.jump_wall(1h);
  start();
  EXPECT_FALSE(marks());
  EXPECT_EQ(status().state, "stale");
}

TEST_F(Outages, AListFromTheFutureDoesNotCount) {
  start();
  run();
  server.away = true;
  world.jump_wall(-30min);
  start();
  EXPECT_FALSE(marks());
  world.jump_wall(26min);
  start();
  EXPECT_TRUE(marks()) << "clocks are mended by a little";
}

TEST_F(Outages, WhatIsDamagedOrNotOursCountsForNothing) {
  start();
  run();
  server.away = true;
  for (const std::string& bytes :
       {kept.substr(0, kept.size() - 1), std::string("[]"), kept + "x"}) {
    kept = bytes;
    start();
    EXPECT_FALSE(marks());
    EXPECT_EQ(status().state, "new");
  }
  world.env.kept_outages = [] {
    return Result<std::string>(fail(Errc::unavailable, "permission denied"));
  };
  start();
  EXPECT_FALSE(marks());
}

TEST_F(Outages, AListThatIsConfirmedIsWrittenNowAndThenOnly) {
  OutagesConfig config = source_config();
  config.options.set("max_stale", Duration(20h));
  start({config});
  run(1h);
  EXPECT_GE(server.asked, 60);
  EXPECT_EQ(written, 6) << "every hundredth of max_stale";
  server.outages.push_back(planned("2", now(), now() + 1h));
  run(1min);
  EXPECT_EQ(written, 7);
}

TEST_F(Outages, AnotherSourcesListIsNotTaken) {
  start();
  run();
  server.away = true;
  start({source_config("mark", "other")});
  EXPECT_FALSE(marks());
  start();
  EXPECT_FALSE(marks()) << "it left the configuration, and the kept ones";
}

TEST_F(Outages, AChangedSourceReadsTheLastListInItsNewWay) {
  start();
  run();
  server.away = true;
  configure({source_config("hold")});
  EXPECT_EQ(effect(), OutageEffect::hold);
  world.advance(30min);
  configure({source_config("mark")});
  EXPECT_EQ(effect(), OutageEffect::mark);
  run(31min);
  EXPECT_EQ(effect(), OutageEffect::pass) << "a reload makes no list younger";
}

TEST_F(Outages, AReloadThatFailsChangesNothing) {
  start();
  run();
  OutagesConfig broken = source_config("hold", "m");
  broken.options.set("broken", std::string("1"));
  EXPECT_FALSE(watches->prepare({source_config("hold"), broken}));
  EXPECT_TRUE(marks());
  configure({source_config()});
  EXPECT_EQ(server.asked, 1) << "what stands goes on";
}

TEST_F(Outages, SourcesComeAndGo) {
  start({});
  EXPECT_TRUE(watches->books().empty());
  configure({local_config(now(), now() + 1h, "hold")});
  EXPECT_EQ(effect(), OutageEffect::hold);
  configure({source_config(), local_config(now(), now() + 1h, "hold")});
  run();
  EXPECT_EQ(effect(), OutageEffect::hold);
  configure({source_config()});
  EXPECT_EQ(effect(), OutageEffect::mark);
  configure({});
  EXPECT_EQ(effect(), OutageEffect::pass);
  EXPECT_TRUE(watches->books().empty());
  EXPECT_FALSE(watches->deadline());
}

TEST_F(Outages, ASourceThatBecomesALocalOutageIsReadAnew) {
  start();
  run();
  OutagesConfig local = local_config(now(), now() + 1h);
  local.name = "n";
  local.options.set("nodes", std::vector<std::string>{"db2"});
  configure({local});
  EXPECT_EQ(effect("db1"), OutageEffect::pass);
  EXPECT_EQ(effect("db2"), OutageEffect::mark);
}

TEST_F(Outages, WhatIsOverIsForgottenAfterAWeek) {
  server.outages = {planned("old", now() - 1h, now() + 1h), planned("new", now(), now() + 9 * 24h)};
  start({source_config(), local_config(now(), now() + 1h)});
  run();
  EXPECT_EQ(watches->known(now()).size(), 3U);
  run(6 * 24h);
  EXPECT_EQ(watches->known(now()).size(), 3U) << "late results may lie in them";
  run(2 * 24h);
  ASSERT_EQ(watches->known(now()).size(), 1U);
  EXPECT_EQ(watches->known(now())[0].outage.id, "new");
}

TEST_F(Outages, WhatIsLeftOutIsCounted) {
  PlannedOutage bad = planned("2", now(), now() + 1h);
  bad.start = "soon";
  server.outages.push_back(bad);
  server.complaints = {"an outage is no object"};
  start();
  run();
  EXPECT_EQ(status().left_out, 2U);
  EXPECT_EQ(status().outages, 2U);
  EXPECT_EQ(status().in_force, 1U);
}

}  // namespace
}  // namespace checkrelay
