// `checkrelay exec`.
#pragma once

#include "agent/cli/command.h"

namespace checkrelay {

[[nodiscard]] int exec_command(const Arguments& arguments);

}  // namespace checkrelay
