// The [[outages]] tables: where planned outages come from, and single ones written down here.
#pragma once

#include <vector>

#include "agent/config/config.h"
#include "agent/config/reader.h"
#include "agent/policy/outage.h"

namespace checkrelay {

constexpr std::string_view kLocalOutages = "local";  // the type that asks nobody

// `destinations`: whose names are taken; `upstream NAME` means one or the other.
[[nodiscard]] std::vector<OutagesConfig> read_outages(
    Reader& reader, const Node& root, const Registry& registry,
    const std::vector<DestinationConfig>& destinations);
// Every row of this type; nothing for one that is none.
[[nodiscard]] std::vector<OptionRow> rows_of_outages(std::string_view type,
                                                     const Registry& registry);
// Of options that passed their rows. invalid: the zone, the template.
[[nodiscard]] Result<OutageReading> outage_reading(const Options& options);
// Of type local. invalid: an element without its node.
[[nodiscard]] Result<PlannedOutage> local_outage(const OutagesConfig& config);

}  // namespace checkrelay
