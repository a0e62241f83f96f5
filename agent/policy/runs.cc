#include "agent/policy/runs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "agent/policy/random.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kNap = 30s;     // a jump of the clock shows within this
constexpr Duration kSlack = 1s;    // the clock may run this far off before calendars are redone
constexpr Duration kSetBack = 3h;  // as cron has it: a clock set back by less repeats nothing
constexpr double kGolden = 0.618033988749894848;  // multiples of it lie evenly in [0, 1)

Duration part_of(Duration d, double share) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * share));
}

Duration clock_of(Instant now) {
  return now.wall.time_since_epoch() - now.steady.time_since_epoch();
}

double fraction(double x) { return x - std::floor(x); }

}  // namespace

Duration Runs::jitter(const RunTiming& timing) {
  return part_of(timing.jitter, next_fraction(random_));
}

void Runs::skip(const Subject& subject, std::uint64_t times) {
  if (times == 0) return;
  counts_.skipped += times;
  last_skipped_ = subject;
}

void Runs::arm(Entry& entry, std::optional<Steady> due) {
  Check& c = entry.second;
  if (c.due) due_.erase({*c.due, c.place, &entry});
  c.due = due;
  if (due) due_.emplace(*due, c.place, &entry);
}

void Runs::arm_calendar(Entry& entry, Wall from, Instant now) {
  Check& c = entry.second;
  const auto next = c.timing.schedule->next(from, c.timing.zone);
  c.from = from;
  if (!next) return arm(entry, std::nullopt);
  c.turn = *next + part_of(c.timing.spread, c.share) + jitter(c.timing);
  arm(entry, now.steady + (c.turn - now.wall));
}

void Runs::place(Entry& entry, Instant now) {
  Check& c = entry.second;
  const RunTiming& t = c.timing;
  std::uint64_t state = first_phase_;
  const std::uint64_t n = placed_[{t.every, t.schedule ? t.schedule->text() : ""}]++;
  c.share = fraction(next_fraction(state) + static_cast<double>(n) * kGolden);
  if (t.schedule) return arm_calendar(entry, now.wall, now);
  c.slot = now.steady + part_of(t.spread, c.share);
  arm(entry, std::min(c.slot + jitter(t), now.steady + t.every));  // the first within one `every`
}

void Runs::configure(const std::vector<std::pair<Subject, RunTiming>>& wanted, std::size_t most,
                     Instant now) {
  most_ = most;
  if (!std::exchange(calendars_, false)) clock_ = clock_of(now);
  std::map<Subject, Check> before;
  before.swap(checks_);
  due_.clear();
  std::vector<Subject> line;
  for (const Entry* e : waiting_) line.push_back(e->first);
  waiting_.clear();
  for (const auto& [subject, timing] : wanted) {
    Entry& entry = *checks_.try_emplace(subject).first;
    Check& check = entry.second;
    calendars_ |= timing.schedule.has_value();
    const auto old = before.find(subject);
    if (old == before.end() || old->second.timing != timing) {
      check.timing = timing;
      check.place = checks_.size();
      place(entry, now);
      continue;
    }
    check = std::move(old->second);
    check.place = checks_.size();
    if (check.due) due_.emplace(*check.due, check.place, &entry);
  }
  for (const Subject& subject : line)
    if (const auto it = checks_.find(subject); it != checks_.end() && it->second.waits)
      waiting_.push_back(&*it);
  follow_clock(now);
}

// What the deadlines of calendars were made with has changed.
void Runs::follow_clock(Instant now) {
  const Duration clock = clock_of(now);
  const Duration off = clock - clock_;
  if (!calendars_ || (off <= kSlack && off >= -kSlack)) return;
  clock_ = clock;
  for (Entry& entry : checks_) {
    const Check& c = entry.second;
    if (!c.timing.schedule) continue;
    if (now.wall + kSetBack < c.from) {
      arm_calendar(entry, now.wall, now);
    } else if (c.due) {
      arm(entry, now.steady + (c.turn - now.wall));
    }
  }
}

void Runs::fall_due(Entry& entry, Instant now) {
  Check& c = entry.second;
  if (c.timing.schedule && now.wall < c.turn) return arm(entry, now.steady + (c.turn - now.wall));
  const Steady was_due = *c.due;
  if (c.waits || running_.contains(entry.first)) {
    skip(entry.first, 1);
  } else {
    c.waits = was_due;
    waiting_.push_back(&entry);
  }
  if (c.timing.schedule) return arm_calendar(entry, now.wall, now);
  c.slot += c.timing.every;
  if (c.slot + c.timing.jitter < now.steady) {  // nobody was there
    const auto missed = (now.steady - c.slot) / c.timing.every + 1;
    skip(entry.first, static_cast<std::uint64_t>(missed));
    c.slot += missed * c.timing.every;
  }
  arm(entry, c.slot + jitter(c.timing));
}

std::optional<Subject> Runs::take(Instant now) {
  follow_clock(now);
  while (!due_.empty() && std::get<Steady>(*due_.begin()) <= now.steady)
    fall_due(*std::get<Entry*>(*due_.begin()), now);
  if (waiting_.empty() || running_.size() >= most_) return std::nullopt;
  auto& [subject, check] = *waiting_.front();
  waiting_.pop_front();
  const Duration late = now.steady - *check.waits;
  check.waits.reset();
  ++counts_.runs;
  if (late > kLate) ++counts_.late;
  counts_.worst_late = std::max(counts_.worst_late, late);
  running_.insert(subject);
  return subject;
}

void Runs::ended(const Subject& subject) { running_.erase(subject); }

std::optional<Steady> Runs::deadline(Instant now) const {
  if (due_.empty()) return std::nullopt;
  const Steady first = std::get<Steady>(*due_.begin());
  return calendars_ ? std::min(first, now.steady + kNap) : first;
}

}  // namespace checkrelay
