// The doctor's look at files, directories, the disk and the clock. Reads and changes nothing of
// them but their attributes; the agent's user is the owner of its state directory.
#pragma once

#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/port/finding.h"

namespace checkrelay {

[[nodiscard]] std::vector<Finding> examine_places(const Config& config);
[[nodiscard]] std::vector<Finding> examine_clock(Wall now);

}  // namespace checkrelay
