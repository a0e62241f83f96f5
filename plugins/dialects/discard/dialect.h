// Destination `discard`: takes everything and keeps nothing, for trials and measurements. The
// smallest dialect, and the one to copy when a new one begins.
#pragma once

#include "agent/port/dialect.h"

namespace checkrelay {

[[nodiscard]] const Dialect& discard_dialect();

}  // namespace checkrelay
