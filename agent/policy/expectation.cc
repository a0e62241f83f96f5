#include "agent/policy/expectation.h"

#include <algorithm>
#include <array>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

using namespace std::chrono;

Second clamped(std::int64_t value) {
  return static_cast<Second>(std::clamp<std::int64_t>(value, 1, std::int64_t{kNever} - 1));
}

Second second_of(Wall t) { return clamped(floor<seconds>(t.time_since_epoch()).count()); }
std::int64_t whole(Duration d) { return ceil<seconds>(d).count(); }

Second plus(Second t, std::int64_t more) { return t == kNever ? kNever : clamped(t + more); }
Second plus(Second t, Duration more) { return plus(t, whole(more)); }

Wall wall(Second t) { return Wall(seconds(t)); }

constexpr std::array<std::string_view, 5> kStates{"none", "unseen", "ok", "overdue", "in_outage"};

FreshState at_rest(const Standing& s) {
  if (s.told != 0) return FreshState::overdue;
  return s.reported ? FreshState::ok : FreshState::unseen;
}

// A window that ended within the settling time counts as if it lasted: who was in it gets the
// chance to report.
std::optional<Wall> outage_end(const OutageUntil& outage, const Reading& now, Second settle) {
  if (!outage) return std::nullopt;
  if (auto until = outage(wall(now.wall))) return until;
  return settle == 0 ? std::nullopt : outage(wall(clamped(std::int64_t{now.wall} - settle)));
}

// Of some slots in a row the shortest way from one to the next.
Duration closest(const Schedule& schedule, const Zone& zone, Wall from) {
  constexpr int kSample = 64;
  Duration found = Duration::max();
  auto slot = schedule.next(from, zone);
  for (int i = 0; slot && i < kSample; ++i) {
    const auto next = schedule.next(*slot, zone);
    if (next) found = std::min(found, Duration(*next - *slot));
    slot = next;
  }
  return found;
}

}  // namespace

std::string_view to_string(FreshState state) { return kStates[static_cast<std::size_t>(state)]; }

bool EvenClock::read(Instant now) {
  if (!before_) {
    const std::int64_t even = floor<seconds>(now.wall.time_since_epoch() - shift_).count();
    if (even < last_) shift_ = now.wall.time_since_epoch() - seconds(last_);
  } else {
    drift_ += (now.wall - before_->wall) - (now.steady - before_->steady);
  }
  before_ = now;
  const bool jumped = drift_ >= kJump || drift_ <= -kJump;
  if (jumped) {
    shift_ += drift_;
    drift_ = Duration{};
  }
  now_ = {second_of(now.wall), second_of(now.wall - shift_)};
  return jumped;
}

Result<void> check(const Promise& promise, Wall now) {
  const bool every = promise.every > Duration{};
  if (every && promise.schedule) return fail(Errc::invalid, "every: there is a schedule already");
  if (!every && !promise.schedule) return fail(Errc::invalid, "every or schedule is needed");
  if (every && promise.early > Duration{})
    return fail(Errc::invalid, "early: is for a schedule, not for every");
  if (every) return {};
  const std::string text = quoted(promise.schedule->text());
  if (!promise.schedule->next(now, promise.zone))
    return fail(Errc::invalid, "schedule: " + text + " is over: nothing comes any more");
  if (promise.grace == Duration{})
    return fail(Errc::invalid, "grace: with a schedule it is needed: no job ends as it starts");
  if (promise.early > Duration{} && promise.early >= closest(*promise.schedule, promise.zone, now))
    return fail(Errc::invalid, "early: " + format_duration(promise.early) +
                                   " is not shorter than the time between two of " + text);
  return {};
}

Second Expectation::slot_after(Second t) const {
  if (t >= from_ && t < slot_) return slot_;
  const auto next = promise_.schedule->next(wall(t), promise_.zone);
  from_ = t;
  slot_ = next ? second_of(*next) : kNever;
  return slot_;
}

