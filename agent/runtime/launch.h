// Starts a program of its own session without a copy of this process: the child borrows our memory
// until it is the program (clone(2), CLONE_VM and CLONE_VFORK), so what it costs does not grow with
// what we hold. The thread that launches stands still meanwhile.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "agent/base/child.h"

namespace checkrelay {

// What the program gets as 0, 1 and 2. REQUIRES: each above 2, and closed on exec.
struct Standard {
  int in = -1, out = -1, err = -1;
};

class Launcher {
 public:
  Launcher();
  ~Launcher();
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  // The program's process id, which is that of its session and group too. It has no descriptors but
  // 0, 1 and 2, no signal blocked or ignored, the working directory "/", the usual soft limit of
  // descriptors, and gets SIGKILL when the thread that launched it ends. Error: why it is not run,
  // in words for people.
  [[nodiscard]] Result<pid_t> launch(const ChildCommand& command, const Standard& standard);
  // The child of the launch that is under way, known before it can end; later, of the last one. Any
  // thread.
  [[nodiscard]] pid_t begun() const { return begun_; }

 private:
  struct Stack;
  std::atomic<pid_t> begun_ = 0;
  std::unique_ptr<Stack> stack_;
};

}  // namespace checkrelay
