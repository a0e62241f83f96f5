// Framing::none: nothing travels; a conversation starts and ends.
#pragma once

#include <memory>

#include "agent/port/transport.h"

namespace checkrelay {

class Loop;
[[nodiscard]] std::unique_ptr<Carrier> make_none_carrier(Loop& loop);  // `loop` must outlive it

}  // namespace checkrelay
