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
  // The process that had it before and did not end in order; empty where none.
  [[nodiscard]] const std::string& left_by() const { return left_by_; }

 private:
  int fd_ = -1;
  bool taken_ = false;
  std::string left_by_;
};

}  // namespace checkrelay
