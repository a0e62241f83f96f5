// Keeps results in a spool directory for the agent to find. Safe across a power failure once it
// returns, unless asked for less.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace checkrelay {

// Who must not wait for the disk leaves a process behind that does (`behind`); what may be lost
// with the machine is not synced at all (`none`). The file is there in each case.
enum class Sync { now, behind, none };

// Writes `content` to `dir`/`name`: under a name that begins with a dot, synced, renamed, and the
// directory synced. The directory must be there. An error leaves nothing behind.
[[nodiscard]] Result<void> keep_in_spool(const std::string& dir, const std::string& name,
                                         std::string_view content, Sync sync = Sync::now);

}  // namespace checkrelay
