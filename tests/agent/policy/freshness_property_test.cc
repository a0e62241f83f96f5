// One subject, lived through minute by minute with reports early, late and old, outages, clocks
// that are set, kills and restarts, next to a model that every minute asks the definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/policy/freshness.h"
#include "tests/agent/policy/schedule_model.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;
using std::chrono::minutes;

constexpr std::int64_t kNone = -1;

// All in minutes since the beginning of its time line.
struct Story {
  std::vector<std::int64_t> slots{};  // wall; empty: by `every`
  std::int64_t every = 0, grace = 0, early = 0, repeat = 0, settle = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> outages{};  // wall, both ends in it
};

class Model {
 public:
  explicit Model(const Story& story) : story_(story) {}
  void report(std::int64_t time, std::int64_t ttl, std::int64_t wall, std::int64_t even) {
    const bool again = time == seen_ && told_ != kNone;
    if (seen_ != kNone && seen_ <= wall && (time < seen_ || again)) return;
    seen_ = time;
    base_ = even - (wall - time);
    heard_ = even;
    told_ = kNone;
    ttl_ = ttl;
  }
  void pause(std::int64_t even) { since_ = even; }
  // "", "tell", "again"
  std::string minute(std::int64_t wall, std::int64_t even) {
    if (seen_ == kNone || even < std::max(since_, heard_) + story_.settle) return "";
    if (in_outage(wall) || in_outage(wall - story_.settle)) return "";
    if (told_ == kNone && !is_late(wall, even)) return "";
    if (told_ != kNone && (story_.repeat == 0 || even < told_ + story_.repeat)) return "";
    const std::string said = told_ == kNone ? "tell" : "again";
    told_ = even;
    return said;
  }

 private:
  [[nodiscard]] bool in_outage(std::int64_t wall) const {
    return std::any_of(story_.outages.begin(), story_.outages.end(),
                       [&](const auto& o) { return o.first <= wall && wall <= o.second; });
  }
  [[nodiscard]] bool is_late(std::int64_t wall, std::int64_t even) const {
    if (ttl_ > 0) return even > base_ + ttl_;
    if (story_.slots.empty()) return even > base_ + story_.every + story_.grace;
    const std::int64_t retold = base_ + (wall - even);
    const std::int64_t from = std::abs(retold - seen_) <= 180 ? seen_ : retold;
    for (std::int64_t slot : story_.slots)
      if (slot > from + story_.early) return wall > slot + story_.grace;
    return false;
  }
  const Story& story_;
  std::int64_t seen_ = kNone, base_ = 0, heard_ = 0, told_ = kNone, ttl_ = 0, since_ = 0;
};

// The engine, with a disk that holds what was committed and no more.
class Subjected {
 public:
  Subjected(const Promise& promise, const Story& story, Wall begin)
      : story_(story), begin_(begin), now_{Steady(10s), begin} {
    FreshnessEntry entry;
    entry.service = "*";
    entry.promise = promise;
    entries_ = {entry};
    boot(Duration{}, 0);
  }
  void report(std::int64_t time, std::int64_t ttl) {
    const auto changed =
        engine_->report({"h", "s", begin_ + minutes(time), minutes(ttl), {}}, now_);
    if (changed) disk_ = engine_->record(changed->id);
  }
  std::string minute() {
    std::vector<FreshnessNews> news;
    while (engine_->step(now_, 3, outage(), news)) {
    }
    std::string said;
    for (const FreshnessNews& n : news) {
      said += n.kind == FreshnessNews::Kind::again ? "again" : "tell";
      disk_ = n.record;
    }
    return said;
  }
  void pass(std::int64_t wall, std::int64_t steady) {
    now_ = {now_.steady + minutes(steady), now_.wall + minutes(wall)};
  }
  void restart(std::int64_t down) {
    now_ = {Steady(3s), now_.wall + minutes(down)};
    boot(engine_->clock().shift(), engine_->clock().now().even);
  }

 private:
  void boot(Duration shift, Second last) {
    engine_ = std::make_unique<Freshness>(entries_);
    engine_->restore(EvenClock(shift, last), last);
    if (disk_) engine_->restore(0, *disk_);
    engine_->start(now_);
  }
  [[nodiscard]] Freshness::Outage outage() const {
    return [this](const Subject&, Wall t) -> std::optional<Wall> {
      for (const auto& [from, to] : story_.outages)
        if (begin_ + minutes(from) <= t && t <= begin_ + minutes(to)) return begin_ + minutes(to);
      return std::nullopt;
    };
  }
  const Story& story_;
  Wall begin_;
  Instant now_;
  std::vector<FreshnessEntry> entries_;
  std::unique_ptr<Freshness> engine_;
  std::optional<FreshnessRecord> disk_;
};

class Dice {
 public:
  explicit Dice(unsigned seed) : random(seed) {}
  std::int64_t in(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  }
  bool one_in(std::int64_t n) { return in(1, n) == 1; }
  std::mt19937 random;
};

constexpr std::int64_t kDays = 9;
constexpr std::int64_t kMinutes = kDays * 1440;

