// `checkrelay status`, `checkrelay queue ...` and `checkrelay check`: what operators ask for.
#pragma once

#include "agent/cli/cli.h"
#include "agent/cli/stopped.h"
#include "agent/port/bundle.h"
#include "agent/port/registry.h"

namespace checkrelay {

// What commands need and only the wiring knows.
struct Tools {
  StoppedJournal stopped{};
  Bundles bundles{};
};

// send, status and the queue commands; `run` and `check` are the caller's to add. Where no agent
// answers, `queue list`, `queue show` and `queue export` read the journal that it left.
[[nodiscard]] Handlers client_handlers(Tools tools = {});
// Prints every fault to standard error, or "FILE: valid". `registry` says what there is.
[[nodiscard]] int check_command(const Arguments& arguments, const Registry& registry);

}  // namespace checkrelay
