#include "tests/support/world.h"

#include <gtest/gtest.h>

#include <utility>

namespace checkrelay {
namespace {

constexpr int kSpins = 2000;  // turns at one moment that nobody would believe

}  // namespace

World::World() : now_{Steady(std::chrono::hours(1)), Wall(std::chrono::seconds(1767608100))} {
  env.now = [this] { return now_; };
  env.kick = [this] { kicked_ = true; };
  env.defer = [this](std::function<void()> f) { deferred_.push_back(std::move(f)); };
  env.seed = 1;
  journal.poll(now_);
}

bool World::turn() {
  bool busy = false;
  for (auto& f : std::exchange(deferred_, {})) {
    busy = true;
    f();
  }
  if (journal.has_work()) {
    busy = true;
    journal.poll(now_);
    after_poll();
    tick(now_);
  }
  if (std::exchange(kicked_, false)) {
    busy = true;
    tick(now_);
  }
  return busy;
}

void World::settle_down() {
  for (int n = 0; n < kSpins; ++n)
    if (!turn()) return;
  ADD_FAILURE() << "the flow spins";
}

void World::advance(Duration d) {
  const Steady end = now_.steady + d;
  int spins = 0;
  for (;;) {
    settle_down();
    Steady next = timers_.empty() ? Steady::max() : timers_.begin()->first;
    if (auto due = deadline(now_)) next = std::min(next, *due);
    if (next > end) break;
    spins = next > now_.steady ? 0 : spins + 1;
    if (spins > kSpins || testing::Test::HasFatalFailure()) {
      ADD_FAILURE() << "a deadline has come and is not served";
      return;
    }
    if (next > now_.steady) {
      ++wakeups_;
      now_.wall += next - now_.steady;
      now_.steady = next;
    }
    journal.poll(now_);
    while (!timers_.empty() && timers_.begin()->first <= now_.steady) {
      auto f = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      f();
    }
    tick(now_);
  }
  now_.wall += end - now_.steady;
  now_.steady = end;
  journal.poll(now_);
}

}  // namespace checkrelay
