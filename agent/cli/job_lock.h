// A lock that runs of one name and one user share, on this machine. It is the kernel's (flock): it
// ends with the process that holds it, whatever ends that.
#pragma once

#include <string>

#include "agent/base/result.h"

namespace checkrelay {

class JobLock {
 public:
  static constexpr std::size_t kMaxName = 64;  // bytes
  JobLock() = default;
  ~JobLock();
  JobLock(JobLock&& other) noexcept;
  JobLock& operator=(JobLock&& other) noexcept;

  // In the first of /run/lock and /tmp where this user can have a directory of its own. Never
  // waits. Errc::refused where another holds it, Errc::unavailable where nothing can be locked; the
  // reason is for people. The command must not inherit it: what it leaves in the background would
  // hold the lock.
  [[nodiscard]] static Result<JobLock> take(const std::string& name);

 private:
  explicit JobLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace checkrelay
