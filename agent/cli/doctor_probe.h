// The doctor's look at destinations: connects as the agent would, with the same TLS and
// credentials, and sends no result.
#pragma once

#include <vector>

#include "agent/config/config.h"
#include "agent/port/finding.h"

namespace checkrelay {

// All at once; each within its own timeout. Those without a network have nothing to find.
[[nodiscard]] std::vector<Finding> examine_destinations(const Config& config,
                                                        const Registry& registry);

}  // namespace checkrelay
