// unixgram: each datagram a message, no replies. The kernel says who sent it. What arrives while
// the journal is behind waits in the kernel's queue, whose senders then wait too.
#pragma once

#include <memory>

#include "agent/port/transport.h"
#include "plugins/transports/inbound_connection.h"
#include "plugins/transports/socket_files.h"

namespace checkrelay {

[[nodiscard]] Result<std::unique_ptr<Listener>> open_datagram_door(DoorState state,
                                                                   OpenedSocket socket);

}  // namespace checkrelay
