#include "agent/runtime/loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

// Turns the loop until `done` holds; false where that takes longer than anybody would wait.
template <typename Done>
bool turn_until(Loop& loop, Done done) {
  bool late = false;
  Timer guard(loop, [&] { late = true; });
  guard.at(loop.now().steady + 120s);
  while (!done() && !late) loop.run_once();
  return done();
}

TEST(Loop, TimersFireInTheOrderOfTheirDeadlines) {
  Loop loop;
  std::string order;
  Timer c(loop, [&] { order += 'c'; });
  Timer a(loop, [&] { order += 'a'; });
  Timer b(loop, [&] { order += 'b'; });
  const Steady now = loop.now().steady;
  c.at(now + 9ms);
  a.at(now + 1ms);
  b.at(now + 4ms);
  ASSERT_TRUE(turn_until(loop, [&] { return order.size() == 3; }));
  EXPECT_EQ(order, "abc");
}

TEST(Loop, TimerNeverFiresBeforeItsDeadline) {
  Loop loop;
  for (int i = 0; i < 50; ++i) {
    const Steady due = loop.now().steady + std::chrono::microseconds(137 * i);
    Steady fired{};
    Timer timer(loop, [&] { fired = loop.now().steady; });
    timer.at(due);
    ASSERT_TRUE(turn_until(loop, [&] { return fired != Steady{}; }));
    EXPECT_GE(fired, due);
  }
}

// libuv counts in milliseconds; what is due already is not to wait for its next one.
TEST(Loop, ADeadlineThatHasPassedIsNotWaitedFor) {
  Loop loop;
  ASSERT_EQ(uv_loop_configure(loop.uv(), UV_METRICS_IDLE_TIME), 0);
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  for (int i = 1; i <= 100; ++i) {
    timer.at(loop.now().steady);
    const auto set = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < set + 10us) {
    }
    while (fired < i) loop.run_once();
  }
  EXPECT_EQ(uv_metrics_idle_time(loop.uv()), 0U);
}

TEST(Loop, DeadlineInThePastFiresOnceInTheNextTurn) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] {
    if (++fired < 3) timer.at(loop.now().steady - 1s);
  });
  timer.at(loop.now().steady - 1s);
  loop.run_once();
  EXPECT_LE(fired, 2);
  EXPECT_TRUE(turn_until(loop, [&] { return fired == 3; }));
}

TEST(Loop, LaterDeadlineReplacesTheOneBefore) {
  Loop loop;
  bool moved = false;
  bool other = false;
  Timer timer(loop, [&] { moved = true; });
  Timer mark(loop, [&] { other = true; });
  const Steady now = loop.now().steady;
  timer.at(now + 1ms);
  timer.at(now + 1h);
  mark.at(now + 5ms);
  ASSERT_TRUE(turn_until(loop, [&] { return other; }));
  EXPECT_FALSE(moved);
}

TEST(Loop, ClearedAndDestroyedTimersStaySilent) {
  Loop loop;
  int fired = 0;
  bool end = false;
  Timer cleared(loop, [&] { ++fired; });
  auto gone = std::make_unique<Timer>(loop, [&] { ++fired; });
  Timer mark(loop, [&] { end = true; });
  const Steady now = loop.now().steady;
  cleared.at(now + 1ms);
  gone->at(now + 1ms);
  mark.at(now + 3ms);
  cleared.clear();
  gone.reset();
  ASSERT_TRUE(turn_until(loop, [&] { return end; }));
  EXPECT_EQ(fired, 0);
}

TEST(Loop, TimerMayDestroyItselfAndOthersThatAreDue) {
  Loop loop;
  std::unique_ptr<Timer> first;
  std::unique_ptr<Timer> second;
  int fired = 0;
  first = std::make_unique<Timer>(loop, [&] {
    ++fired;
    second.reset();
    first.reset();
  });
  second = std::make_unique<Timer>(loop, [&] { ++fired; });
  const Steady now = loop.now().steady;
  first->at(now + 1ms);
  second->at(now + 1ms + 1us);
  ASSERT_TRUE(turn_until(loop, [&] { return fired > 0; }));
  loop.defer([] {});
  loop.run_once();
  EXPECT_EQ(fired, 1);
}

TEST(Loop, ThousandsOfTimersShareOneHandle) {
  Loop loop;
  int handles = 0;
  const auto count = [&] {
    handles = 0;
    uv_walk(
        loop.uv(), [](uv_handle_t*, void* n) { ++*static_cast<int*>(n); }, &handles);
    return handles;
  };
  const int before = count();
  int fired = 0;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 5000; ++i) {
    timers.push_back(std::make_unique<Timer>(loop, [&] { ++fired; }));
    timers.back()->at(loop.now().steady + std::chrono::microseconds(i));
  }
  EXPECT_EQ(count(), before);
  EXPECT_TRUE(turn_until(loop, [&] { return fired == 5000; }));
}

