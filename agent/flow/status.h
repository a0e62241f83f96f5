// A snapshot of everything at a glance, and its two faces: the JSON of `status --json` and
// Prometheus text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/time.h"
#include "agent/flow/heartbeat_post.h"
#include "agent/port/journal.h"
#include "agent/port/read_back.h"

namespace checkrelay {

struct IntakeStatus {
  std::string type{};
  std::string where{};
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
};

struct DestinationStatus {
  std::string name{};
  std::string type{};
  std::string state{};  // ok backoff auth held config, or paused by the operator
  bool insecure = false;
  LaneStats lane{};
  std::string last_error{};                    // empty = none
  std::optional<Duration> next_attempt{};      // while its own state is not ok
  std::optional<ReadBack> read_back{};         // where it reads back what it delivers
  std::optional<HeartbeatCounts> heartbeat{};  // where the agent has one
  std::optional<Duration> troubled{};          // for how long its own state has not been ok
};

// A source of planned outages.
struct OutagesStatus {
  std::string name{};
  std::string type{};
  // ok; away: cannot be had, the last list counts; stale: likewise, and none counts any more; new:
  // not asked yet
  std::string state{};
  std::string effect{};
  std::optional<Wall> fetched{};  // the list that counts, or the last one that did
  std::size_t outages = 0;        // that are known
  std::size_t in_force = 0;       // of them now
  std::size_t left_out = 0;       // complaints about the list: an outage, or an element of one
  std::string last_error{};       // empty = none
};

// Of all local checks together, since the start.
struct ChecksStatus {
  std::size_t configured = 0;
  std::size_t running = 0;
  std::size_t waiting = 0;    // are due, and wait for room
  std::uint64_t runs = 0;     // that were begun
  std::uint64_t late = 0;     // of them, more than a second after they were due
  std::uint64_t skipped = 0;  // times due that had no run, since the one before was not over
  Duration worst_late{};
};

struct FreshnessStatus {
  std::size_t expected = 0;                            // subjects that have promised to report
  std::size_t overdue = 0, in_outage = 0, unseen = 0;  // of them
  std::size_t unwatched = 0;                           // results of subjects beyond the limit
};

struct Status {
  Duration uptime{};
  Wall now{};
  std::string trouble{};  // why the journal cannot take results; empty = it can
  std::uint64_t bytes = 0;
  std::uint64_t commits = 0;
  std::vector<IntakeStatus> intakes{};
  std::vector<DestinationStatus>
      destinations{};  // also those that are no longer configured but still owe something
  std::vector<OutagesStatus> outages{};
  std::uint64_t accepted = 0;  // by all intakes that there were
  ChecksStatus checks{};
  FreshnessStatus freshness{};
  Duration longest_turn{};
  std::uint64_t log_lines_lost = 0;
  std::uint64_t mended = 0;  // sequences that were not UTF-8 and were replaced
};

// Why the journal cannot take results; empty = it can.
[[nodiscard]] std::string trouble_of(const JournalStats& journal);
[[nodiscard]] std::string status_json(const Status& s);
[[nodiscard]] std::string status_metrics(const Status& s);

}  // namespace checkrelay
