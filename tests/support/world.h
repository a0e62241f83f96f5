// A world in virtual time for what the flow does: one clock, turns, deferred calls, a journal.
// Nothing happens in it but in settle_down() and advance().
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "agent/flow/environment.h"
#include "tests/support/fake_journal.h"

namespace checkrelay {

class World {
 public:
  World();

  Environment env{};
  FakeJournal journal{};
  // Who lives here; set them before the first turn.
  std::function<void(Instant)> tick = [](Instant) {};
  std::function<void()> after_poll = [] {};
  std::function<std::optional<Steady>(Instant)> deadline = [](Instant) { return std::nullopt; };

  [[nodiscard]] Instant now() const { return now_; }
  void at(Steady when, std::function<void()> f) { timers_.emplace(when, std::move(f)); }
  void jump_wall(Duration by) { now_.wall += by; }
  // Turns until nothing is left to do at this moment. Fails the test where that never comes.
  void settle_down();
  // Lets time pass, from deadline to deadline. Fails the test where a deadline that has come is not
  // served: the loop would spin.
  void advance(Duration d);
  [[nodiscard]] std::size_t wakeups() const { return wakeups_; }  // moments at which time stopped

 private:
  [[nodiscard]] bool turn();
  Instant now_;
  bool kicked_ = false;
  std::vector<std::function<void()>> deferred_;
  std::multimap<Steady, std::function<void()>> timers_;
  std::size_t wakeups_ = 0;
};

}  // namespace checkrelay
