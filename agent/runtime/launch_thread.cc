#include "agent/runtime/launch_thread.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "agent/base/log.h"

namespace checkrelay {
namespace {

constexpr auto kPatience = std::chrono::seconds(2);  // at the end, with threads that are not held

Steady steady_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

// Above 2: a program's 0, 1 and 2 are put in place one after the other.
int open_null() {
  const int any = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int fd = ::fcntl(any, F_DUPFD_CLOEXEC, 3);
  ::close(any);
  return fd;
}

void close_both(const Standard& s) {
  ::close(s.out);
  ::close(s.err);
}

}  // namespace

struct LaunchThread::Worker {
  Launcher launcher{};
  bool ended = false;
  std::optional<Steady> since{};  // while it launches
  std::string program{};          // what
  bool held = false;              // and told so
  std::string held_program{};
};

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

  Launch how{};
  std::mutex mutex{};
  std::condition_variable changed{};
  std::deque<Job> jobs{};
  std::deque<Done> done{};
  std::list<Worker> workers{};
  Wakeup* wakeup = nullptr;  // none: nobody is told any more

  Job take(Worker& self) {
    Job job = std::move(jobs.front());
    jobs.pop_front();
    self.since = steady_now();
    self.program = job.command.arguments.front();
    return job;
  }
  void launched(Worker& self, std::uint64_t id, Result<pid_t> pid) {
    self.since.reset();
    if (wakeup) {
      done.push_back({id, std::move(pid)});
      wakeup->wake();
    } else if (pid) {
      ::kill(-*pid, SIGKILL);
    }
  }
  void work(Worker& self) {
    const int null = open_null();
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return !jobs.empty() || !wakeup; });
      if (!wakeup) break;
      Job job = take(self);
      lock.unlock();
      job.standard.in = null;
      Result<pid_t> pid = how(self.launcher, job.command, job.standard);
      close_both(job.standard);
      lock.lock();
      launched(self, job.id, std::move(pid));
    }
    ::close(null);
    self.ended = true;
    changed.notify_all();
  }

  // What has changed, for the log.
  struct News {
    std::vector<std::string> held{}, back{};
  };
  News look(Steady long_ago) {
    News news;
    for (Worker& w : workers) {
      const bool held = w.since && *w.since <= long_ago;
      if (w.held && !held) news.back.push_back(w.held_program);
      if (held && !w.held) news.held.push_back(w.held_program = w.program);
      w.held = held;
    }
    return news;
  }
  [[nodiscard]] bool all_held() const {
    return std::all_of(workers.begin(), workers.end(), [](const Worker& w) { return w.held; });
  }
  [[nodiscard]] bool full() const { return workers.size() == kMost; }
  // When to look again: a thread that launches, or is about to, may be held by then.
  [[nodiscard]] std::optional<Steady> next_look(Steady now, Duration slow) const {
    std::optional<Steady> next;
    if (!jobs.empty() && !(full() && all_held())) next = now + slow;
    for (const Worker& w : workers)
      if (w.since && !w.held) next = std::min(next.value_or(Steady::max()), *w.since + slow);
    return next;
  }
  [[nodiscard]] bool has_ended() const {
    return std::all_of(workers.begin(), workers.end(),
                       [](const Worker& w) { return w.ended || w.held; });
  }
};

LaunchThread::LaunchThread(Loop& loop, Report report, Manner manner)
    : loop_(loop),
      report_(std::move(report)),
      slow_(manner.slow),
      desk_(std::make_shared<Desk>()),
      wakeup_(loop, [this] { collect(); }),
      timer_(loop, [this] { look(); }) {
  desk_->how = std::move(manner.launch);
  if (!desk_->how)
    desk_->how = [](Launcher& launcher, const ChildCommand& command, const Standard& standard) {
      return launcher.launch(command, standard);
    };
  desk_->wakeup = &wakeup_;
}

LaunchThread::~LaunchThread() {
  std::unique_lock lock(desk_->mutex);
  desk_->wakeup = nullptr;
  for (const Desk::Job& job : desk_->jobs) close_both(job.standard);
  desk_->jobs.clear();
  desk_->changed.notify_all();
  desk_->changed.wait_for(lock, kPatience, [this] { return desk_->has_ended(); });
}

// Signals are the loop's. Without room for a thread the next look tries again. REQUIRES: the desk
// is locked.
void LaunchThread::begin() {
  Worker& worker = desk_->workers.emplace_back();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([desk = desk_, &worker] { desk->work(worker); }).detach();
  } catch (const std::system_error&) {
    desk_->workers.pop_back();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LaunchThread::launch(std::uint64_t id, const ChildCommand& command, int out, int err) {
  {
    const std::lock_guard lock(desk_->mutex);
    desk_->jobs.push_back({id, command, {-1, out, err}});
    desk_->changed.notify_one();
  }
  look();
}

void LaunchThread::look() {
  const Steady now = steady_now();
  std::optional<Steady> next;
  Desk::News news;
  bool last = false;
  {
    const std::lock_guard lock(desk_->mutex);
    news = desk_->look(now - slow_);
    last = desk_->full() && desk_->all_held();
    if (!desk_->jobs.empty() && desk_->all_held() && !last) begin();
    next = desk_->next_look(now, slow_);
  }
  for (const std::string& program : news.held)
    log(Level::warn,
        last ? "check: the system holds the start of a program; others wait until it is done"
             : "check: the system holds the start of a program; others go on meanwhile",
        {{"program", program}});
  for (const std::string& program : news.back)
    log(Level::info, "check: the system is done with the start of a program",
        {{"program", program}});
  if (next) timer_.at(*next);
  if (!next) timer_.clear();
}

bool LaunchThread::unreported(pid_t pid) const {
  const std::lock_guard lock(desk_->mutex);
  return std::any_of(desk_->workers.begin(), desk_->workers.end(),
                     [&](const Worker& w) { return w.since && w.launcher.begun() == pid; }) ||
         std::any_of(desk_->done.begin(), desk_->done.end(),
                     [&](const Desk::Done& d) { return d.pid && *d.pid == pid; });
}

void LaunchThread::collect() {
  for (;;) {
    Desk::Done done;
    {
      const std::lock_guard lock(desk_->mutex);
      if (desk_->done.empty()) break;
      done = std::move(desk_->done.front());
      desk_->done.pop_front();
    }
    report_(done.id, done.pid);
  }
  look();
}

}  // namespace checkrelay
