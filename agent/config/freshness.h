// The [[freshness]] tables: who has promised to report, and what is said where nothing comes.
#pragma once

#include <span>
#include <vector>

#include "agent/config/config.h"
#include "agent/config/reader.h"
#include "agent/policy/freshness.h"

namespace checkrelay {

// `now`: a schedule that is over by then is a warning.
[[nodiscard]] std::vector<FreshnessConfig> read_freshness(Reader& reader, const Node& root,
                                                          Wall now);
[[nodiscard]] std::span<const OptionRow> freshness_rows();
// Of options that passed their rows. invalid: the schedule, the zone.
[[nodiscard]] Result<FreshnessEntry> freshness_entry(const FreshnessConfig& config);
// What an overdue subject is reported as: "CRITICAL" of a host is DOWN, "DOWN" of a service
// CRITICAL. REQUIRES: a state of either kind.
[[nodiscard]] State overdue_state(std::string_view state, bool host);

}  // namespace checkrelay
