#include "agent/runtime/loop.h"

#include <algorithm>
#include <cassert>
#include <csignal>
#include <new>
#include <set>
#include <utility>

namespace checkrelay {
namespace {

Steady read_steady() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

Instant read_clocks() {
  return {read_steady(), std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())};
}

// libuv's clock is the steady clock cut to milliseconds: rounding the deadline up means never
// firing early.
std::uint64_t uv_milliseconds(Steady when) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(when.time_since_epoch()).count();
  return static_cast<std::uint64_t>(std::max<decltype(ms)>(ms, 0));
}

}  // namespace

struct Loop::Impl {
  Impl(uv_loop_t* loop, std::size_t& read_in_turn) : uv(loop), read_bytes(read_in_turn) {}

  uv_loop_t* uv;
  std::size_t& read_bytes;  // the loop's
  uv_prepare_t prepare{};   // active: keeps the loop alive while nothing else does
  uv_check_t check{};
  uv_idle_t idle{};  // active only while something is deferred: the wait is then skipped
  uv_timer_t timer{};
  std::set<std::pair<Steady, Timer*>> deadlines;
  std::uint64_t armed = 0;  // what `timer` is set to; 0 = not set
  std::vector<std::function<void()>> deferred;
  std::vector<std::function<void()>> spare;  // empty; the room of those that ran
  std::function<void()> at_turn_end;
  Instant now{};
  bool stale = true;  // `now` was read before the last wait
  Duration longest{};

  Instant read() {
    if (stale) now = read_clocks();
    stale = false;
    return now;
  }

  void end_turn() {
    if (!stale) longest = std::max(longest, read_steady() - now.steady);
    stale = true;
    read_bytes = 0;
  }

  void run_deferred() {
    auto batch = std::move(spare);
    batch.swap(deferred);
    for (auto& f : batch) f();
    batch.clear();
    spare = std::move(batch);
    if (deferred.empty()) uv_idle_stop(&idle);
  }

  void arm() {
    if (deadlines.empty()) {
      if (armed != 0) uv_timer_stop(&timer);
      armed = 0;
      return;
    }
    // What has passed already does not wait for libuv's next millisecond: curl's "now" comes with
    // every request.
    const Steady first = deadlines.begin()->first;
    const std::uint64_t due = first <= read_steady() ? kAtOnce : uv_milliseconds(first);
    if (due == armed) return;
    uv_update_time(uv);
    const std::uint64_t reached = uv_now(uv);
    uv_timer_start(&timer, &Impl::on_timer, due > reached ? due - reached : 0, 0);
    armed = due;
  }

  void fire();

  static constexpr std::uint64_t kAtOnce = 1;  // as `armed`: long past

  static Impl& of(void* data) { return *static_cast<Impl*>(data); }
  static void on_timer(uv_timer_t* t) { of(t->data).fire(); }
  static void on_idle(uv_idle_t*) {}
  static void on_check(uv_check_t* c) { of(c->data).run_deferred(); }
  static void on_prepare(uv_prepare_t* p) {
    Impl& self = of(p->data);
    self.run_deferred();  // what the timers deferred
    if (self.at_turn_end) self.at_turn_end();
    self.arm();
    self.end_turn();
  }
};

Loop::Loop() : impl_(std::make_unique<Impl>(&loop_, read_)) {
  std::signal(SIGPIPE, SIG_IGN);  // libuv and OpenSSL write to sockets whose peer may have gone
  if (uv_loop_init(&loop_) != 0) throw std::bad_alloc();
  uv_prepare_init(&loop_, &impl_->prepare);
  uv_check_init(&loop_, &impl_->check);
  uv_idle_init(&loop_, &impl_->idle);
  uv_timer_init(&loop_, &impl_->timer);
  impl_->prepare.data = impl_->check.data = impl_->idle.data = impl_->timer.data = impl_.get();
  uv_prepare_start(&impl_->prepare, &Impl::on_prepare);
  uv_check_start(&impl_->check, &Impl::on_check);
}

Loop::~Loop() {
  assert(impl_->deadlines.empty());
  impl_->deferred.clear();
  for (auto* handle :
       {reinterpret_cast<uv_handle_t*>(&impl_->prepare),
        reinterpret_cast<uv_handle_t*>(&impl_->check), reinterpret_cast<uv_handle_t*>(&impl_->idle),
        reinterpret_cast<uv_handle_t*>(&impl_->timer)}) {
    uv_close(handle, nullptr);
  }
  uv_run(&loop_, UV_RUN_DEFAULT);
  [[maybe_unused]] const int left = uv_loop_close(&loop_);
  assert(left == 0);
}

Instant Loop::now() const { return impl_->read(); }
Duration Loop::longest_turn() const { return impl_->longest; }
void Loop::run() {
  impl_->stale = true;  // what was before is no turn
  uv_run(&loop_, UV_RUN_DEFAULT);
}
void Loop::stop() { uv_stop(&loop_); }
void Loop::run_once() { uv_run(&loop_, UV_RUN_ONCE); }

void Loop::at_turn_end(std::function<void()> f) { impl_->at_turn_end = std::move(f); }

void Loop::defer(std::function<void()> f) {
  if (impl_->deferred.empty()) uv_idle_start(&impl_->idle, &Impl::on_idle);
  impl_->deferred.push_back(std::move(f));
}

Timer::Timer(Loop& loop, std::function<void()> fire) : loop_(loop), fire_(std::move(fire)) {}
Timer::~Timer() { clear(); }

void Timer::at(Steady when) {
  clear();
  // The clock stands still while deadlines fire, so one that is set in the past then waits for the
  // next turn.
  when_ = std::max(when, loop_.now().steady + Duration(1));
  loop_.impl_->deadlines.emplace(when_, this);
  set_ = true;
}

void Timer::clear() {
  if (set_) loop_.impl_->deadlines.erase({when_, this});
  set_ = false;
}

void Loop::Impl::fire() {
  armed = 0;
  end_turn();
  const Steady reached = read().steady;
  while (!deadlines.empty() && deadlines.begin()->first <= reached) {
    Timer* due = deadlines.begin()->second;
    due->clear();
    const auto f = due->fire_;  // `due` may not outlive its own firing
    f();
  }
}

struct Wakeup::Handle {
  uv_async_t async{};
  std::function<void()> f;
};

Wakeup::Wakeup(Loop& loop, std::function<void()> f) : handle_(new Handle{{}, std::move(f)}) {
  handle_->async.data = handle_;
  uv_async_init(loop.uv(), &handle_->async,
                [](uv_async_t* a) { static_cast<Handle*>(a->data)->f(); });
}

Wakeup::~Wakeup() {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->async),
           [](uv_handle_t* h) { delete static_cast<Handle*>(h->data); });
}

void Wakeup::wake() { uv_async_send(&handle_->async); }

struct Signals::Handle {
  uv_signal_t signal{};
  std::function<void(int)> f;
};

Signals::Signals(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> f) {
  for (int signal : signals) {
    Handle* handle = handles_.emplace_back(new Handle{{}, f});
    handle->signal.data = handle;
    uv_signal_init(loop.uv(), &handle->signal);
    uv_signal_start(
        &handle->signal,
        [](uv_signal_t* s, int number) { static_cast<Handle*>(s->data)->f(number); }, signal);
  }
}

Signals::~Signals() {
  for (Handle* handle : handles_) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle->signal),
             [](uv_handle_t* h) { delete static_cast<Handle*>(h->data); });
  }
}

}  // namespace checkrelay
