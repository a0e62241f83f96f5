#include "spool/snapshot_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>

namespace checkrelay {
namespace {

constexpr long kFresh = 20'000'000;  // ns; some ticks of the kernel's clock
constexpr std::size_t kLogHead = 32;

// As SQLite wants it: the methods come first. A file that is not there is empty.
struct File {
  sqlite3_file base{};
  int fd = -1;
  sqlite3_int64 size = 0;
};

File& self(sqlite3_file* f) { return *reinterpret_cast<File*>(f); }

int close_file(sqlite3_file* f) {
  if (self(f).fd >= 0) ::close(self(f).fd);
  self(f).fd = -1;
  return SQLITE_OK;
}

// Bytes behind the end are zero (sqlite.org/c3ref/io_methods.html).
int read_file(sqlite3_file* f, void* to, int amount, sqlite3_int64 offset) {
  auto* out = static_cast<char*>(to);
  const sqlite3_int64 there = std::max<sqlite3_int64>(self(f).size - offset, 0);
  auto wanted = static_cast<std::size_t>(std::min<sqlite3_int64>(amount, there));
  std::size_t got = 0;
  while (got < wanted) {
    const auto n =
        ::pread(self(f).fd, out + got, wanted - got, offset + static_cast<sqlite3_int64>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SQLITE_IOERR_READ;
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  if (got == static_cast<std::size_t>(amount)) return SQLITE_OK;
  std::memset(out + got, 0, static_cast<std::size_t>(amount) - got);
  return SQLITE_IOERR_SHORT_READ;
}

int file_size(sqlite3_file* f, sqlite3_int64* size) {
  *size = self(f).size;
  return SQLITE_OK;
}

int lock_reserved(sqlite3_file*, int* result) {
  *result = 0;
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    1,
    close_file,
    read_file,
    [](sqlite3_file*, const void*, int, sqlite3_int64) { return SQLITE_READONLY; },
    [](sqlite3_file*, sqlite3_int64) { return SQLITE_READONLY; },
    [](sqlite3_file*, int) { return SQLITE_OK; },
    file_size,
    [](sqlite3_file*, int) { return SQLITE_OK; },
    [](sqlite3_file*, int) { return SQLITE_OK; },
    lock_reserved,
    [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; },
    [](sqlite3_file*) { return 4096; },
    [](sqlite3_file*) { return 0; },
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

int open_file(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* f, int flags, int* out_flags) {
  auto* file = new (f) File;
  if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0 || name == nullptr)
    return SQLITE_CANTOPEN;
  file->fd = ::open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file->fd < 0 && (errno != ENOENT || (flags & SQLITE_OPEN_WAL) == 0)) return SQLITE_CANTOPEN;
  struct stat about {};
  if (file->fd >= 0 && (::fstat(file->fd, &about) != 0 || !S_ISREG(about.st_mode))) {
    (void)close_file(f);
    return SQLITE_CANTOPEN;
  }
  file->size = about.st_size;
  file->base.pMethods = &kMethods;
  if (out_flags != nullptr)
    *out_flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  return SQLITE_OK;
}

// Of the files beside a database only the write-ahead log is looked for.
int has_access(sqlite3_vfs*, const char* name, int flags, int* result) {
  const std::size_t n = std::strlen(name);
  const bool log = n > 4 && std::strcmp(name + n - 4, "-wal") == 0;
  *result = log && flags != SQLITE_ACCESS_READWRITE && ::access(name, F_OK) == 0 ? 1 : 0;
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs*, const char*, int) { return SQLITE_READONLY; }

struct Registered {
  Registered() {
    vfs = *sqlite3_vfs_find(nullptr);  // names, time and chance are the usual ones
    vfs.zName = "checkrelay-snapshot";
    vfs.szOsFile = sizeof(File);
    vfs.pNext = nullptr;
    vfs.xOpen = open_file;
    vfs.xDelete = remove_file;
    vfs.xAccess = has_access;
    sqlite3_vfs_register(&vfs, 0);
  }
  sqlite3_vfs vfs{};
};

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

std::string head_of(const std::string& path) {
  std::array<char, kLogHead> bytes{};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return {};
  const auto n = ::pread(fd, bytes.data(), bytes.size(), 0);
  ::close(fd);
  return n > 0 ? std::string(bytes.data(), static_cast<std::size_t>(n)) : std::string();
}

}  // namespace

const char* snapshot_vfs() {
  static const Registered kRegistered;
  return kRegistered.vfs.zName;
}

void Glance::look() {
  database_ = {};
  (void)::stat(path_.c_str(), &database_);
  log_head_ = head_of(path_ + "-wal");
}

bool Glance::still_so() const {
  const Glance now(path_);
  const bool log = log_head_ == now.log_head_;
  return log && database_.st_ino == now.database_.st_ino &&
         database_.st_size == now.database_.st_size &&
         same_time(database_.st_mtim, now.database_.st_mtim);
}

bool Glance::too_fresh() const {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const long age = (now.tv_sec - database_.st_mtim.tv_sec) * 1'000'000'000L + now.tv_nsec -
                   database_.st_mtim.tv_nsec;
  return age >= 0 && age < kFresh;
}

}  // namespace checkrelay
