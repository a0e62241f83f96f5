#include "agent/cli/job.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "agent/cli/client.h"
#include "agent/cli/launch.h"

namespace checkrelay {
namespace {

constexpr int kLookAgain = 20;  // ms; the end of a group's other members is told by nobody

constexpr std::array kEnding{SIGTERM, SIGINT, SIGHUP, SIGQUIT};
constexpr std::array kOthers{SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};

bool ends_a_job(int number) {
  return std::find(kEnding.begin(), kEnding.end(), number) != kEnding.end();
}

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : kEnding) sigaddset(&set, number);
  for (int number : kOthers) sigaddset(&set, number);
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaddset(&set, number);
  sigaddset(&set, SIGCHLD);
  return set;
}

bool in_foreground() {
  for (int fd = 0; fd <= 2; ++fd)
    if (::isatty(fd) == 1 && ::tcgetpgrp(fd) == ::getpgrp()) return true;
  return false;
}

Duration time_of(const timeval& t) {
  return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}

}  // namespace

void guard_standard_streams() {
  int fd = -1;
  do fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  while (fd >= 0 && fd <= 2);
  if (fd > 2) ::close(fd);
}

Job::Job(JobOptions options, Tail& tail)
    : options_(std::move(options)), tail_(tail), own_group_(!in_foreground()) {
  // Blocked rather than caught: what is ignored stays so, for the command too (nohup).
  sigset_t watched = watched_signals();
  sigset_t blocked = watched;
  sigaddset(&blocked, SIGPIPE);
  sigaddset(&blocked, SIGXFSZ);  // a limit of the job's must not end us
  ::sigprocmask(SIG_BLOCK, &blocked, &old_mask_);
  ::signal(SIGCHLD, SIG_DFL);  // where it is ignored nobody could wait for the command
  signals_ = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) ::sigprocmask(SIG_UNBLOCK, &watched, nullptr);
}

Job::~Job() {
  if (signals_ >= 0) ::close(signals_);
}

int Job::start() {
  Launch launch{options_.command, old_mask_, own_group_};
  if (int error = launch.go()) return error;
  pid_ = launch.pid;
  for (const auto& [from, to] : launch.pipes)
    passages_.push_back(std::make_unique<Passage>(from, to, tail_));
  return 0;
}

Ending Job::run(const std::function<void()>& running) {
  passages_.clear();
  stage_ = Stage::runs;
  timed_out_ = ended_ = abandoned_ = false;
  next_.reset();
  const Steady begin = deadline_in({});
  if (int error = start()) {
    Ending out;
    out.kind = error == ENOENT ? Ending::Kind::not_found : Ending::Kind::not_runnable;
    out.why = fmt::format("{}: {}", options_.command.front(), std::strerror(error));
    return out;
  }
  if (options_.timeout > Duration{}) next_ = begin + options_.timeout;
  running();
  while (!over()) step();
  Ending out = ending();
  out.wall = deadline_in({}) - begin;
  finish();
  return out;
}

// After a timeout the whole group must have ended, too.
bool Job::over() const {
  if (stage_ == Stage::given_up) return true;
  if (!ended_) return false;
  if (timed_out_ && stage_ == Stage::told && !alone()) return false;
  return abandoned_ ||
         std::all_of(passages_.begin(), passages_.end(), [](const auto& p) { return p->done(); });
}

bool Job::alone() const { return !own_group_ || (::kill(-pid_, 0) != 0 && errno == ESRCH); }

int Job::wait_ms() const {
  // Where there was no descriptor for them, signals and the command's end are told by nobody.
  const bool soon = (ended_ && timed_out_) || signals_ < 0;
  if (!next_) return signals_ < 0 ? kLookAgain : -1;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(*next_ - deadline_in({})).count();
  int wait = static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
  return soon ? std::min(wait, kLookAgain) : wait;
}

void Job::step() {
  std::array<pollfd, 3> fds{};
  fds[0] = {signals_, POLLIN, 0};
  for (std::size_t i = 0; i < passages_.size(); ++i) fds[i + 1] = passages_[i]->wish();
  const bool polled = ::poll(fds.data(), 1 + passages_.size(), wait_ms()) >= 0;
  for (std::size_t i = 0; i < passages_.size(); ++i) passages_[i]->go(fds[i + 1].revents);
  if (fds[0].revents != 0 || signals_ < 0 || !polled) take_signals();
  if (next_ && deadline_in({}) >= *next_) hurry();
}

void Job::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == sizeof info) {
    const int number = static_cast<int>(info.ssi_signo);
    if (number != SIGCHLD) forward(number, info.ssi_code == SI_KERNEL);
  }
  if (pid_ > 0) reap();
}

void Job::forward(int number, bool from_terminal) {
  if (ends_a_job(number)) told_to_end_ = true;
  if (ended_) {
    abandoned_ |= ends_a_job(number);
  } else if (!own_group_ && from_terminal) {
    return;  // the terminal has told the command as well
  } else if (pid_ > 0 && (ends_a_job(number) || number == SIGCONT)) {
    signal_all(number);
  } else if (pid_ > 0) {
    ::kill(pid_, number);
  }
}

void Job::signal_all(int number) const {
  if (!own_group_ && !ended_) {
    ::kill(pid_, number);
  } else if (own_group_) {
    ::kill(-pid_, number);
  }
}

void Job::reap() {
  if (ended_ || ::wait4(pid_, &status_, WNOHANG, &usage_) != pid_) return;
  ended_ = true;
  if (!timed_out_) next_.reset();
  for (auto& p : passages_) p->command_ended();
}

// The time is up. A stopped process takes TERM only once it goes on.
void Job::hurry() {
  if (stage_ == Stage::runs) {
    timed_out_ = true;
    stage_ = Stage::told;
    signal_all(SIGTERM);
    signal_all(SIGCONT);
  } else if (stage_ == Stage::told) {
    stage_ = Stage::killed;
    signal_all(SIGKILL);
  } else {
    stage_ = Stage::given_up;  // it hangs in the kernel, or nobody takes its output
  }
  next_ = deadline_in(options_.grace);
}

Ending Job::ending() const {
  Ending out;
  out.kind = timed_out_             ? Ending::Kind::timed_out
             : WIFSIGNALED(status_) ? Ending::Kind::killed
                                    : Ending::Kind::exited;
  if (ended_ && WIFSIGNALED(status_)) {
    out.code = WTERMSIG(status_);
    out.core = WCOREDUMP(status_);
  } else if (!timed_out_) {
    out.code = WEXITSTATUS(status_);
  }
  if (!ended_) return out;
  out.cpu = time_of(usage_.ru_utime) + time_of(usage_.ru_stime);
  out.rss = static_cast<std::uint64_t>(usage_.ru_maxrss) * 1024;
  return out;
}

void Job::finish() {
  std::vector<Passage*> passages;
  for (const auto& p : passages_) {
    passages.push_back(p.get());
    if (p->trouble() != 0)
      trouble_ = fmt::format("the command's output: {}", std::strerror(p->trouble()));
  }
  stay_behind(passages);
  passages_.clear();
  pid_ = -1;
}

void Job::pause(Duration wait) {
  const Steady until = deadline_in(wait);
  while (!told_to_end_ && deadline_in({}) < until) {
    pollfd p{signals_, POLLIN, 0};
    auto left = std::chrono::ceil<std::chrono::milliseconds>(until - deadline_in({})).count();
    if (::poll(&p, 1, static_cast<int>(std::clamp<long long>(left, 0, INT_MAX))) > 0)
      take_signals();
  }
}

}  // namespace checkrelay
