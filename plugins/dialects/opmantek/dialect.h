// NMIS / Opmantek's admin API for planned outages, v3 ("Admin Outages API V3"; NMISNG::Outage). Not
// a destination: a source of outages ([[outages]] type = "opmantek"), and an API that http intakes
// answer from what the agent knows.
#pragma once

#include "agent/port/dialect.h"

namespace checkrelay {

[[nodiscard]] const Dialect& opmantek_dialect();

}  // namespace checkrelay
