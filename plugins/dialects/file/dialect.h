// Destination `file`: results as JSON lines at the end of a file. Delivered means synced: the
// append carrier says so.
#pragma once

#include "agent/port/dialect.h"

namespace checkrelay {

[[nodiscard]] const Dialect& file_dialect();

}  // namespace checkrelay
