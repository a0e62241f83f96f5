// What becomes of a damaged database. The order matters, for the power may go at any point: until
// the new one is whole the damaged one stays in its place; and where there is none in its place,
// the new one is whole.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "agent/base/text.h"
#include "spool/damaged_file.h"
#include "spool/salvage.h"
#include "spool/sqlite_store.h"

namespace checkrelay {
namespace {

constexpr Duration kLeastPause = std::chrono::seconds(5), kMostPause = std::chrono::minutes(5);
constexpr std::uint64_t kMiB = 1U << 20;
constexpr const char* kParts[] = {"", "-wal", "-shm", "-journal"};

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string aside_name(const std::string& path, int n) {
  return fmt::format("{}.damaged-{}", path, n);
}

int aside_count(const std::string& path) {
  int n = 0;
  while (exists(aside_name(path, n + 1))) ++n;
  return n;
}

Steady now(const SqliteStoreOptions& options) {
  return options.clock ? options.clock()
                       : std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

std::uint64_t free_bytes(const std::string& directory) {
  struct statvfs st {};
  if (statvfs(directory.c_str(), &st) != 0) return ~std::uint64_t{0};
  return std::uint64_t{st.f_bavail} * st.f_frsize;
}

bool sync_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = fsync(fd) == 0;
  close(fd);
  return ok;
}

Result<void> move(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return fail(Errc::unavailable, fmt::format("cannot move {} to {}: {}", quoted(from, 200),
                                             quoted(to, 200), std::strerror(errno)));
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::make(SqliteStoreOptions options) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
  for (const char* part : kParts) (void)unlink((store->path() + part).c_str());
  if (auto ok = store->connect(); !ok) return tl::unexpected(ok.error());
  return store;
}

Result<void> SqliteStore::settle_down() {
  if (auto ok = commit(); !ok) return ok;
  db_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  if (failed()) return tl::unexpected(db_.as_error());
  return {};
}

// Before SQLite opens it, which may write to the log.
Result<LogTail> SqliteStore::look_before() {
  const std::string log = path() + "-wal";
  if (!exists(path()) || !exists(log)) return LogTail{};
  auto tail = look_at_log(path());
  if (!tail.foreign) return tail;
  int n = 1;
  while (exists(fmt::format("{}.foreign-{}", log, n))) ++n;
  const auto to = fmt::format("{}.foreign-{}", log, n);
  if (auto ok = move(log, to); !ok) return tl::unexpected(ok.error());
  reports_.push_back(fmt::format(
      "the write-ahead log is another journal's and has been moved aside to {}; what this one's "
      "held, and was not yet in the database, is lost",
      to));
  return LogTail{};
}

// SQLite writes where the damage is, over what is behind it; what is not taken is in the copy.
Result<void> SqliteStore::connect_over(const LogTail& tail) {
  if (tail.empty()) return connect_or_renew();
  if (!knows_lanes_of(tail))
    return renew("its write-ahead log, where destinations were that have records behind it");
  const auto copy = copy_log();
  if (!copy) return tl::unexpected(copy.error());
  auto ok = connect_or_renew();
  if (!ok || renewed_ > 0) return ok;
  if (ok = take_tail(tail); ok || !suspect_) return ok;
  const std::string damage = db_.what();
  db_.close();
  if (auto back = move(*copy, path() + "-wal"); !back) return back;
  return renew(damage);
}

// Nobody would ever get the records of a destination whose row is in the part that is lost.
bool SqliteStore::knows_lanes_of(const LogTail& tail) const {
  const auto seen = read(options_);
  if (!seen) return false;
  LaneMask known = 0;
  for (const LaneRow& row : (*seen)->lanes()) known |= LaneMask{1} << row.lane;
  return !(*seen)->failed() && (tail.lanes & ~known) == 0;
}

// Returns its name.
Result<std::string> SqliteStore::copy_log() {
  const std::string log = path() + "-wal";
  int n = 1;
  while (exists(fmt::format("{}.damaged-{}", log, n))) ++n;
  auto to = fmt::format("{}.damaged-{}", log, n);
  std::error_code error;
  if (std::filesystem::copy_file(log, to, error) && sync_file(to)) return to;
  const int cause = error ? error.value() : errno;
  (void)unlink(to.c_str());
  return fail(cause == ENOSPC ? Errc::full : Errc::unavailable,
              fmt::format("the write-ahead log is damaged, and cannot be copied to {}: {}",
                          quoted(to, 200), std::strerror(cause)));
}

Result<void> SqliteStore::take_tail(const LogTail& tail) {
  begin(Sync::now);
  const auto taken = append_tail(tail, *this);
  if (auto ok = commit(); !ok) return ok;
  if (taken.records + taken.notes == 0) return {};
  std::string report = fmt::format(
      "the write-ahead log was damaged, or cut by a loss of power: {} records behind that could be "
      "read and go on; what was delivered since may be delivered again; the log as it was is "
      "beside "
      "the journal",
      taken.records);
  if (!taken.missing.empty())
    report +=
        fmt::format("; missing are {} runs of numbers, the first is {}-{}", taken.missing.size(),
                    taken.missing.front().first, taken.missing.front().last);
  reports_.push_back(std::move(report));
  return {};
}

Result<void> SqliteStore::connect_or_renew() {
  if (!exists(path()) && exists(salvaged_path()))
    if (auto ok = put_in_place(); !ok) return ok;
  auto ok = connect();
  if (ok || ok.error().code != Errc::corrupt) return ok;
  return renew(std::string(ok.error().what));
}

Result<void> SqliteStore::renew(const std::string& damage) {
  db_.close();
  if (!exists(path()) && exists(salvaged_path())) return connect_or_renew();
  if (auto ok = may_salvage(); !ok) return ok;
  const auto salvaged = salvage_all();
  if (!salvaged) return tl::unexpected(salvaged.error());
  if (auto ok = move_aside(); !ok) return ok;
  if (auto ok = put_in_place(); !ok) return ok;
  reports_.push_back(fmt::format("the journal was damaged ({}) and has been moved aside to {}; {}",
                                 damage, aside_name(path(), aside_count(path())), *salvaged));
  return connect();
}

// A salvage reads and writes everything: where it cannot end well it is not begun, nor again at
// once.
Result<void> SqliteStore::may_salvage() {
  if (salvage_bytes_ == 0) salvage_bytes_ = DamagedFile(path()).bytes_in_use();
  const auto free = options_.free_bytes ? options_.free_bytes() : free_bytes(options_.directory);
  if (free < salvage_bytes_)
    return fail(Errc::full,
                fmt::format("the journal is damaged, and to salvage it takes {} MiB of disk where "
                            "{} MiB are free",
                            salvage_bytes_ / kMiB + 1, free / kMiB));
  if (salvage_pause_.count() > 0 && now(options_) < next_salvage_)
    return tl::unexpected(salvage_error_);
  return {};
}

Result<std::string> SqliteStore::salvage_all() {
  SqliteStoreOptions options = options_;
  options.file += ".salvaged";
  auto salvaged = [&]() -> Result<std::string> {
    auto store = make(options);
    if (!store) return tl::unexpected(store.error());
    return salvage(path(), **store);
  }();
  if (salvaged) {
    salvage_bytes_ = 0;
    salvage_pause_ = {};
    return salvaged;
  }
  remove_salvaged();
  salvage_error_ = salvaged.error();
  salvage_pause_ = std::clamp<Duration>(2 * salvage_pause_, kLeastPause, kMostPause);
  next_salvage_ = now(options_) + salvage_pause_;
  return salvaged;
}

void SqliteStore::remove_salvaged() {
  for (const char* part : kParts) (void)unlink((salvaged_path() + part).c_str());
}

Result<void> SqliteStore::move_aside() {
  return move(path(), aside_name(path(), aside_count(path()) + 1));
}

// Its log goes where the database went; it must not be found beside the new one.
Result<void> SqliteStore::put_in_place() {
  const auto to = aside_name(path(), aside_count(path()));
  for (const char* part : kParts)
    if (exists(path() + part))
      if (auto ok = move(path() + part, to + part); !ok) return ok;
  if (auto ok = move(salvaged_path(), path()); !ok) return ok;
  ++renewed_;
  return {};
}

}  // namespace checkrelay
