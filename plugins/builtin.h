// What is built in: the tables that the configuration, `check --defaults` and the wiring read.
#pragma once

#include "agent/port/registry.h"

namespace checkrelay {

[[nodiscard]] Registry builtin_registry();

}  // namespace checkrelay
