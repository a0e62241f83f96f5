#include "spool/state_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

Error cannot(const char* what, const std::string& path) {
  return {Errc::unavailable,
          fmt::format("{} {}: {}", what, quoted(path, 200), std::strerror(errno))};
}

std::string holder(int fd) {
  std::array<char, 32> text{};
  const auto n = pread(fd, text.data(), text.size(), 0);
  return std::string(trimmed({text.data(), n > 0 ? static_cast<std::size_t>(n) : 0}));
}

}  // namespace

std::string state_holder(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat about {};
  const bool there = fd >= 0 && fstat(fd, &about) == 0;
  const std::string pid = there ? holder(fd) : "";
  if (fd >= 0) close(fd);
  if (!there) return {};
  const auto mark = fmt::format(":{} ", about.st_ino);  // proc_locks(5): major:minor:inode
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);)
    if (line.find("FLOCK") != line.npos && line.find(mark) != line.npos)
      return pid.empty() ? "unknown" : pid;
  return {};
}

StateLock::~StateLock() {
  if (fd_ < 0) return;
  if (taken_) (void)!ftruncate(fd_, 0);
  close(fd_);
}

Result<void> StateLock::take(const std::string& directory) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return tl::unexpected(cannot("cannot make", directory));
  const std::string path = directory + "/lock";
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) return tl::unexpected(cannot("cannot open", path));
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0)
    return fail(Errc::refused, fmt::format("the state directory {} is in use by process {}",
                                           quoted(directory, 200), holder(fd_)));
  left_by_ = holder(fd_);
  const auto pid = fmt::format("{}\n", getpid());
  if (ftruncate(fd_, 0) != 0 || pwrite(fd_, pid.data(), pid.size(), 0) < 0)
    return tl::unexpected(cannot("cannot write", path));
  taken_ = true;
  return {};
}

}  // namespace checkrelay
