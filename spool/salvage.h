// Brings what can still be read of a damaged journal into a new one: records by their checksums,
// destinations, ids, what is aside, the trail. What is lost is counted as expired, so that each
// destination's books balance, and told by number. One thread; memory grows with the subjects that
// wait for a destination that wants the latest only, not with the backlog.
#pragma once

#include <string>

#include "agent/base/result.h"
#include "spool/sqlite_store.h"

namespace checkrelay {

// Returns what was found and what was not, in a sentence. `into` is empty and is synced at the end.
// Errors: full, unavailable (`into` could not be written).
//
// Where a destination's row is lost, everything of it that is in the log waits again (twice is
// better than never). Where its name is lost in both places, it is called "?" and its number, and
// is paused. Where the key of the subjects is lost, records from before and after go in no order.
[[nodiscard]] Result<std::string> salvage(const std::string& damaged, SqliteStore& into);

}  // namespace checkrelay
