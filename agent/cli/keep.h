// Keeps results in a spool directory for the agent to find. Safe across a power failure once it
// returns.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace checkrelay {

// Writes `content` to `dir`/`name`: under a name that begins with a dot, synced, renamed, and the
// directory synced. The directory must be there. An error leaves nothing behind.
[[nodiscard]] Result<void> keep_in_spool(const std::string& dir, const std::string& name,
                                         std::string_view content);

}  // namespace checkrelay
