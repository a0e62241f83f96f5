// One delivery in a world of its own, for the tests of deliveries.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/flow/delivery.h"
#include "agent/model/packed.h"
#include "tests/support/upstream.h"
#include "tests/support/world.h"

namespace checkrelay {

using namespace std::chrono_literals;

inline DestinationConfig destination(long long batch_max = 1, long long max_in_flight = 1,
                                     double rate = 0, Duration linger = {}) {
  DestinationConfig c;
  c.name = "central";
  c.type = "fake";
  c.options.set("retry_min", Duration(1s));
  c.options.set("retry_max", Duration(5min));
  c.options.set("unknown_object_retry", Duration(1h));
  c.options.set("batch_max", batch_max);
  c.options.set("max_in_flight", max_in_flight);
  c.options.set("rate", rate);
  c.options.set("batch_linger", linger);
  return c;
}

class DeliveryTest : public testing::Test {
 protected:
  void open(const DestinationConfig& config, LaneOptions lane = {},
            std::unique_ptr<Outbound> outbound = std::make_unique<ScriptedOutbound>()) {
    lane_ = world.journal.lanes({{config.name, lane}}).value().front();
    delivery = std::make_unique<Delivery>(config, lane_, std::move(outbound),
                                          std::make_unique<ScriptedCarrier>(world, upstream),
                                          world.journal, world.env, &outages);
    world.tick = [this](Instant now) {
      if (delivery) delivery->tick(now);
    };
    world.deadline = [this](Instant now) -> std::optional<Steady> {
      return delivery ? delivery->deadline(now) : std::nullopt;
    };
  }

  // The output doubles as the record's id.
  void put(const std::string& host, const std::string& output) {
    CheckResult r;
    r.subject.host = host;
    r.output = output;
    put_body(host, output, pack(r));
  }

  void put_body(const std::string& subject, const std::string& id, std::string body) {
    Record record;
    record.id = id;
    record.subject = subject;
    record.time = record.received = world.now().wall;
    record.lanes = LaneMask{1} << lane_;
    record.body = std::move(body);
    world.journal.stage({record}, [](const Result<std::vector<Stored>>&) {});
    world.settle_down();
  }

  void put_many(int n) {
    for (int i = 0; i < n; ++i) put("host" + std::to_string(i), "r" + std::to_string(i));
  }

  // As the operator does.
  void pause(bool paused) {
    world.journal.pause(lane_, paused, [this](const Result<bool>&) { world.env.kick(); });
    world.settle_down();
  }

  [[nodiscard]] std::string fate(const std::string& id) { return world.journal.fate(id, lane_); }
  [[nodiscard]] const LaneStats& lane() const { return world.journal.stats().lanes[lane_]; }

  World world;
  Upstream upstream;
  OutageBooks outages;
  std::unique_ptr<Delivery> delivery;
  LaneId lane_ = 0;
};

}  // namespace checkrelay
