#include "spool/sqlite_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "agent/base/log.h"
#include "agent/base/text.h"
#include "spool/schema.h"

namespace checkrelay {
namespace {

constexpr off_t kReserve = 4 << 20;  // bytes: room for many settlements

constexpr const char* kPragmas =
    "PRAGMA auto_vacuum=INCREMENTAL;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA secure_delete=OFF;"
    "PRAGMA journal_size_limit=16777216;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA cell_size_check=ON;";

// SQLite takes over the mode of a file that is there; it would make one that others can read.
bool make_private(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  const bool ok = fchmod(fd, 0600) == 0;
  close(fd);
  return ok;
}

void sync_directory(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteStoreOptions options,
                                                       std::vector<std::string>* reports) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
  const auto tail = store->look_before();
  auto ok = tail ? store->connect_over(*tail) : tl::unexpected(tail.error());
  if (reports != nullptr) *reports = store->take_reports();
  if (!ok) return tl::unexpected(ok.error());
  store->keep_reserve();
  return store;
}

SqliteStore::~SqliteStore() { db_.close(); }

Result<void> SqliteStore::connect() {
  db_.close();
  db_.clear_error();
  in_transaction_ = false;
  names_.clear();
  if (!make_private(path()))
    return fail(Errc::unavailable,
                fmt::format("cannot open {}: {}", quoted(path(), 200), std::strerror(errno)));
  sync_directory(options_.directory);
  if (!db_.open(path(), options_.vfs)) return tl::unexpected(db_.as_error());
  return set_up();
}

Result<void> SqliteStore::set_up() {
  // First: what comes then would already make the shared memory file.
  if (!db_.exec("PRAGMA locking_mode=EXCLUSIVE")) return tl::unexpected(db_.as_error());
  // Before anything that writes: what is not ours is left as it is.
  if (const auto version = format_of(db_); !version) return tl::unexpected(version.error());
  if (!db_.exec(kPragmas)) return tl::unexpected(db_.as_error());
  db_.sync_commits(true);
  if (auto ok = migrate(db_); !ok) return ok;
  return look_around();
}

// Touches what a start depends on, so that damage there shows now.
Result<void> SqliteStore::look_around() {
  (void)lanes();
  (void)oldest_log();
  (void)appended();
  (void)newest_trail();
  (void)asides({false, std::nullopt, 0, 1});
  const bool key = hash_key().size() == 16;
  if (db_.error() != SQLITE_OK) return tl::unexpected(db_.as_error());
  if (!key) return fail(Errc::corrupt, "the journal has lost its key");
  return {};
}

// After a failed sync the kernel may call pages clean that never reached the disk. Bringing the log
// into the database writes them again, and that sync counts.
void SqliteStore::reopen() {
  ++reopened_;
  if (auto ok = suspect_ ? renew(db_.what()) : connect_or_renew(); !ok) {
    db_.note_trouble(ok.error());
    return;
  }
  suspect_ = false;
  db_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  broken_ = db_.error() != SQLITE_OK;
}

void SqliteStore::begin(Sync sync) {
  if (in_transaction_ || reading_) return;
  if (broken_ || db_.error() != SQLITE_OK) {
    suspect_ = suspect_ || db_.damaged();
    broken_ = true;
    reopen();
  }
  db_.sync_commits(sync == Sync::now);
  in_transaction_ = Query(db_, "BEGIN IMMEDIATE").run();
}

Result<void> SqliteStore::commit() {
  const bool begun = std::exchange(in_transaction_, false);
  if (begun && db_.error() == SQLITE_OK && Query(db_, "COMMIT").run()) {
    if (!reserve_) keep_reserve();
    return {};
  }
  Error error = db_.as_error();
  if (db_.error() == SQLITE_FULL) {
    (void)unlink(reserve_path().c_str());
    reserve_ = false;
    short_of_room_ = true;
  }
  if (error.code == Errc::corrupt) error.code = Errc::unavailable;
  suspect_ = suspect_ || db_.damaged();
  broken_ = true;
  if (db_.is_open() && sqlite3_get_autocommit(db_.handle()) == 0)
    sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  return tl::unexpected(std::move(error));
}

void SqliteStore::keep_reserve() {
  const int fd = ::open(reserve_path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  const int code = posix_fallocate(fd, 0, kReserve);
  reserve_ = code == 0;
  short_of_room_ = code == ENOSPC || code == EDQUOT;
  close(fd);
  if (!reserve_) (void)unlink(reserve_path().c_str());
}

Room SqliteStore::room() {
  Query pages(db_, "PRAGMA page_count");
  const auto count = pages.row() ? pages.get_number() : 0;
  Query spare(db_, "PRAGMA freelist_count");
  const auto free = spare.row() ? spare.get_number() : 0;
  const auto wal = static_cast<std::uint64_t>(db_.wal_pages());
  return {(count + wal) * 4096, (count - std::min(free, count)) * 4096};
}

bool SqliteStore::tidy(bool idle) {
  if (broken_ || failed()) return false;
  if (db_.wal_pages() >= options_.checkpoint_pages) {
    db_.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    names_.clear();  // so that the next log has its journal's key in it, beside a name
  }
  if (!idle) return false;
  Query pages(db_, "PRAGMA page_count");
  const auto count = pages.row() ? pages.get_number() : 0;
  Query spare(db_, "PRAGMA freelist_count");
  const auto free = spare.row() ? spare.get_number() : 0;
  if (free < 1024 || free * 4 < count) return false;
  Query(db_, "PRAGMA incremental_vacuum(256)").run();
  return !failed();
}

}  // namespace checkrelay
