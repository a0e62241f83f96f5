// `checkrelay run`: builds the agent's world from a configuration and keeps it going until it is
// told to stop.
#pragma once

#include <string>

#include "agent/port/registry.h"

namespace checkrelay {

// In the foreground. SIGTERM and SIGINT drain (at most agent.drain) and stop, a second one stops at
// once; SIGHUP reloads. Returns the exit status: 0 stopped, 1 could not run (the reasons are on
// stderr).
[[nodiscard]] int run_agent(const std::string& config_file, const Registry& registry);

}  // namespace checkrelay
