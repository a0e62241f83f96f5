// The queue of an agent that does not run, as its journal was left: the agent's own answers, read
// beside nobody and without changing anything.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/base/result.h"
#include "agent/cli/client.h"
#include "agent/port/journal.h"

namespace checkrelay {

// How commands come to a journal without an agent; whoever wires the program knows.
struct StoppedJournal {
  // Opens the journal in a state directory to be looked at.
  std::function<Result<std::unique_ptr<Journal>>(const std::string& directory)> read{};
  // The process that has the state directory, empty where none has.
  std::function<std::string(const std::string& directory)> holder{};
};

// Where no process has the directory; to be looked at alone.
[[nodiscard]] Result<std::unique_ptr<Journal>> left_journal(const StoppedJournal& stopped,
                                                            const std::string& directory);
// What the agent would answer to this GET.
[[nodiscard]] HttpAnswer ask_journal(Journal& journal, const std::string& target);

}  // namespace checkrelay
