// The [[intake]] tables, and the unix intake that agent.socket stands for.
#pragma once

#include <vector>

#include "agent/config/config.h"
#include "agent/config/reader.h"

namespace checkrelay {

[[nodiscard]] std::vector<IntakeConfig> read_intakes(Reader& reader, const Node& root,
                                                     const Registry& registry,
                                                     const Options& agent);

}  // namespace checkrelay
