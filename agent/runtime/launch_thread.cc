#include "agent/runtime/launch_thread.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace checkrelay {
namespace {

constexpr auto kPatience = std::chrono::seconds(2);  // at the end, with a launch that hangs

}  // namespace

struct LaunchThread::Desk {
  struct Job {
    std::uint64_t id = 0;
    ChildCommand command{};
    Standard standard{};
  };
  struct Done {
    std::uint64_t id = 0;
    Result<pid_t> pid{};
  };

  std::mutex mutex{};
  std::condition_variable changed{};
  std::deque<Job> jobs{};
  std::deque<Done> done{};
  Wakeup* wakeup = nullptr;  // none: nobody is told any more
  bool ended = false;        // the thread

  // Above 2: a program's 0, 1 and 2 are put in place one after the other.
  static int open_null() {
    const int any = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int fd = ::fcntl(any, F_DUPFD_CLOEXEC, 3);
    ::close(any);
    return fd;
  }
  static void close(const Standard& s) {
    ::close(s.out);
    ::close(s.err);
  }

  void work() {
    Launcher launcher;
    const int null = open_null();
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return !jobs.empty() || !wakeup; });
      if (!wakeup) break;
      Job job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job.standard.in = null;
      Result<pid_t> pid = launcher.launch(job.command, job.standard);
      close(job.standard);
      lock.lock();
      if (wakeup) {
        done.push_back({job.id, std::move(pid)});
        wakeup->wake();
      } else if (pid) {
        ::kill(-*pid, SIGKILL);
      }
    }
    for (const Job& job : jobs) close(job.standard);
    ::close(null);
    ended = true;
    changed.notify_all();
  }
};

LaunchThread::LaunchThread(Loop& loop, Report report)
    : report_(std::move(report)),
      desk_(std::make_shared<Desk>()),
      wakeup_(loop, [this] { collect(); }) {
  desk_->wakeup = &wakeup_;
}

LaunchThread::~LaunchThread() {
  std::unique_lock lock(desk_->mutex);
  desk_->wakeup = nullptr;
  desk_->changed.notify_all();
  if (begun_) desk_->changed.wait_for(lock, kPatience, [this] { return desk_->ended; });
}

// Signals are the loop's.
void LaunchThread::begin() {
  if (std::exchange(begun_, true)) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([desk = desk_] { desk->work(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LaunchThread::launch(std::uint64_t id, const ChildCommand& command, int out, int err) {
  begin();
  ++outstanding_;
  const std::lock_guard lock(desk_->mutex);
  desk_->jobs.push_back({id, command, {-1, out, err}});
  desk_->changed.notify_all();
}

void LaunchThread::collect() {
  std::deque<Desk::Done> done;
  {
    const std::lock_guard lock(desk_->mutex);
    done.swap(desk_->done);
  }
  for (const auto& [id, pid] : done) {
    --outstanding_;  // the others are still unknown to who is told of this one
    report_(id, pid);
  }
}

}  // namespace checkrelay
