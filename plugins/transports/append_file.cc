#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "agent/base/text.h"
#include "plugins/transports/append_carrier.h"

namespace checkrelay {
namespace {

constexpr off_t kLongestTail = 4 << 20;  // bytes searched for the end of the last whole line

tl::unexpected<Error> os_error(const std::string& what, const std::string& path, int number) {
  return fail(Errc::unavailable, what + " " + quoted(path, 200) + ": " + std::strerror(number));
}

int retried_open(const char* path, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = ::open(path, flags, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

Result<void> sync_directory_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  std::string directory =
      slash == std::string::npos ? "." : path.substr(0, std::max(slash, std::size_t{1}));
  int fd = retried_open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return os_error("open", directory, errno);
  int failed = ::fsync(fd) < 0 ? errno : 0;
  ::close(fd);
  if (failed) return os_error("sync", directory, failed);
  return {};
}

// 0 or an errno.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return errno;
    if (n == 0) return ENOSPC;
    if (n > 0) bytes.remove_prefix(std::size_t(n));
  }
  return 0;
}

// Where the last whole line within the tail ends; -1 = no line end there.
off_t end_of_last_line(int fd, off_t size) {
  std::array<char, 64 * 1024> block{};
  const off_t stop = std::max<off_t>(0, size - kLongestTail);
  for (off_t end = size; end > stop;) {
    auto length = std::size_t(std::min<off_t>(off_t(block.size()), end - stop));
    ssize_t n = ::pread(fd, block.data(), length, end - off_t(length));
    if (n != ssize_t(length)) return -1;
    std::size_t at = std::string_view(block.data(), length).rfind('\n');
    if (at != std::string_view::npos) return end - off_t(length) + off_t(at) + 1;
    end -= off_t(length);
  }
  return stop == 0 ? 0 : -1;
}

// Does not wait: whoever holds the lock may hold it for ever, and threads of the pool are few. The
// batch is offered again.
class FileLock {
 public:
  explicit FileLock(int fd) : fd_(fd), held_(::flock(fd, LOCK_EX | LOCK_NB) == 0) {}
  ~FileLock() {
    if (held_) ::flock(fd_, LOCK_UN);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  [[nodiscard]] bool held() const { return held_; }

 private:
  int fd_;
  bool held_;
};

}  // namespace

Result<void> AppendFile::append(std::string_view lines) {
  if (auto opened = open_current(); !opened) return opened;
  FileLock lock(fd_);
  if (!lock.held() && errno == EWOULDBLOCK)
    return fail(Errc::unavailable, quoted(path_, 200) + " is locked by another process");
  if (!lock.held()) return os_error("lock", path_, errno);
  return write_locked(lines);
}

Result<void> AppendFile::write_locked(std::string_view lines) {
  if (auto cut = cut_torn_line(lines.substr(0, 1)); !cut) return cut;
  struct stat before {};
  if (::fstat(fd_, &before) < 0) return os_error("stat", path_, errno);
  int failed = write_all(fd_, lines);
  if (!failed && ::fdatasync(fd_) < 0) failed = errno;
  if (!failed) return {};
  if (::ftruncate(fd_, before.st_size) < 0) return os_error("write and truncate", path_, failed);
  return os_error("write", path_, failed);
}

// A writer that died within a line never said that the line is kept, so its results come again.
// What does not begin as our lines do is somebody else's and stays.
Result<void> AppendFile::cut_torn_line(std::string_view beginning) {
  struct stat now {};
  if (::fstat(fd_, &now) < 0) return os_error("stat", path_, errno);
  off_t end = end_of_last_line(fd_, now.st_size);
  if (end == now.st_size) return {};
  char first = 0;
  if (end < 0 || ::pread(fd_, &first, 1, end) != 1 || beginning != std::string_view(&first, 1)) {
    return fail(Errc::invalid, quoted(path_, 200) + " does not end with a line of ours");
  }
  if (::ftruncate(fd_, end) < 0) return os_error("truncate", path_, errno);
  return {};
}

Result<void> AppendFile::open_current() {
  if (fd_ >= 0 && is_current()) return {};
  close();
  return open_new();
}

bool AppendFile::is_current() const {
  struct stat named {
  }, open{};
  return ::stat(path_.c_str(), &named) == 0 && ::fstat(fd_, &open) == 0 &&
         named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

Result<void> AppendFile::open_new() {
  constexpr int kFlags =
      O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;  // a FIFO must not block us
  fd_ = retried_open(path_.c_str(), kFlags | O_CREAT | O_EXCL, 0640);
  const bool made = fd_ >= 0;
  if (!made && errno == EEXIST) fd_ = retried_open(path_.c_str(), kFlags);
  if (fd_ < 0) return os_error("open", path_, errno);
  struct stat kind {};
  if (::fstat(fd_, &kind) < 0 || !S_ISREG(kind.st_mode)) {
    close();
    return fail(Errc::invalid, quoted(path_, 200) + " is no regular file");
  }
  if (!made) return {};
  auto synced = sync_directory_of(path_);
  if (!synced) {
    ::unlink(path_.c_str());  // or the next try would find the file and not sync its name
    close();
  }
  return synced;
}

void AppendFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace checkrelay
