// Opens a journal (agent/port/journal.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/port/journal.h"
#include "spool/desk.h"

namespace checkrelay {

struct JournalOptions : DeskOptions {
  std::string directory{};  // the state directory; made (mode 0700) where it is missing
  std::string vfs{};        // SQLite's, for tests; "" = the default one
};

// On SQLite, with a writer thread. `wake` is called from that thread when poll() has something to
// do; it must be callable until the journal is destroyed. `reports` (may be null) gets a line for
// whatever was found damaged. Errors: refused (another process has the directory), unsupported (a
// newer or foreign database), unavailable.
[[nodiscard]] Result<std::unique_ptr<Journal>> open_sqlite_journal(
    const JournalOptions& options, std::function<void()> wake, std::vector<std::string>* reports);

// The journal of an agent that does not run, to be looked at: nothing is changed, made or locked,
// and what would change it is refused. Errors: unavailable (there is none, or not for this user),
// unsupported, corrupt.
[[nodiscard]] Result<std::unique_ptr<Journal>> read_sqlite_journal(const std::string& directory);
// Who holds the lock of the directory, as told by the lock's file; empty where nobody does.
[[nodiscard]] std::string holder_of_state(const std::string& directory);

// In memory, without a thread: `wake` is called from within stage(), claim() and the like.
[[nodiscard]] std::unique_ptr<Journal> make_memory_journal(const DeskOptions& options = {},
                                                           std::function<void()> wake = nullptr);

}  // namespace checkrelay
