// Launches programs beside the loop: a start waits for the kernel to load the program and for a
// processor to be free, which on a busy machine, or one whose file server is away, takes a while.
// The first thread begins with the first launch. One that the kernel holds for longer is told in
// the log, and those behind go through another, up to kMost; once it comes back it goes on with
// them. At the end nobody waits for it. Loop thread only.
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
  static constexpr std::size_t kMost = 8;  // threads; with all of them held, launches wait
  static constexpr Duration kSlow = std::chrono::seconds(1);  // then a launch is said to be held

  // `report` is called on the loop, once for each launch.
  using Report = std::function<void(std::uint64_t id, const Result<pid_t>& pid)>;
  // Called by any of the threads, by each with a launcher of its own. Must not throw.
  using Launch =
      std::function<Result<pid_t>(Launcher& launcher, const ChildCommand&, const Standard&)>;
  struct Manner {
    Launch launch{};  // none: the launcher's
    Duration slow = kSlow;
  };
  LaunchThread(Loop& loop, Report report, Manner manner);
  ~LaunchThread();  // what is launched from now on is killed at once, and not reported
  LaunchThread(const LaunchThread&) = delete;
  LaunchThread& operator=(const LaunchThread&) = delete;

  // `out` and `err` are what the program prints to; they are closed afterwards. It reads /dev/null.
  void launch(std::uint64_t id, const ChildCommand& command, int out, int err);
  // Whether a child is of a launch that is not reported yet: known before it can end.
  [[nodiscard]] bool unreported(pid_t pid) const;

 private:
  struct Desk;
  struct Worker;
  void look();  // for threads that are held
  void begin();
  void collect();

  Loop& loop_;
  Report report_;
  Duration slow_;
  std::shared_ptr<Desk> desk_;  // the threads' too
  Wakeup wakeup_;
  Timer timer_;
};

}  // namespace checkrelay
