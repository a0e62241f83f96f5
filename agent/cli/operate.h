// `checkrelay status`, `checkrelay queue ...` and `checkrelay check`: what operators ask for.
#pragma once

#include "agent/cli/cli.h"
#include "agent/cli/stopped.h"
#include "agent/port/registry.h"

namespace checkrelay {

// send, status and the queue commands; `run` and `check` are the caller's to add. Where no agent
// answers, `queue list` and `queue show` read the journal that it left, through `stopped`.
[[nodiscard]] Handlers client_handlers(StoppedJournal stopped = {});
// Prints every fault to standard error, or "FILE: valid". `registry` says what there is.
[[nodiscard]] int check_command(const Arguments& arguments, const Registry& registry);

}  // namespace checkrelay
