// GroundWork: destination `groundwork`, and the same API on an HTTP intake, so that a feeder
// written for GroundWork works here.
#pragma once

#include "agent/port/dialect.h"

namespace checkrelay {

[[nodiscard]] const Dialect& groundwork_dialect();

}  // namespace checkrelay
