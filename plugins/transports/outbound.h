// The ways out, a row each.
#pragma once

#include <vector>

#include "agent/port/registry.h"

namespace checkrelay {

[[nodiscard]] std::vector<CarrierKind> carriers();

}  // namespace checkrelay
