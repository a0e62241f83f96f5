// What people read about freshness. Pure.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/policy/freshness.h"

namespace checkrelay {

// This system's: of what has no zone of its own.
[[nodiscard]] const Zone& own_zone();
// "45 s", "12 min", "5 h", "3 d": rounded down to one unit, of which there are at least two but for
// seconds.
[[nodiscard]] std::string rough(Duration d);
// "Tue 03:00 Europe/Stockholm", beyond six days before or after `now` "2026-12-01 03:00 …"; seconds
// where they are not 0. "never" for Wall{}.
[[nodiscard]] std::string at_words(Wall t, const Zone& zone, Wall now);
// "Tue 03:00 Europe/Stockholm, in 5 h" or "…, 5 h ago".
[[nodiscard]] std::string due_words(Wall due, const Zone& zone, Wall now);
// "0 3 * * 1-5" or "every 1d", "ttl" for a promise of a result alone.
[[nodiscard]] std::string promise_words(const Promise& promise, bool by_ttl);

// The output of a synthetic result: {last} {due} {age} (since the last report) {schedule}, as in
// "no result since {last}"; behind it what nobody may miss, that the agent was down at the due
// time. Other braces stay.
[[nodiscard]] std::string fill_output(std::string_view text, const FreshnessNews& news,
                                      const Promise& promise, Wall now);
// A name in braces that would stay.
[[nodiscard]] Result<void> check_output(std::string_view text);

}  // namespace checkrelay