Story story_of(Dice& dice, const std::vector<Wall>& slots, Wall begin) {
  Story s;
  s.grace = dice.in(5, 120);
  s.early = slots.empty() ? 0 : dice.in(0, 10);
  s.repeat = dice.one_in(2) ? 0 : dice.in(1, 300);
  s.settle = dice.in(1, 5);
  if (slots.empty()) s.every = dice.in(1, 1500);
  for (Wall t : slots) s.slots.push_back(std::chrono::duration_cast<minutes>(t - begin).count());
  for (std::int64_t from = dice.in(0, 2000); from < kMinutes; from += dice.in(600, 4000)) {
    s.outages.emplace_back(from, from + dice.in(10, 500));
    from = s.outages.back().second;
  }
  return s;
}

Promise promise_of(const Story& s, const MadeUp& made_up, const Zone& zone) {
  Promise p;
  if (s.slots.empty()) p.every = minutes(s.every);
  if (!s.slots.empty()) p.schedule = Schedule::parse(made_up.text).value();
  p.zone = zone;
  p.grace = minutes(s.grace);
  p.early = minutes(s.early);
  p.repeat = minutes(s.repeat);
  p.settle = minutes(s.settle);
  return p;
}

std::size_t live(Dice& dice, const Story& story, const Promise& promise, Wall begin) {
  Model model(story);
  Subjected engine(promise, story, begin);
  std::size_t told = 0;
  std::int64_t wall = 0, even = 0;
  const std::int64_t often = dice.in(20, 1500);
  for (std::int64_t i = 0; i < kMinutes && wall < kMinutes - 1500; ++i) {
    ++wall, ++even;
    std::int64_t jump = 0;
    if (dice.one_in(2500)) jump = dice.one_in(2) ? dice.in(2, 900) : -dice.in(2, 900);
    jump = std::max(jump, -wall);
    wall += jump;
    engine.pass(1 + jump, 1);
    if (jump != 0) model.pause(even);
    if (jump == 0 && dice.one_in(1500)) {
      const std::int64_t down = dice.in(0, 300);
      wall += down, even += down;
      engine.restart(down);
      model.pause(even);
    }
    if (dice.one_in(often)) {
      const std::int64_t age = dice.one_in(8) ? std::min(wall, dice.in(0, 300)) : 0;
      const std::int64_t ttl = dice.one_in(10) ? dice.in(1, 300) : 0;
      engine.report(wall - age, ttl);
      model.report(wall - age, ttl, wall, even);
    }
    const std::string expected = model.minute(wall, even), said = engine.minute();
    told += said.empty() ? 0 : 1;
    EXPECT_EQ(said, expected) << "minute " << i << " wall " << wall << " even " << even;
    if (said != expected) return told;
  }
  return told;
}

TEST(FreshnessProperty, ElapsedPromisesAreAsEveryMinuteHasThem) {
  std::size_t told = 0;
  for (unsigned seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    const Wall begin = parse_rfc3339("2026-03-26T00:00:00Z").value();
    const Story story = story_of(dice, {}, begin);
    told += live(dice, story, promise_of(story, {}, Zone()), begin);
  }
  EXPECT_GT(told, 100U);
}

TEST(FreshnessProperty, SchedulesAreAsEveryMinuteHasThem) {
  struct Place {
    std::string_view zone{}, begin{};
  };
  constexpr Place kPlaces[] = {{"Europe/Stockholm", "2026-03-26T00:00:00Z"},
                               {"Europe/Stockholm", "2026-10-22T00:00:00Z"},
                               {"America/New_York", "2026-03-05T00:00:00Z"},
                               {"America/New_York", "2026-10-29T00:00:00Z"},
                               {"Australia/Lord_Howe", "2026-10-01T00:00:00Z"},
                               {"Australia/Lord_Howe", "2026-04-02T00:00:00Z"},
                               {"Africa/Cairo", "2026-04-20T00:00:00Z"},
                               {"Africa/Cairo", "2026-10-26T00:00:00Z"},
                               {"Asia/Tokyo", "2028-02-26T00:00:00Z"}};
  std::size_t told = 0;
  unsigned seed = 1000;
  for (const Place& place : kPlaces) {
    const Zone zone = Zone::find(place.zone).value();
    const Wall begin = parse_rfc3339(place.begin).value();
    const Watched watched(zone, begin, (kDays + 2) * 1440);
    for (int i = 0; i < 8 && !testing::Test::HasFailure(); ++i) {
      Dice dice(++seed);
      const MadeUp made_up = i % 2 ? made_up_cron(dice.random) : made_up_calendar(dice.random);
      const std::vector<Wall> slots = watched.moments(made_up);
      if (slots.empty()) continue;
      SCOPED_TRACE(made_up.text + " " + zone.name() + " " + std::to_string(seed));
      const Story story = story_of(dice, slots, begin);
      told += live(dice, story, promise_of(story, made_up, zone), begin);
    }
  }
  EXPECT_GT(told, 50U);
}

}  // namespace
}  // namespace checkrelay
