#include "tests/spool/journal/power_loss_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace checkrelay::power_loss {
namespace {

struct Change {
  sqlite3_int64 offset = 0;
  sqlite3_int64 size_before = 0;
  std::string before{}, after{};  // bytes at offset
  bool truncate = false;
};

struct State {
  std::mutex mutex;
  std::map<std::string, std::vector<Change>> unsynced;
  std::uint64_t operations = 0, crash_at = 0;
  bool crashed = false;
  Fault fault = Fault::none;
};
State& state() {
  static State s;
  return s;
}

struct File {
  sqlite3_file base;
  sqlite3_file* real;
  char path[512];
};
File* self(sqlite3_file* f) { return reinterpret_cast<File*>(f); }
sqlite3_file* real(sqlite3_file* f) { return self(f)->real; }
sqlite3_vfs* system_vfs() { return sqlite3_vfs_find("unix"); }

// True where the power is gone. REQUIRES: the mutex is held.
bool count_operation() {
  State& s = state();
  ++s.operations;
  if (s.crash_at != 0 && s.operations >= s.crash_at) s.crashed = true;
  return s.crashed;
}

std::string read_back(sqlite3_file* f, sqlite3_int64 offset, sqlite3_int64 size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  real(f)->pMethods->xRead(real(f), bytes.data(), static_cast<int>(size), offset);
  return bytes;
}

sqlite3_int64 size_of(sqlite3_file* f) {
  sqlite3_int64 size = 0;
  real(f)->pMethods->xFileSize(real(f), &size);
  return size;
}

int close_file(sqlite3_file* f) {
  const int code = real(f)->pMethods->xClose(real(f));
  sqlite3_free(self(f)->real);
  return code;
}

int read_file(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed) return SQLITE_IOERR_READ;
  return real(f)->pMethods->xRead(real(f), to, n, at);
}

int write_file(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed) return SQLITE_IOERR_WRITE;
  if (state().fault == Fault::full) return SQLITE_FULL;
  if (state().fault == Fault::write) return SQLITE_IOERR_WRITE;
  Change c;
  c.offset = at;
  c.size_before = size_of(f);
  c.before = read_back(f, at, n);
  c.after.assign(static_cast<const char*>(from), static_cast<std::size_t>(n));
  state().unsynced[self(f)->path].push_back(std::move(c));
  const int code = real(f)->pMethods->xWrite(real(f), from, n, at);
  return count_operation() ? SQLITE_IOERR_WRITE : code;
}

int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed) return SQLITE_IOERR_TRUNCATE;
  Change c;
  c.truncate = true;
  c.offset = size;
  c.size_before = size_of(f);
  if (c.size_before > size) c.before = read_back(f, size, c.size_before - size);
  state().unsynced[self(f)->path].push_back(std::move(c));
  const int code = real(f)->pMethods->xTruncate(real(f), size);
  return count_operation() ? SQLITE_IOERR_TRUNCATE : code;
}

int sync_file(sqlite3_file* f, int) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed || count_operation()) return SQLITE_IOERR_FSYNC;
  if (state().fault == Fault::sync) return SQLITE_IOERR_FSYNC;
  state().unsynced.erase(self(f)->path);  // no real sync: the power of this machine stays on
  return SQLITE_OK;
}

int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return real(f)->pMethods->xFileSize(real(f), size);
}
int lock_file(sqlite3_file* f, int l) { return real(f)->pMethods->xLock(real(f), l); }
int unlock_file(sqlite3_file* f, int l) { return real(f)->pMethods->xUnlock(real(f), l); }
int check_lock(sqlite3_file* f, int* out) {
  return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
int control(sqlite3_file* f, int op, void* arg) {
  if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_NOTFOUND;
  return real(f)->pMethods->xFileControl(real(f), op, arg);
}
int sector_size(sqlite3_file*) { return 512; }
int characteristics(sqlite3_file*) { return 0; }

// Version 1: no shared memory, so the journal must be able to do without (exclusive locking).
const sqlite3_io_methods kMethods = {
    1,         close_file,  read_file,  write_file, truncate_file, sync_file,       file_size,
    lock_file, unlock_file, check_lock, control,    sector_size,   characteristics, nullptr,
    nullptr,   nullptr,     nullptr,    nullptr,    nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
  f->pMethods = nullptr;
  {
    const std::lock_guard lock(state().mutex);
    if (state().crashed) return SQLITE_CANTOPEN;
  }
  sqlite3_vfs* vfs = system_vfs();
  auto* inner = static_cast<sqlite3_file*>(sqlite3_malloc(vfs->szOsFile));
  std::memset(inner, 0, static_cast<std::size_t>(vfs->szOsFile));
  const int code = vfs->xOpen(vfs, name, inner, flags, out);
  if (code != SQLITE_OK) {
    sqlite3_free(inner);
    return code;
  }
  self(f)->real = inner;
  std::strncpy(self(f)->path, name != nullptr ? name : "", sizeof(File::path) - 1);
  f->pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_dir) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed || count_operation()) return SQLITE_IOERR_DELETE;
  state().unsynced.erase(name);
  return system_vfs()->xDelete(system_vfs(), name, sync_dir);
}

void apply(int fd, sqlite3_int64 offset, const std::string& bytes, std::size_t from,
           std::size_t n) {
  if (pwrite(fd, bytes.data() + from, n, offset + static_cast<sqlite3_int64>(from)) < 0) return;
}

// Undoes newest first, then lets some sectors of some writes have reached the disk after all.
void lose_file(const std::string& path, const std::vector<Change>& changes,
               std::mt19937_64& random) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  for (auto it = changes.rbegin(); it != changes.rend(); ++it) {
    apply(fd, it->offset, it->before, 0, it->before.size());
    if (ftruncate(fd, it->size_before) != 0) break;
  }
  const bool nothing_arrived = random() % 4 == 0;
  for (const Change& c : changes) {
    if (nothing_arrived) break;
    if (c.truncate && random() % 2 == 0) (void)!ftruncate(fd, c.offset);
    for (std::size_t at = 0; at < c.after.size(); at += 512)
      if (random() % 2 == 0)
        apply(fd, c.offset, c.after, at, std::min<std::size_t>(512, c.after.size() - at));
  }
  close(fd);
}

}  // namespace

void install() {
  static sqlite3_vfs vfs = *system_vfs();
  static bool done = false;
  if (std::exchange(done, true)) return;
  vfs.zName = kVfs;
  vfs.pNext = nullptr;
  vfs.szOsFile = sizeof(File);
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  sqlite3_vfs_register(&vfs, 0);
}

void arm(std::uint64_t crash_at) {
  const std::lock_guard lock(state().mutex);
  state().unsynced.clear();
  state().operations = 0;
  state().crash_at = crash_at;
  state().crashed = false;
  state().fault = Fault::none;
}

bool crashed() {
  const std::lock_guard lock(state().mutex);
  return state().crashed;
}

std::uint64_t operations() {
  const std::lock_guard lock(state().mutex);
  return state().operations;
}

void lose(std::uint64_t seed) {
  const std::lock_guard lock(state().mutex);
  std::mt19937_64 random(seed);
  for (const auto& [path, changes] : state().unsynced) lose_file(path, changes, random);
  state().unsynced.clear();
}

void set_fault(Fault fault) {
  const std::lock_guard lock(state().mutex);
  state().fault = fault;
}

}  // namespace checkrelay::power_loss
