// A FIFO: one conversation for all its writers, each line judged by itself, no replies.
#pragma once

#include <memory>

#include "agent/port/transport.h"
#include "plugins/transports/inbound_connection.h"
#include "plugins/transports/socket_files.h"

namespace checkrelay {

[[nodiscard]] Result<std::unique_ptr<Listener>> open_fifo_door(DoorState state, OwnedFd fd);

}  // namespace checkrelay
