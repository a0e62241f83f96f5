// An agent in a world of its own: one kind of intake, one dialect, as many upstreams as are named.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "agent/flow/agent.h"
#include "agent/runtime/loop.h"
#include "tests/support/fake_dialect.h"
#include "tests/support/upstream.h"
#include "tests/support/world.h"

namespace checkrelay {

using namespace std::chrono_literals;

struct FakeDoorway {
  Receiver* receiver = nullptr;
  bool open = false, stopped = false, owes = false;
  int opened = 0, drained = 0;
};

class FakeListener : public Listener {
 public:
  FakeListener(std::string path, FakeDoorway& way, Receiver& receiver)
      : path_(std::move(path)), way_(way), receiver_(receiver) {
    way_.receiver = &receiver;
    way_.open = true;
    way_.stopped = false;
    ++way_.opened;
  }
  ~FakeListener() override {
    (void)receiver_.congested();  // the receiver outlives its listener
    if (way_.receiver == &receiver_) way_.open = false;
  }
  [[nodiscard]] std::string where() const override { return path_; }
  void drained() override { ++way_.drained; }
  void stop() override { way_.stopped = true; }
  [[nodiscard]] bool idle() const override { return !way_.owes; }

 private:
  std::string path_;
  FakeDoorway& way_;
  Receiver& receiver_;
};

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    registry.dialects = {&dialect};
    registry.intakes.push_back(
        {"fake", "", {}, [this](const Options& o, const Options&, Loop&, Receiver& r) {
           return open_door(o, r);
         }});
    registry.carriers.push_back(
        {Framing::http, {}, [this](const Options& o, Loop&) {
           return Result<std::unique_ptr<Carrier>>(
               std::make_unique<ScriptedCarrier>(world, upstreams[o.text("to")]));
         }});
    agent = std::make_unique<Agent>(registry, world.journal, loop, world.env);
    world.tick = [this](Instant now) { agent->tick(now); };
    world.after_poll = [this] { agent->journal_polled(); };
    world.deadline = [this](Instant now) { return agent->deadline(now); };
  }

  Result<std::unique_ptr<Listener>> open_door(const Options& o, Receiver& r) {
    std::string path = o.text("path");
    if (path.find("forbidden") != std::string::npos)
      return fail(Errc::refused, path + ": permission denied");
    return std::make_unique<FakeListener>(path, doorways[path], r);
  }

  static IntakeConfig door(std::string path) {
    IntakeConfig c;
    c.type = "fake";
    c.dialects = {"fake"};
    c.options.set("path", std::move(path));
    return c;
  }
  static DestinationConfig to(std::string name) {
    DestinationConfig c;
    c.name = name;
    c.type = "fake";
    c.options.set("to", std::move(name));
    c.options.set("retry_min", Duration(1s));
    c.options.set("retry_max", Duration(1min));
    return c;
  }
  static Config config(std::vector<IntakeConfig> doors, std::vector<DestinationConfig> to) {
    Config c;
    c.agent.set("hostname", std::string("edge1"));
    c.limits.set("max_result", 65536LL);
    c.intakes = std::move(doors);
    c.destinations = std::move(to);
    return c;
  }

  std::vector<Outcome> submit(const std::string& path, const std::string& host,
                              const std::string& id) {
    Submission s;
    s.results.emplace_back().subject.host = host;
    s.results[0].id = id;
    s.results[0].output = id;
    std::vector<Outcome> got;
    doorways[path].receiver->submit(Peer{}, std::move(s), [&](auto o) { got = std::move(o); });
    world.settle_down();
    return got;
  }
  const DestinationStatus* destination(const Status& s, const std::string& name) {
    for (const DestinationStatus& d : s.destinations)
      if (d.name == name) return &d;
    return nullptr;
  }

  Loop loop;
  World world;
  FakeDialect dialect;
  Registry registry;
  std::map<std::string, Upstream> upstreams;
  std::map<std::string, FakeDoorway> doorways;
  std::unique_ptr<Agent> agent;
};

}  // namespace checkrelay
