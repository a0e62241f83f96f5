// Programs that run beside the loop, each in a session and process group of its own, with /dev/null
// for standard input. What they print is read as it comes, bounded; their time is bounded, SIGTERM
// goes before SIGKILL, and whatever is left of the group when a program ends goes with it. Who
// leaves the group for a session of his own is not followed. Loop thread only; this takes care of
// all children of the process, so there is one a process.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "agent/base/child.h"
#include "agent/runtime/launch_thread.h"
#include "agent/runtime/loop.h"

namespace checkrelay {

class Processes final : public ChildRunner {
 public:
  static constexpr Duration kTermGrace = std::chrono::seconds(2);  // between SIGTERM and SIGKILL
  static constexpr Duration kKillGrace = std::chrono::seconds(5);  // then it is said to hang
  static constexpr std::size_t kKeptErrors = 4 * 1024;             // bytes of standard error

  explicit Processes(Loop& loop, LaunchThread::Manner manner = {});
  ~Processes() override;  // what still runs is killed; nobody is told

  void start(const ChildCommand& command, Done done) override;
  void stop() override;
  void kill() override;
  // A program that the system holds before it begins is not waited for once it was given up.
  [[nodiscard]] bool idle() const override;

 private:
  class Process;
  class Pipe;
  void launched(std::uint64_t id, const Result<pid_t>& pid);
  void reap();

  Loop& loop_;
  std::uint64_t next_id_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Process>> processes_;
  std::map<pid_t, std::uint64_t> ids_;  // of those that run
  LaunchThread launches_;
  Signals child_signal_;
  std::shared_ptr<Processes*> self_;  // deferred calls hold it weakly
};

}  // namespace checkrelay