void Expectation::await(Standing& s, const Reading& now) const {
  s = Standing{};
  s.seen = now.wall;
  s.base = s.heard = now.even;
  renew(s, now);
}

bool Expectation::report(Standing& s, Wall time, Duration ttl, const Reading& now) const {
  const Second at = time == Wall{} ? now.wall : std::min(second_of(time), now.wall);
  const bool ours = s.reported && s.seen <= now.wall;  // else the clock was wrong then
  // The same result once more is no news; of two in one second the later one counts.
  if (ours && (at < s.seen || (at == s.seen && s.told != 0))) return false;
  s.seen = at;
  s.base = clamped(std::int64_t{at} - now.shift());
  s.heard = now.even;
  s.told = 0;
  s.reported = true;
  s.by_ttl = ttl > Duration{};
  if (s.by_ttl) s.due = plus(s.base, ttl);
  renew(s, now);
  return true;
}

void Expectation::renew(Standing& s, const Reading& now) const {
  constexpr std::int64_t kCronsThreeHours = 3 * 3600;
  if (s.by_ttl) return;
  if (!promise_.schedule) {
    s.due = promise_.every > Duration{} ? plus(s.base, promise_.every) : kNever;
    return;
  }
  const std::int64_t retold = s.base + now.shift();
  const bool agrees = std::abs(retold - std::int64_t{s.seen}) <= kCronsThreeHours;
  s.due = slot_after(plus(agrees ? s.seen : clamped(retold), promise_.early));
}

Second Expectation::due(const Standing& s, const Reading& now) const {
  return by_calendar(s) ? plus(s.due, -now.shift()) : s.due;
}

bool Expectation::watches_run(const Standing& s) const {
  return s.run != 0 && promise_.run_limit > Duration{};
}

// While the newest run is open its own limit says when it is late; a run that began before the last
// report is no excuse for the next one.
Second Expectation::deadline(const Standing& s, const Reading& now) const {
  const Second report = plus(due(s, now), s.by_ttl ? Duration{} : promise_.grace);
  if (!watches_run(s)) return report;
  const bool older = s.reported && s.run <= s.base;
  return older ? std::min(run_end(s), report) : run_end(s);
}

Second Expectation::run_end(const Standing& s) const { return plus(s.run, promise_.run_limit); }

Second Expectation::settle(const Standing& s) const {
  Duration length = promise_.settle.value_or(promise_.grace);
  if (!promise_.settle && (s.by_ttl || length == Duration{}))
    length = s.by_ttl ? seconds(s.due - std::min(s.base, s.due)) : promise_.every;
  return static_cast<Second>(whole(std::min(length, kLongestSettle)));
}

Reckoning Expectation::judge(const Standing& s, const Reading& now, Second since,
                             const OutageUntil& outage) const {
  using Call = Reckoning::Call;
  const Second last = deadline(s, now);
  const bool run = watches_run(s) && last == run_end(s);
  if (s.told == 0 && last == kNever) return {Call::wait, FreshState::none, run, kNever};
  if (s.told == 0 && now.even <= last) return {Call::wait, at_rest(s), run, plus(last, 1)};
  const Second pause = settle(s);
  const Second settled = plus(std::max(since, s.heard), pause);
  if (now.even < settled) return {Call::wait, at_rest(s), run, settled};
  const bool repeats = promise_.repeat > Duration{};
  const Second again = repeats ? plus(s.told, promise_.repeat) : kNever;
  if (s.told != 0 && now.even < again) return {Call::wait, FreshState::overdue, run, again};
  if (auto until = outage_end(outage, now, pause)) {
    const Second end = clamped(second_of(*until) - now.shift());
    return {Call::wait, FreshState::in_outage, run, plus(end, std::int64_t{pause} + 1)};
  }
  const Second next = repeats ? plus(now.even, promise_.repeat) : kNever;
  return {s.told == 0 ? Call::tell : Call::again, FreshState::overdue, run, next};
}

}  // namespace checkrelay
