#include "agent/cli/job_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/base/percent.h"
#include "agent/base/text.h"

namespace checkrelay {
namespace {

tl::unexpected<Error> failed(const std::string& path, int error) {
  return fail(Errc::unavailable, fmt::format("{}: {}", path, std::strerror(error)));
}

// Ours alone: anybody may make a directory of that name in these places.
Result<int> open_own_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(path, errno);
  int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return failed(path, errno);
  struct stat s {};
  if (::fstat(fd, &s) == 0 && s.st_uid == ::geteuid() && (s.st_mode & 022U) == 0) return fd;
  ::close(fd);
  return fail(Errc::unavailable, path + ": is not this user's alone");
}

Result<int> open_lock_file(const std::string& place, const std::string& name) {
  const std::string path = fmt::format("{}/checkrelay-{}", place, ::geteuid());
  auto dir = open_own_directory(path);
  if (!dir) return dir;
  const std::string file = percent_encoded(name) + ".lock";
  int fd = ::openat(*dir, file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  int error = errno;
  ::close(*dir);
  if (fd < 0) return failed(path + "/" + file, error);
  return fd;
}

std::string holder(int fd) {
  std::array<char, 32> text{};
  ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  auto pid =
      parse_integer(trimmed({text.data(), static_cast<std::size_t>(n > 0 ? n : 0)}), 1, 0x7FFFFFFF);
  return pid ? fmt::format("process {}", *pid) : "another run";
}

// For people alone: the lock does not depend on it.
void write_own_number(int fd) {
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) < 0) return;
}

}  // namespace

JobLock::~JobLock() {
  if (fd_ >= 0) ::close(fd_);
}

JobLock::JobLock(JobLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

JobLock& JobLock::operator=(JobLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Result<JobLock> JobLock::take(const std::string& name) {
  Result<int> fd = -1;
  for (const char* place : {"/run/lock", "/tmp"}) {
    fd = open_lock_file(place, name);
    if (fd) break;
  }
  if (!fd)
    return fail(Errc::unavailable,
                fmt::format("cannot lock {}: {}", quoted(name), fd.error().what));
  JobLock lock(*fd);
  if (::flock(*fd, LOCK_EX | LOCK_NB) == 0) {
    write_own_number(*fd);
    return lock;
  }
  if (errno == EWOULDBLOCK)
    return fail(Errc::refused, fmt::format("{} holds the lock {}", holder(*fd), quoted(name)));
  return fail(Errc::unavailable,
              fmt::format("cannot lock {}: {}", quoted(name), std::strerror(errno)));
}

}  // namespace checkrelay
