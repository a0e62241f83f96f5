// Hands results in through a spool directory: what `send` does when no agent answers. Small on
// purpose: no loop, no libraries beyond base and model. Blocking; any thread.
#pragma once

#include <span>
#include <string>

#include "agent/base/result.h"
#include "agent/model/check_result.h"

namespace checkrelay {

// Writes the results as one file, an object a line, under a hidden name; syncs it, renames it in,
// syncs the directory. Returns the file's path: then the results survive a power failure. Names
// sort by time. Mode 0640. On error nothing is left behind; Errc::full where there is no room,
// Errc::unavailable for everything else that the system says.
[[nodiscard]] Result<std::string> write_spool_file(const std::string& directory,
                                                   std::span<const CheckResult> results);

// One result as a line of that file, without its end. Text that is not UTF-8 is mended.
void append_result_json(std::string& out, const CheckResult& result);

}  // namespace checkrelay
