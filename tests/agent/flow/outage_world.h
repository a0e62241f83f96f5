// Sources of planned outages in virtual time: a list that a test changes, and how it is told.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/flow/outage_watches.h"
#include "agent/runtime/loop.h"
#include "tests/support/world.h"

namespace checkrelay {

using namespace std::chrono_literals;

struct FakeServer {
  std::vector<PlannedOutage> outages{};
  std::vector<std::string> complaints{};
  bool away = false;
  int asked = 0;
};

// Its conversations need no wire: they end as they begin.
class FakeSource : public OutageSource {
 public:
  explicit FakeSource(FakeServer& server) : server_(server) {}
  [[nodiscard]] std::unique_ptr<Conversation> fetch(std::shared_ptr<OutageList> list) override {
    return std::make_unique<Asking>(server_, std::move(list));
  }
  [[nodiscard]] Result<std::unique_ptr<Conversation>> command(
      std::span<const std::string>, std::shared_ptr<CommandReport>) override {
    return fail(Errc::invalid, "no commands");
  }

 private:
  class Asking : public Conversation {
   public:
    Asking(FakeServer& server, std::shared_ptr<OutageList> list)
        : server_(server), list_(std::move(list)) {}
    void start(Instant, Actions& out) override {
      ++server_.asked;
      Verdict& v = out.verdicts.emplace_back();
      v.judgement = server_.away ? Judgement::transient : Judgement::delivered;
      v.answer = server_.away ? "nobody there" : "";
      if (!server_.away) *list_ = {server_.outages, server_.complaints};
      out.close = true;
    }
    void receive(Message, Instant, Actions&) override {}
    void finish(Instant, Actions&) override {}
    void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

   private:
    FakeServer& server_;
    std::shared_ptr<OutageList> list_;
  };
  FakeServer& server_;
};

class FakeSourceDialect : public Dialect {
 public:
  explicit FakeSourceDialect(FakeServer& server) : server_(server) {}
  [[nodiscard]] std::string_view name() const override { return "nmis"; }
  [[nodiscard]] std::string_view summary() const override { return "a fake"; }
  [[nodiscard]] bool is_outage_source() const override { return true; }
  [[nodiscard]] Result<std::unique_ptr<OutageSource>> outage_source(
      const Options& o) const override {
    if (!o.text("broken").empty()) return fail(Errc::invalid, "broken");
    return std::make_unique<FakeSource>(server_);
  }

 private:
  FakeServer& server_;
};

class BriefCarrier : public Carrier {
 public:
  explicit BriefCarrier(World& world) : world_(world) {}
  void carry(std::unique_ptr<Conversation> conversation,
             std::function<void(std::vector<Verdict>)> done) override {
    Actions actions;
    conversation->start(world_.now(), actions);
    world_.env.defer([done = std::move(done), verdicts = actions.verdicts] { done(verdicts); });
  }
  void cancel() override {}

 private:
  World& world_;
};

inline PlannedOutage planned(const std::string& id, Wall start, Wall end,
                             const std::string& node = "db1") {
  auto seconds = [](Wall t) {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count());
  };
  PlannedOutage o;
  o.id = id;
  o.start = seconds(start);
  o.end = seconds(end);
  o.nodes = {node};
  return o;
}

inline OutagesConfig source_config(const std::string& effect = "mark",
                                   const std::string& name = "n") {
  OutagesConfig c;
  c.name = name;
  c.type = "nmis";
  c.options.set("effect", effect);
  c.options.set("service", std::string("{element}"));
  c.options.set("zone", std::string("UTC"));
  c.options.set("refresh", Duration(1min));
  c.options.set("max_stale", Duration(1h));
  return c;
}

inline OutagesConfig local_config(Wall start, Wall end, const std::string& effect = "mark") {
  OutagesConfig c = source_config(effect, "local");
  const PlannedOutage o = planned("", start, end);
  c.type = "local";
  c.options.set("nodes", o.nodes);
  c.options.set("start", o.start);
  c.options.set("end", o.end);
  c.options.set("frequency", std::string("once"));
  return c;
}

}  // namespace checkrelay