TEST(Loop, NowStandsStillWithinATurn) {
  Loop loop;
  bool checked = false;
  Timer timer(loop, [&] {
    const Instant first = loop.now();
    const auto busy_until = std::chrono::steady_clock::now() + 2ms;
    while (std::chrono::steady_clock::now() < busy_until) {
    }
    EXPECT_EQ(loop.now().steady, first.steady);
    EXPECT_EQ(loop.now().wall, first.wall);
    checked = true;
  });
  timer.at(loop.now().steady);
  ASSERT_TRUE(turn_until(loop, [&] { return checked; }));
  loop.defer([] {});
  loop.run_once();
  EXPECT_GE(loop.longest_turn(), 2ms);
}

TEST(Loop, WaitIsNotCountedAsATurn) {
  Loop loop;
  bool fired = false;
  Timer timer(loop, [&] { fired = true; });
  timer.at(loop.now().steady + 300ms);
  ASSERT_TRUE(turn_until(loop, [&] { return fired; }));
  EXPECT_LT(loop.longest_turn(), 300ms);
}

TEST(Loop, DeferredRunsAfterTheCallThatDeferredIt) {
  Loop loop;
  std::string order;
  Timer timer(loop, [&] {
    loop.defer([&] {
      order += "2";
      loop.defer([&] { order += "3"; });
    });
    order += "1";
  });
  timer.at(loop.now().steady);
  ASSERT_TRUE(turn_until(loop, [&] { return order.size() == 3; }));
  EXPECT_EQ(order, "123");
}

TEST(Loop, DeferredBeforeTheFirstTurnRuns) {
  Loop loop;
  bool ran = false;
  loop.defer([&] { ran = true; });
  loop.run_once();
  EXPECT_TRUE(ran);
}

TEST(Loop, StopEndsRunAndRunMayBeCalledAgain) {
  Loop loop;
  int turns = 0;
  for (int i = 0; i < 2; ++i) {
    Timer timer(loop, [&] {
      ++turns;
      loop.stop();
    });
    timer.at(loop.now().steady + 1ms);
    loop.run();
  }
  EXPECT_EQ(turns, 2);
}

TEST(Loop, IdleLoopWaitsWithoutATimeout) {
  Loop loop;
  loop.defer([] {});
  loop.run_once();
  Timer forgotten(loop, [] {});
  forgotten.at(loop.now().steady + 1h);
  forgotten.clear();
  loop.defer([] {});
  loop.run_once();
  EXPECT_EQ(uv_backend_timeout(loop.uv()), -1);
}

TEST(Loop, IgnoresSigpipe) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);  // would have killed the process
  close(ends[1]);
}

TEST(Wakeup, ComesFromAnotherThread) {
  Loop loop;
  int woken = 0;
  Wakeup wakeup(loop, [&] { ++woken; });
  std::thread other([&] { wakeup.wake(); });
  EXPECT_TRUE(turn_until(loop, [&] { return woken > 0; }));
  other.join();
}

TEST(Wakeup, WakesThatComeTogetherRunOnce) {
  Loop loop;
  int woken = 0;
  Wakeup wakeup(loop, [&] { ++woken; });
  for (int i = 0; i < 100; ++i) wakeup.wake();
  ASSERT_TRUE(turn_until(loop, [&] { return woken > 0; }));
  loop.defer([] {});
  loop.run_once();
  EXPECT_EQ(woken, 1);
}

TEST(Wakeup, MayBeDestroyedFromItsOwnCall) {
  Loop loop;
  bool ran = false;
  std::unique_ptr<Wakeup> wakeup;
  wakeup = std::make_unique<Wakeup>(loop, [&] {
    wakeup.reset();
    ran = true;
  });
  wakeup->wake();
  EXPECT_TRUE(turn_until(loop, [&] { return ran; }));
}

TEST(Signals, EachListedSignalIsTold) {
  Loop loop;
  std::vector<int> seen;
  Signals signals(loop, {SIGUSR1, SIGUSR2}, [&](int s) { seen.push_back(s); });
  std::raise(SIGUSR1);
  ASSERT_TRUE(turn_until(loop, [&] { return seen.size() == 1; }));
  std::raise(SIGUSR2);
  ASSERT_TRUE(turn_until(loop, [&] { return seen.size() == 2; }));
  EXPECT_EQ(seen, (std::vector<int>{SIGUSR1, SIGUSR2}));
}

TEST(Loop, WhatWasBeforeTheRunIsNoTurnOfIt) {
  Loop loop;
  const Steady before = loop.now().steady;
  while (std::chrono::steady_clock::now() < before + std::chrono::milliseconds(1)) continue;
  Steady within = before;
  loop.defer([&] {
    within = loop.now().steady;
    loop.stop();
  });
  loop.run();
  EXPECT_GT(within, before);
}

}  // namespace
}  // namespace checkrelay
