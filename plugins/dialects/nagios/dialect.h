// Nagios check-result files, as Nagios Core 4 and Naemon read them from check_result_path: cXXXXXX
// in a spool directory. Inbound only.
#pragma once

#include "agent/port/dialect.h"

namespace checkrelay {

[[nodiscard]] const Dialect& nagios_dialect();

}  // namespace checkrelay
