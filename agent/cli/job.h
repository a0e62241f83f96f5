// Runs a command: its output passes through, signals reach it, and it ends in time. Blocking; one
// thread; from the first Job on signals are blocked in this process.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/cli/ending.h"
#include "agent/cli/passage.h"
#include "agent/cli/tail.h"

namespace checkrelay {

struct JobOptions {
  std::vector<std::string> command{};
  Duration timeout{};                         // 0 = none
  Duration grace = std::chrono::seconds(10);  // from TERM to KILL
};

// Streams that are closed are kept closed for the command, and their numbers from being taken by
// something of ours. Before anything else is opened.
void guard_standard_streams();

class Job {
 public:
  Job(JobOptions options, Tail& tail);  // `tail` must outlive this
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // One try. `running` is called once the command runs. Waits for the command, not for what it
  // leaves in the background.
  [[nodiscard]] Ending run(const std::function<void()>& running);
  // True where somebody wants the job to end (TERM, INT, HUP, QUIT): no more tries.
  [[nodiscard]] bool told_to_end() const { return told_to_end_; }
  // Waits so long, or until it is told to end.
  void pause(Duration wait);
  // What could not be written through, for a person; empty = everything was.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  // What is done next to a command that takes too long.
  enum class Stage { runs, told, killed, given_up };
  [[nodiscard]] int start();  // errno
  void step();
  void take_signals();
  void forward(int number, bool from_terminal);
  void reap();
  void hurry();
  void signal_all(int number) const;
  [[nodiscard]] bool over() const;
  [[nodiscard]] bool alone() const;  // nobody is left of its process group
  [[nodiscard]] int wait_ms() const;
  [[nodiscard]] Ending ending() const;
  void finish();

  JobOptions options_;
  Tail& tail_;
  bool own_group_ = true;  // not at a terminal, whose foreground group it must stay in
  sigset_t old_mask_{};
  int signals_ = -1;
  bool told_to_end_ = false;
  std::string trouble_{};

  // Of the present try.
  pid_t pid_ = -1;
  std::vector<std::unique_ptr<Passage>> passages_{};
  Stage stage_ = Stage::runs;
  bool timed_out_ = false;
  bool ended_ = false;
  bool abandoned_ = false;  // what is still to be written through
  int status_ = 0;
  rusage usage_{};
  std::optional<Steady> next_{};  // when stage_ moves on
};

}  // namespace checkrelay
