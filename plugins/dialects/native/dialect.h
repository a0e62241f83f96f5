// The product's own ways in: JSON, MessagePack, Nagios external commands and send_nsca text, over
// any framing, and POST /v1/results. Inbound only.
#pragma once

#include "agent/port/dialect.h"

namespace checkrelay {

[[nodiscard]] const Dialect& native_dialect();

}  // namespace checkrelay
