// One subject's promise to report again, and what has become of it. Pure: (event, now) -> decision.
//
// Time. A promise by the calendar is kept or broken by wall time; one by elapsed time (`every`, a
// result's `ttl`, the limit of a run, a repetition) by *even* time: wall time as it would be had
// nobody set the clock. While the agent runs, even time goes by the steady clock; over a restart
// it goes by the wall clock and the shift that was kept, and never backwards. Time that the machine
// slept does not count. All in whole seconds: nothing is overdue too early, and at most one second
// too late.
//
// A schedule and a clock that is set follow cron(8): where a report's own time and the present
// clock disagree by up to three hours, the report keeps the time that it bore, so no slot is asked
// for twice, and one that was jumped over is asked for; beyond, the clock was wrong, and the
// report's time is told anew by the present one.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/policy/schedule.h"
#include "agent/policy/zone.h"

namespace checkrelay {

using Second = std::uint32_t;  // since 1970-01-01 of a time line; up to 2106
constexpr Second kNever = std::numeric_limits<Second>::max();
constexpr Duration kLongestSettle = std::chrono::minutes(5);

// One moment on both time lines.
struct Reading {
  Second wall = 0, even = 0;
  [[nodiscard]] std::int64_t shift() const { return std::int64_t{wall} - even; }
};

class EvenClock {
 public:
  // What the run before left: see shift(), and the last reading's even second (0 = none).
  explicit EvenClock(Duration shift = {}, Second last = 0) : shift_(shift), last_(last) {}
  // The first reading begins the time line. True: the wall clock was set, by kJump or more.
  bool read(Instant now);
  [[nodiscard]] const Reading& now() const { return now_; }
  [[nodiscard]] Duration shift() const { return shift_; }  // wall minus even; keep it with records

 private:
  static constexpr Duration kJump = std::chrono::seconds(2);
  Duration shift_, drift_{};
  Second last_;
  std::optional<Instant> before_{};
  Reading now_{};
};

struct Promise {
  Duration every{};                    // 0 = none
  std::optional<Schedule> schedule{};  // at most one of the two
  Zone zone{};                         // for a schedule without its own
  Duration grace{};                    // after the due time
  Duration early{};                    // before a slot: a report by then is for that slot
  Duration repeat{};                   // said again while overdue; 0 = once
  Duration run_limit{};                // 0 = runs are not watched
  std::optional<Duration> settle{};    // none: as long as grace, or where that is 0, `every`
};
// Faults of the promise by itself: none or two of every and schedule, a schedule that is over or
// has no grace, slots closer than `early`.
[[nodiscard]] Result<void> check(const Promise& promise, Wall now);

enum class FreshState : std::uint8_t { none, unseen, ok, overdue, in_outage };
[[nodiscard]] std::string_view to_string(FreshState state);  // "none" is for subjects without any

// What is remembered of a subject, and all that has to be on disk.
struct Standing {
  Second seen = 0;      // wall: the newest report's own time; before one, since when it is awaited
  Second base = 0;      // even: the same moment
  Second heard = 0;     // even: when it arrived here
  Second due = kNever;  // wall under a schedule, even else; to be refreshed by renew()
  Second told = 0;      // even: when it was last called overdue; 0 = not since the last report
  Second run = 0;       // even: when the oldest open run began; 0 = none
  bool reported = false;  // ever
  bool by_ttl = false;    // the newest report carried its own promise
  bool operator==(const Standing&) const = default;
};

// Until when, in wall time, the subject is in a planned outage that holds `t`; none: it is in none.
using OutageUntil = std::function<std::optional<Wall>(Wall t)>;

struct Reckoning {
  enum class Call : std::uint8_t { wait, tell, again };
  Call call = Call::wait;
  FreshState state = FreshState::none;
  bool run = false;      // it is a run that does not end
  Second look = kNever;  // even: judge again then; sooner does no harm
};

class Expectation {
 public:
  Expectation() = default;  // nothing but what results promise themselves
  explicit Expectation(Promise promise) : promise_(std::move(promise)) {}
  [[nodiscard]] const Promise& promise() const { return promise_; }

  // A subject that must report although it never did.
  void await(Standing& s, const Reading& now) const;
  // A report made at `time`; one from the future counts as made now, one older than the newest
  // counts for nothing (false). `ttl` > 0 stands for the promise until the next report.
  bool report(Standing& s, Wall time, Duration ttl, const Reading& now) const;
  // After a restart, another configuration, a jump of the clock. Idempotent.
  void renew(Standing& s, const Reading& now) const;

  // `since`, even: the start of the agent or the last jump; nothing is told until it has settled.
  [[nodiscard]] Reckoning judge(const Standing& s, const Reading& now, Second since,
                                const OutageUntil& outage) const;
  [[nodiscard]] Second due(const Standing& s, const Reading& now) const;       // even
  [[nodiscard]] Second deadline(const Standing& s, const Reading& now) const;  // even, inclusive
  [[nodiscard]] Second settle(const Standing& s) const;                        // seconds

 private:
  [[nodiscard]] bool by_calendar(const Standing& s) const { return promise_.schedule && !s.by_ttl; }
  [[nodiscard]] Second slot_after(Second wall) const;
  [[nodiscard]] bool watches_run(const Standing& s) const;
  [[nodiscard]] Second run_end(const Standing& s) const;

  Promise promise_{};
  // The last answer of slot_after: all from `from` up to `slot` have it.
  mutable Second from_ = 0, slot_ = 0;
};

}  // namespace checkrelay
