// OP5 Monitor: destination `op5`, and the same API on an HTTP intake, so that a script written for
// OP5 works here.
#pragma once

#include "agent/port/dialect.h"

namespace checkrelay {

[[nodiscard]] const Dialect& op5_dialect();

}  // namespace checkrelay
