// An engine of freshness in virtual time: reports, time that passes, restarts; and what it tells.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/policy/freshness.h"

namespace checkrelay {

using namespace std::chrono_literals;
using Kind = FreshnessNews::Kind;

inline FreshnessEntry entry(std::string host, std::string service, Duration every, Duration grace) {
  FreshnessEntry e;
  e.host = std::move(host);
  e.service = std::move(service);
  e.promise.every = every;
  e.promise.grace = grace;
  return e;
}

// An engine, and a clock that goes when told to.
class Site {
 public:
  explicit Site(std::vector<FreshnessEntry> entries) : entries_(std::move(entries)) { boot({}); }

  std::optional<FreshnessChange> report(std::string_view host, std::string_view service,
                                        Duration ttl = {}, std::string_view run = {}) {
    return engine_->report({host, service, {}, ttl, run}, now);
  }
  std::optional<FreshnessChange> begin(std::string_view host, std::string_view service,
                                       std::string_view run) {
    return engine_->begin_run({host, service, {}, {}, run}, now);
  }
  // What is told meanwhile, "kind host;service" each.
  std::vector<std::string> pass(Duration d, Duration step = 1s) {
    std::vector<std::string> told;
    for (const Steady end = now.steady + d; now.steady < end;) {
      now = {now.steady + step, now.wall + step};
      for (const FreshnessNews& n : turn()) told.push_back(name(n));
    }
    return told;
  }
  std::vector<FreshnessNews> turn() {
    std::vector<FreshnessNews> news;
    while (engine_->step(now, 100, outage, news)) {
    }
    if (!news.empty()) last = news.back();
    return news;
  }
  // Killed, and started again `down` later with what was kept.
  void restart(Duration down) {
    Kept records;
    for (Freshness::Id id = 0; id < engine_->subjects().end(); ++id)
      if (engine_->subjects().holds(id)) records.emplace(id, engine_->record(id));
    now = {Steady(7s), now.wall + down};
    boot(records);
  }
  void set_clock(Duration by) { now.wall += by; }
  Freshness& engine() { return *engine_; }
  FreshState state(std::string_view host, std::string_view service) {
    const auto id = engine_->find({std::string(host), std::string(service)});
    return id ? engine_->view(*id).state : FreshState::none;
  }

  Instant now{Steady(1000s), parse_rfc3339("2026-05-01T12:00:00Z").value()};
  Freshness::Outage outage{};
  FreshnessNews last{};

 private:
  static std::string name(const FreshnessNews& n) {
    constexpr const char* kKinds[] = {"overdue", "run", "again", "silent", "still silent", "heard"};
    const std::string subject = n.group.name.empty() ? to_string(n.record.subject) : n.group.name;
    return std::string(kKinds[static_cast<std::size_t>(n.kind)]) + " " + subject;
  }
  using Kept = std::map<Freshness::Id, FreshnessRecord>;
  void boot(const Kept& records) {
    auto next = std::make_unique<Freshness>(entries_);
    if (engine_) {
      const Second last_reading = engine_->clock().now().even;
      next->restore(EvenClock(engine_->clock().shift(), last_reading), last_reading);
    }
    for (const auto& [id, r] : records) next->restore(id, r);
    if (engine_ && last.group.told != 0) next->restore(last.group);
    engine_ = std::move(next);
    engine_->start(now);
    turn();
  }
  std::vector<FreshnessEntry> entries_;
  std::unique_ptr<Freshness> engine_;
};

using Told = std::vector<std::string>;

}  // namespace checkrelay
