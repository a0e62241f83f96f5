// What a heartbeat tells, out of what the status knows. Pure.
#pragma once

#include "agent/flow/status.h"
#include "agent/policy/heartbeat.h"

namespace checkrelay {

// All destinations together, so that it is the same service wherever it arrives.
[[nodiscard]] Vitals vitals_of(const Status& s);

}  // namespace checkrelay
