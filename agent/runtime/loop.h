// The event loop: the only place that reads a clock, once a turn; one uv timer for all deadlines.
// Loop thread only, but Wakeup::wake(), which any thread may call. Nothing here wakes the process
// without a deadline of somebody's.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "agent/base/time.h"

namespace checkrelay {

class Loop {
 public:
  Loop();
  ~Loop();  // REQUIRES: everything built on it is gone. Runs pending close callbacks.
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] uv_loop_t* uv() { return &loop_; }
  // Frozen for this turn: the first call after the wait reads the clocks. The wall clock is re-read
  // each turn too, so a jump shows as data, never as a wait.
  [[nodiscard]] Instant now() const;
  void run();       // until stop()
  void stop();      // at the end of this turn
  void run_once();  // one turn, waiting for an event; for tests
  // Runs `f` at the end of this turn (or of the next, when called from such an `f`). What is still
  // deferred when the loop is destroyed is dropped.
  void defer(std::function<void()> f);
  // Runs `f` at the end of every turn, behind what was deferred: last of all before the wait.
  void at_turn_end(std::function<void()> f);
  [[nodiscard]] Duration longest_turn() const;

  // What all streams together read in one turn is bounded, so that a turn does not grow with how
  // many peers send at once: past it, who reads leaves his bytes to the next turn.
  static constexpr std::size_t kBytesATurn = 256 * 1024;
  [[nodiscard]] bool may_read() const { return read_ < kBytesATurn; }
  void has_read(std::size_t bytes) { read_ += bytes; }

 private:
  friend class Timer;
  struct Impl;
  uv_loop_t loop_{};
  std::size_t read_ = 0;  // bytes, in this turn
  std::unique_ptr<Impl> impl_;
};

// A deadline of somebody's. Destroying it forgets the deadline.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> fire);  // `loop` must outlive the timer
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void at(Steady when);  // replaces the deadline before; in the past = next turn
  void clear();

 private:
  friend class Loop;
  Loop& loop_;
  std::function<void()> fire_;
  Steady when_{};
  bool set_ = false;
};

// Lets another thread wake the loop. Wakes that come together run `f` once.
class Wakeup {
 public:
  Wakeup(Loop& loop, std::function<void()> f);
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  void wake();

 private:
  struct Handle;
  Handle* handle_;  // owned by the uv loop after close
};

// Calls `f(signal)` on the loop.
class Signals {
 public:
  Signals(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> f);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct Handle;
  std::vector<Handle*> handles_;
};

}  // namespace checkrelay
