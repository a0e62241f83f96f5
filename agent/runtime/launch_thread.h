// Launches programs beside the loop: a start waits for the kernel to load the program and for a
// processor to be free, which on a busy machine, or one whose file server is away, takes a while.
// The thread begins with the first launch. It is not waited for where the kernel holds it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "agent/runtime/launch.h"
#include "agent/runtime/loop.h"

namespace checkrelay {

class LaunchThread {
 public:
  // `report` is called on the loop, once for each launch.
  using Report = std::function<void(std::uint64_t id, const Result<pid_t>& pid)>;
  LaunchThread(Loop& loop, Report report);
  ~LaunchThread();  // what is launched from now on is killed at once, and not reported
  LaunchThread(const LaunchThread&) = delete;
  LaunchThread& operator=(const LaunchThread&) = delete;

  // `out` and `err` are what the program prints to; they are closed afterwards. It reads /dev/null.
  void launch(std::uint64_t id, const ChildCommand& command, int out, int err);
  // Launches that are not yet reported: their programs may run already, and end.
  [[nodiscard]] std::size_t outstanding() const { return outstanding_; }

 private:
  struct Desk;
  void begin();
  void collect();

  Report report_;
  std::size_t outstanding_ = 0;
  bool begun_ = false;
  std::shared_ptr<Desk> desk_;  // the thread's too
  Wakeup wakeup_;
};

}  // namespace checkrelay
