// `checkrelay doctor`: what is wrong here, and what to do about it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/cli/command.h"
#include "agent/port/finding.h"
#include "agent/port/registry.h"

namespace checkrelay {

// What the doctor cannot know without the journal's code.
struct JournalDoctor {
  std::function<std::vector<Finding>(const std::string& directory, Wall now)> examine{};
  std::function<std::string(const std::string& directory)> holder{};  // as StoppedJournal's
};

[[nodiscard]] int doctor_command(const Arguments& arguments, const Registry& registry,
                                 const JournalDoctor& journal);
// For people, and for scripts.
[[nodiscard]] std::string findings_text(const std::vector<Finding>& findings);
[[nodiscard]] std::string findings_json(const std::vector<Finding>& findings);

}  // namespace checkrelay
