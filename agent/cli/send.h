// `checkrelay send`.
#pragma once

#include "agent/cli/command.h"

namespace checkrelay {

[[nodiscard]] int send_command(const Arguments& arguments);

}  // namespace checkrelay
