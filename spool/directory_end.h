// How a file of a spool directory ends: removed, or kept in rejected/ with its reasons. Blocking, a
// few system calls.
#pragma once

#include "agent/base/result.h"
#include "spool/directory_file.h"

namespace checkrelay::spool {

// Removes the file, and a check file's ".ok". A file that is gone already is no error.
[[nodiscard]] Result<void> remove_file(const OpenFile& file);
// Writes rejected/NAME.why (line and reason each), then moves the file to rejected/NAME; with a
// number behind the name where that is taken. On error nothing of it is left and the file is where
// it was.
[[nodiscard]] Result<std::string> reject_file(const FileInHand& file);  // the name in rejected/

}  // namespace checkrelay::spool
