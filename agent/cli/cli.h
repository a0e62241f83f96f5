// From a command line to a command: words, options, --help, usage errors.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/command.h"

namespace checkrelay {

// By the command's name. A command without a handler is a usage error.
using Handlers = std::map<std::string_view, std::function<int(const Arguments&)>>;

// `arguments` without the program's name. Returns the exit status. "version" needs no handler.
[[nodiscard]] int run_cli(std::vector<std::string> arguments, const Handlers& handlers);
// The command word, behind -C and --config where they come first; empty where there is none.
[[nodiscard]] std::string command_word(const std::vector<std::string>& arguments);

// Prints the error of a usage to standard error; kExitUsage.
int usage_error(std::string_view command, std::string_view what);

}  // namespace checkrelay
