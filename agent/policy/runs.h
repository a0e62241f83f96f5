// When local checks run. Pure: decides who starts now, starts nothing.
//
// With `every` a check has a grid of its own in steady time: it begins somewhere within the spread,
// laid evenly between its like, and from there on each `every`; that one run begins late moves no
// other. With a schedule it is due by the calendar. A check never runs twice at once: what falls
// due while it runs, or waits, is left out and counted, and times that nobody was there for (the
// machine slept, the clock was set) are one run, not many. Who is due waits in line for room.
//
// Setting the clock moves no grid. Of a calendar, times that are jumped over come at once, as one
// run; set back by less than three hours, nothing comes twice; by more, the new time counts.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/policy/schedule.h"
#include "agent/policy/zone.h"

namespace checkrelay {

struct RunTiming {
  Duration every{};  // zero: by `schedule`
  std::optional<Schedule> schedule{};
  Zone zone{};
  Duration spread{};  // the like of it share this evenly
  Duration jitter{};  // each run comes up to this much later, at random
  bool operator==(const RunTiming&) const = default;
};

class Runs {
 public:
  struct Counts {
    std::uint64_t runs = 0;     // that were begun
    std::uint64_t late = 0;     // of them, more than kLate after they were due
    std::uint64_t skipped = 0;  // times due that had no run
    Duration worst_late{};
  };
  static constexpr Duration kLate = std::chrono::seconds(1);

  explicit Runs(std::uint64_t seed) : random_(seed), first_phase_(seed) {}

  // A check whose timing stands keeps its phase. REQUIRES: each subject once, most > 0, and each
  // timing with either `every` or a schedule.
  void configure(const std::vector<std::pair<Subject, RunTiming>>& wanted, std::size_t most,
                 Instant now);
  // Who starts now; call it until there is none. The one that was taken runs until ended().
  [[nodiscard]] std::optional<Subject> take(Instant now);
  void ended(const Subject& subject);
  // When take() is to be asked again, besides after ended(). Never while somebody waits for room.
  [[nodiscard]] std::optional<Steady> deadline(Instant now) const;

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] std::size_t running() const { return running_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  // Whose time due was left out last; empty host: nobody's yet.
  [[nodiscard]] const Subject& last_skipped() const { return last_skipped_; }

 private:
  struct Check {
    RunTiming timing{};
    std::size_t place = 0;  // in the configuration
    double share = 0;       // of the spread, [0, 1)
    Steady slot{};          // on the grid
    Wall from{};            // by the calendar: where `turn` was looked for
    Wall turn{};            // and what was found, share and jitter added
    std::optional<Steady> due{};
    std::optional<Steady> waits{};  // in line, since it was due
  };
  using Entry = std::map<Subject, Check>::value_type;

  void place(Entry& entry, Instant now);  // a new one
  void arm(Entry& entry, std::optional<Steady> due);
  void arm_calendar(Entry& entry, Wall from, Instant now);
  void fall_due(Entry& entry, Instant now);
  void follow_clock(Instant now);
  void skip(const Subject& subject, std::uint64_t times);
  [[nodiscard]] Duration jitter(const RunTiming& timing);

  std::uint64_t random_;
  std::uint64_t first_phase_;
  std::map<std::pair<Duration, std::string>, std::uint64_t> placed_{};  // of one every or schedule
  std::map<Subject, Check> checks_{};
  std::set<std::tuple<Steady, std::size_t, Entry*>> due_{};  // by time, then place
  std::deque<Entry*> waiting_{};
  std::set<Subject> running_{};  // also of checks that are configured no more
  std::size_t most_ = 1;
  bool calendars_ = false;
  Duration clock_{};  // wall - steady, that the calendars' deadlines were made with
  Counts counts_{};
  Subject last_skipped_{};
};

}  // namespace checkrelay
