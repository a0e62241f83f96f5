// Opsview: destination `opsview`, and the same API on an HTTP intake, so that a script written for
// Opsview works here.
#pragma once

#include "agent/port/dialect.h"

namespace checkrelay {

[[nodiscard]] const Dialect& opsview_dialect();

}  // namespace checkrelay
