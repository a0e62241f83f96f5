// How a run of `checkrelay exec` ended, what state that is and how it is told. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/model/check_result.h"

namespace checkrelay {

struct Ending {
  enum class Kind { exited, killed, timed_out, not_found, not_runnable, locked };
  Kind kind = Kind::exited;
  int code = 0;       // exited: the status; killed: the signal; timed_out: the signal that ended it
  bool core = false;  // killed, and the core dumped
  std::string why{};  // where the command was not started
  Duration wall{};    // from the first start to the last end
  Duration cpu{};     // user and system, of all tries, of the command and what it waited for
  std::uint64_t rss = 0;  // peak resident memory in bytes, of the largest process
  int tries = 1;
  [[nodiscard]] bool started() const { return kind < Kind::not_found; }
};

// 126 cannot run, 127 not found, 128+n for signal n, 124 after the timeout, 75 locked (EX_TEMPFAIL
// of sysexits.h).
[[nodiscard]] int exit_status(const Ending& e);

// `WHAT=STATE,...`; WHAT is an exit status, a range of them (`2-9`), `signal` or a signal's name
// (`SIGTERM`), `timeout`, `locked`, or `*` for whatever but exit 0 no other entry names. The first
// entry that fits counts. Without one exit 0 is OK and everything else CRITICAL.
class StateMap {
 public:
  [[nodiscard]] static Result<StateMap> parse(std::string_view text);
  [[nodiscard]] State state_of(const Ending& e) const;

 private:
  enum class What { status, signal, timeout, locked, rest };
  struct Entry {
    What what = What::status;
    int low = 0;
    int high = 0;
    State state = 0;
    [[nodiscard]] bool fits(const Ending& e) const;
  };
  [[nodiscard]] static Result<Entry> parse_entry(std::string_view text);
  [[nodiscard]] static Result<Entry> parse_what(std::string_view text);
  std::vector<Entry> entries_{};
};

struct RunLimits {
  Duration timeout{};  // 0 = none, each
  Duration warn_after{};
  Duration crit_after{};
};

// A run that took longer than the limits is WARNING or CRITICAL, whatever its exit status.
[[nodiscard]] State judge(const Ending& e, const StateMap& map, const RunLimits& limits);
[[nodiscard]] std::string first_line(const Ending& e, const RunLimits& limits);
// Empty where the command was not started.
[[nodiscard]] std::string perfdata_of(const Ending& e, const RunLimits& limits);

}  // namespace checkrelay
