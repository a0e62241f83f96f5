// One process a state directory: a lock that the kernel releases when the process ends, however it
// ends.
#pragma once

#include <string>

#include "agent/base/result.h"

namespace checkrelay {

// The process that holds the lock, asked of the kernel, without taking it; empty where none does.
[[nodiscard]] std::string state_holder(const std::string& directory);

class StateLock {
 public:
  StateLock() = default;
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;
  // Makes the directory (mode 0700) where it is missing. refused: another process has it, named by
  // its pid.
  [[nodiscard]] Result<void> take(const std::string& directory);

 private:
  int fd_ = -1;
};

}  // namespace checkrelay
