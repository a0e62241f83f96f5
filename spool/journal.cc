#include "spool/journal.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/journal_front.h"
#include "spool/memory_store.h"
#include "spool/sqlite_store.h"
#include "spool/state_lock.h"

namespace checkrelay {
namespace {

bool is_missing_log(const std::string& directory) {
  struct stat st {};
  const std::string database = directory + "/journal.db";
  return stat(database.c_str(), &st) == 0 && st.st_size > 0 &&
         access((database + "-wal").c_str(), F_OK) != 0;
}

}  // namespace

Result<std::unique_ptr<Journal>> open_sqlite_journal(const JournalOptions& options,
                                                     std::function<void()> wake,
                                                     std::vector<std::string>* reports) {
  auto lock = std::make_shared<StateLock>();
  if (auto ok = lock->take(options.directory); !ok) return tl::unexpected(ok.error());
  SqliteStoreOptions store_options;
  store_options.directory = options.directory;
  store_options.vfs = options.vfs;
  std::vector<std::string> found;
  const auto left_by = lock->left_by();
  const bool log_missing = !left_by.empty() && is_missing_log(options.directory);
  auto store = SqliteStore::open(std::move(store_options), &found);
  if (!store) return tl::unexpected(store.error());
  auto journal = std::make_unique<JournalFront>(std::move(*store), options, std::move(wake), true,
                                                std::move(lock));
  if (log_missing)
    found.push_back(
        fmt::format("process {} did not end in order and yet there is no write-ahead log: "
                    "what it accepted last is lost, where that was not in the database",
                    left_by));
  if (reports != nullptr) *reports = std::move(found);
  if (!journal->opened()) return tl::unexpected(journal->opened().error());
  if (reports == nullptr) return journal;
  reports->insert(reports->end(), journal->opening_reports().begin(),
                  journal->opening_reports().end());
  return journal;
}

std::unique_ptr<Journal> make_memory_journal(const DeskOptions& options,
                                             std::function<void()> wake) {
  return std::make_unique<JournalFront>(std::make_unique<MemoryStore>(), options, std::move(wake),
                                        false);
}

}  // namespace checkrelay
