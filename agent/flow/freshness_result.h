// The synthetic result that a piece of news becomes. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/model/check_result.h"
#include "agent/policy/freshness.h"

namespace checkrelay {

// `configs` are those of the engine's entries, in their order. The host of a group is the agent's
// own, `hostname`.
[[nodiscard]] CheckResult result_of(const FreshnessNews& news,
                                    const std::vector<FreshnessConfig>& configs,
                                    const std::vector<FreshnessEntry>& entries,
                                    const std::string& hostname, Wall now);

}  // namespace checkrelay
