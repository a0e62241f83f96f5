#include "tests/spool/journal/power_loss_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace checkrelay::power_loss {
namespace {

struct Change {
  std::size_t offset = 0;
  std::string bytes{};
  bool truncate = false;  // to `offset`
};

// What is known of a file beyond its present bytes.
struct Disk {
  ino_t inode = 0;
  std::string durable{};
  std::vector<Change> unsynced{};
};

struct State {
  std::mutex mutex;
  std::map<std::string, Disk> disks;
  std::uint64_t operations = 0, crash_at = 0;
  bool crashed = false;
  std::array<std::uint64_t, std::size(kCalls)> calls{};
  std::optional<Failure> failure;
  bool struck = false;
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
Disk& disk_of(sqlite3_file* f) { return state().disks[self(f)->path]; }

// True where the power is gone. REQUIRES: the mutex is held.
bool count_operation() {
  State& s = state();
  ++s.operations;
  if (s.crash_at != 0 && s.operations >= s.crash_at) s.crashed = true;
  return s.crashed;
}

// The way in which the call at hand has to fail. REQUIRES: the mutex is held.
std::optional<How> strike(Call call) {
  State& s = state();
  const auto n = ++s.calls[static_cast<std::size_t>(call)];
  if (!s.failure || s.failure->call != call) return std::nullopt;
  if (s.failure->at == 0) s.failure->at = n;
  if (n != s.failure->at && !(s.failure->lasting && n > s.failure->at)) return std::nullopt;
  s.struck = true;
  return s.failure->how;
}

int code_of(How how, int io_error) {
  return how == How::full || how == How::torn_full ? SQLITE_FULL : io_error;
}

void apply(std::string& image, const Change& c) {
  if (c.truncate) return image.resize(c.offset);
  if (image.size() < c.offset + c.bytes.size()) image.resize(c.offset + c.bytes.size());
  image.replace(c.offset, c.bytes.size(), c.bytes);
}

std::string read_whole(const std::string& path) {
  std::string bytes;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bytes;
  char piece[65536];
  for (ssize_t n = 0; (n = read(fd, piece, sizeof piece)) > 0;)
    bytes.append(piece, static_cast<std::size_t>(n));
  close(fd);
  return bytes;
}

// What is in a file when it is first seen is on the disk. A new file of the same name is another.
void meet(const std::string& path) {
  struct stat st {};
  if (stat(path.c_str(), &st) != 0) return;
  Disk& disk = state().disks[path];
  if (disk.inode == st.st_ino) return;
  disk = {st.st_ino, read_whole(path), {}};
}

int close_file(sqlite3_file* f) {
  const int code = real(f)->pMethods->xClose(real(f));
  sqlite3_free(self(f)->real);
  return code;
}

int read_file(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed || strike(Call::read)) return SQLITE_IOERR_READ;
  return real(f)->pMethods->xRead(real(f), to, n, at);
}

int write_file(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed) return SQLITE_IOERR_WRITE;
  const auto how = strike(Call::write);
  if (how == How::io_error || how == How::full) return code_of(*how, SQLITE_IOERR_WRITE);
  if (how) n /= 2;
  disk_of(f).unsynced.push_back(
      {static_cast<std::size_t>(at),
       std::string(static_cast<const char*>(from), static_cast<std::size_t>(n)), false});
  const int code = real(f)->pMethods->xWrite(real(f), from, n, at);
  if (how) return code_of(*how, SQLITE_IOERR_WRITE);
  return count_operation() ? SQLITE_IOERR_WRITE : code;
}

int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed || strike(Call::truncate)) return SQLITE_IOERR_TRUNCATE;
  disk_of(f).unsynced.push_back({static_cast<std::size_t>(size), {}, true});
  const int code = real(f)->pMethods->xTruncate(real(f), size);
  return count_operation() ? SQLITE_IOERR_TRUNCATE : code;
}

int sync_file(sqlite3_file* f, int) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed || count_operation()) return SQLITE_IOERR_FSYNC;
  // No real sync: the power of this machine stays on.
  const auto changes = std::exchange(disk_of(f).unsynced, {});
  if (const auto how = strike(Call::sync)) return code_of(*how, SQLITE_IOERR_FSYNC);
  for (const Change& c : changes) apply(disk_of(f).durable, c);
  return SQLITE_OK;
}

int file_size(sqlite3_file* f, sqlite3_int64* size) {
  const std::lock_guard lock(state().mutex);
  if (strike(Call::size)) return SQLITE_IOERR_FSTAT;
  return real(f)->pMethods->xFileSize(real(f), size);
}
int lock_file(sqlite3_file* f, int l) {
  const std::lock_guard lock(state().mutex);
  if (strike(Call::lock)) return SQLITE_IOERR_LOCK;
  return real(f)->pMethods->xLock(real(f), l);
}
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
  const std::lock_guard lock(state().mutex);
  if (state().crashed || strike(Call::open)) return SQLITE_CANTOPEN;
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
  meet(self(f)->path);
  f->pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_dir) {
  const std::lock_guard lock(state().mutex);
  if (state().crashed || count_operation() || strike(Call::remove)) return SQLITE_IOERR_DELETE;
  state().disks.erase(name);
  return system_vfs()->xDelete(system_vfs(), name, sync_dir);
}

int access_file(sqlite3_vfs*, const char* name, int flags, int* out) {
  const std::lock_guard lock(state().mutex);
  if (strike(Call::access)) return SQLITE_IOERR_ACCESS;
  return system_vfs()->xAccess(system_vfs(), name, flags, out);
}

// Some sectors of some writes have reached the disk after all.
std::string after_loss(const Disk& disk, std::mt19937_64& random) {
  std::string image = disk.durable;
  if (random() % 4 == 0) return image;
  for (const Change& c : disk.unsynced) {
    if (c.truncate && random() % 2 == 0) apply(image, c);
    for (std::size_t at = 0; at < c.bytes.size(); at += 512)
      if (random() % 2 == 0) apply(image, {c.offset + at, c.bytes.substr(at, 512), false});
  }
  return image;
}

void overwrite(const std::string& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) return;
  (void)!write(fd, bytes.data(), bytes.size());
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
  vfs.xAccess = access_file;
  sqlite3_vfs_register(&vfs, 0);
}

void arm(std::uint64_t crash_at) {
  const std::lock_guard lock(state().mutex);
  State& s = state();
  for (auto& [path, disk] : s.disks) disk = {disk.inode, read_whole(path), {}};
  s.operations = 0;
  s.crash_at = crash_at;
  s.crashed = s.struck = false;
  s.calls = {};
  s.failure.reset();
}

void cut() {
  const std::lock_guard lock(state().mutex);
  state().crashed = true;
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
  for (const auto& [path, disk] : std::exchange(state().disks, {}))
    overwrite(path, after_loss(disk, random));
}

const char* to_string(Call call) {
  constexpr const char* kNames[] = {"open", "read", "write",  "truncate", "sync",
                                    "size", "lock", "access", "remove"};
  return kNames[static_cast<std::size_t>(call)];
}

std::uint64_t calls(Call call) {
  const std::lock_guard lock(state().mutex);
  return state().calls[static_cast<std::size_t>(call)];
}

void fail(const Failure& failure) {
  const std::lock_guard lock(state().mutex);
  state().failure = failure;
  state().struck = false;
}

void heal() {
  const std::lock_guard lock(state().mutex);
  state().failure.reset();
}

bool struck() {
  const std::lock_guard lock(state().mutex);
  return state().struck;
}

}  // namespace checkrelay::power_loss
