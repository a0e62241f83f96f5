// The doors that this folder opens: unix, unixgram, tcp, fifo, http.
#pragma once

#include <vector>

#include "agent/port/registry.h"

namespace checkrelay {

[[nodiscard]] std::vector<IntakeKind> socket_intakes();

}  // namespace checkrelay
