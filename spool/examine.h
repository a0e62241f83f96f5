// Verifies a journal without changing it: the checksum of every record, SQLite's own structure, and
// that what each destination's accounts say waits is what does. Blocking, reads all of it. Beside
// an agent that runs it reads piece by piece, and again what was written under it.
#pragma once

#include <string>
#include <vector>

#include "agent/base/time.h"
#include "agent/port/finding.h"

namespace checkrelay {

[[nodiscard]] std::vector<Finding> examine_journal(const std::string& directory, Wall now);

}  // namespace checkrelay
