// `checkrelay status`, `checkrelay queue ...` and `checkrelay check`: what operators ask for.
#pragma once

#include "agent/cli/cli.h"
#include "agent/port/registry.h"

namespace checkrelay {

// send, status and the queue commands; `run` and `check` are the caller's to add.
[[nodiscard]] Handlers client_handlers();
// Prints every fault to standard error, or "FILE: valid". `registry` says what there is.
[[nodiscard]] int check_command(const Arguments& arguments, const Registry& registry);

}  // namespace checkrelay
