// What one destination has to hear of the agent itself: at most one heartbeat waits, the newest. It
// is no result of anybody's: never in the journal, and counted apart. Pure; loop thread only.
//
// A heartbeat that alone is the trouble must not keep results back: one that fails where results
// are taken waits for the next beat, and until one is answered its failures say nothing of the
// destination.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/port/verdict.h"

namespace checkrelay {

// Each heartbeat that was handed over is one of: sent, refused, superseded, or it waits or is being
// sent.
struct HeartbeatCounts {
  std::uint64_t sent = 0;        // and confirmed
  std::uint64_t refused = 0;     // by the upstream: it does not know the service, say
  std::uint64_t superseded = 0;  // unsent: by the next one, or withdrawn
  std::optional<Wall> last_sent{};
  std::string last_answer{};    // empty = it was taken, or there is none
  std::optional<bool> taken{};  // the last one that was answered
};

class HeartbeatPost {
 public:
  void offer(CheckResult heartbeat);
  // What waits, and what is under way should it fail; and as if none had been offered.
  void withdraw();
  [[nodiscard]] bool offered() const { return offered_; }
  [[nodiscard]] bool waiting() const;
  // What waits goes under way: one at a time.
  [[nodiscard]] CheckResult take();
  // What became of it; `well`: the destination was when it answered. True where that tells of the
  // destination's health. `changed`: an upstream takes it now that did not, or the other way round.
  [[nodiscard]] bool landed(const Verdict& verdict, bool well, Wall now, bool& changed);
  [[nodiscard]] const HeartbeatCounts& counts() const { return counts_; }

 private:
  void answered(const Verdict& verdict, Wall now, bool& changed);
  void put_back();

  std::optional<CheckResult> waiting_{};
  std::optional<CheckResult> under_way_{};
  unsigned strikes_ =
      0;  // of the one that waits or is under way: failures while results were taken
  bool suspect_ = false;
  bool withdrawn_ = false;  // the one under way
  bool offered_ = false;
  HeartbeatCounts counts_{};
};

}  // namespace checkrelay
