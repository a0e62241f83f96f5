#include "agent/runtime/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace checkrelay {
namespace {

constexpr std::size_t kPiece = 64 * 1024;  // bytes a read

// A program's 0, 1 and 2 are put in place one after the other, over what is there.
int above_standard(int fd) {
  if (fd < 0 || fd > 2) return fd;
  const int higher = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  ::close(fd);
  return higher;
}

struct PipeEnds {
  int read = -1, write = -1;
  PipeEnds() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    read = above_standard(ends[0]);
    write = above_standard(ends[1]);
    if (read >= 0) ::fcntl(read, F_SETFL, O_NONBLOCK);
  }
  ~PipeEnds() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  PipeEnds(const PipeEnds&) = delete;
  PipeEnds& operator=(const PipeEnds&) = delete;
  [[nodiscard]] bool open() const { return read >= 0 && write >= 0; }
};

}  // namespace

// The reading end of a pipe. Its handle outlives it until libuv has closed it.
class Processes::Pipe {
 public:
  // Keeps at most `keep` bytes and counts all. `news` is called after each read.
  Pipe(Loop& loop, int fd, std::size_t keep, std::function<void()> news)
      : loop_(loop), fd_(fd), keep_(keep), news_(std::move(news)), handle_(new uv_poll_t{}) {
    if (uv_poll_init(loop.uv(), handle_, fd_) != 0) {
      delete std::exchange(handle_, nullptr);
      return;
    }
    handle_->data = this;
    uv_poll_start(handle_, UV_READABLE,
                  [](uv_poll_t* h, int, int) { static_cast<Pipe*>(h->data)->readable(); });
  }
  ~Pipe() { close(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void drain(std::size_t most) {
    while (fd_ >= 0 && total_ < most && read_once()) continue;
  }
  void close() {
    if (handle_) {
      uv_poll_stop(handle_);
      uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(handle_, nullptr)),
               [](uv_handle_t* h) { delete reinterpret_cast<uv_poll_t*>(h); });
    }
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] std::string take() { return std::move(kept_); }

 private:
  void readable() {
    if (!loop_.may_read()) return;  // the kernel says it again in the next turn
    read_once();
    news_();
  }
  bool read_once() {
    static std::array<char, kPiece> piece;
    const ssize_t n = ::read(fd_, piece.data(), piece.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    if (n <= 0) return close(), false;
    const auto bytes = static_cast<std::size_t>(n);
    loop_.has_read(bytes);
    total_ += bytes;
    kept_.append(piece.data(), std::min(bytes, keep_ - kept_.size()));
    return true;
  }

  Loop& loop_;
  int fd_;
  std::size_t keep_;
  std::function<void()> news_;
  uv_poll_t* handle_;
  std::size_t total_ = 0;
  std::string kept_{};
};

class Processes::Process {
 public:
  Process(Loop& loop, const ChildCommand& command, PipeEnds& out, PipeEnds& err, Done done)
      : loop_(loop),
        began_(loop.now().steady),
        done_(std::move(done)),
        out_(loop, std::exchange(out.read, -1), command.keep, [this] { look_for_flood(); }),
        err_(loop, std::exchange(err.read, -1), kKeptErrors, [this] { look_for_flood(); }) {
    timer_.at(began_ + command.timeout);
  }

  void launched(pid_t pid) {
    pid_ = pid;
    if (phase_ == Phase::given_up) return kill_now();
    phase_ = Phase::running;
    if (outcome_.stopped) terminate();
  }
  void stop() {
    outcome_.stopped = true;
    if (phase_ == Phase::running) terminate();
  }
  void kill() {
    outcome_.stopped = true;
    if (pid_ > 0) return kill_now();
    phase_ = Phase::given_up;
  }
  [[nodiscard]] bool given_up() const { return phase_ == Phase::given_up; }
  void signal(int number) const {
    if (pid_ > 0) ::kill(-pid_, number);
  }

  // It has ended, and is not yet reaped: its process id still is its own.
  void ended(const siginfo_t& info) {
    signal(SIGKILL);
    out_.drain(kMostPrinted);
    err_.drain(kKeptErrors);
    const bool exited = info.si_code == CLD_EXITED;
    outcome_.end = exited ? ChildOutcome::End::exited : ChildOutcome::End::signalled;
    outcome_.code = info.si_status;
  }
  void not_run(const std::string& why) {
    outcome_.end = ChildOutcome::End::not_run;
    outcome_.error = why;
  }
  void tell() {
    outcome_.out = out_.take();
    outcome_.err = err_.take();
    outcome_.took = loop_.now().steady - began_;
    done_(outcome_);
  }

 private:
  enum class Phase { launched, given_up, running, terminated, killed };

  void look_for_flood() {
    if (phase_ != Phase::running || out_.total() + err_.total() <= kMostPrinted) return;
    outcome_.flooded = true;
    out_.close();
    err_.close();
    kill_now();
  }
  void terminate() {
    phase_ = Phase::terminated;
    signal(SIGTERM);
    signal(SIGCONT);  // one that is stopped would not notice
    timer_.at(loop_.now().steady + kTermGrace);
  }
  void kill_now() {
    phase_ = Phase::killed;
    signal(SIGKILL);
    timer_.at(loop_.now().steady + kKillGrace);
  }
  void hangs(std::string why) {
    if (std::exchange(told_, true)) return;
    outcome_.end = ChildOutcome::End::hangs;
    outcome_.error = std::move(why);
    tell();
  }
  void timer_fired() {
    switch (phase_) {
      case Phase::launched:
        phase_ = Phase::given_up;
        outcome_.timed_out = true;
        return hangs("the system has not begun it yet");
      case Phase::running:
        outcome_.timed_out = true;
        return terminate();
      case Phase::terminated:
        return kill_now();
      case Phase::killed:
        return hangs("not even SIGKILL has ended it");
      case Phase::given_up:
        return;
    }
  }

  Loop& loop_;
  pid_t pid_ = -1;
  Steady began_;
  Done done_;
  Phase phase_ = Phase::launched;
  ChildOutcome outcome_{};
  bool told_ = false;  // that it hangs
  Pipe out_, err_;
  Timer timer_{loop_, [this] { timer_fired(); }};
};

Processes::Processes(Loop& loop, LaunchThread::Manner manner)
    : loop_(loop),
      launches_(
          loop, [this](std::uint64_t id, const auto& pid) { launched(id, pid); },
          std::move(manner)),
      child_signal_(loop, {SIGCHLD}, [this](int) { reap(); }),
      self_(std::make_shared<Processes*>(this)) {}

Processes::~Processes() {
  for (const auto& [id, process] : processes_) process->signal(SIGKILL);
  processes_.clear();
}

void Processes::start(const ChildCommand& command, Done done) {
  PipeEnds out, err;
  const bool ready = out.open() && err.open();
  const std::string trouble = ready ? "" : std::string("no pipe: ") + std::strerror(errno);
  const std::uint64_t id = ++next_id_;
  processes_.emplace(id, std::make_unique<Process>(loop_, command, out, err, std::move(done)));
  if (ready)
    return launches_.launch(id, command, std::exchange(out.write, -1),
                            std::exchange(err.write, -1));
  loop_.defer([self = std::weak_ptr(self_), id, trouble] {
    if (auto alive = self.lock()) (*alive)->launched(id, fail(Errc::unavailable, trouble));
  });
}

void Processes::launched(std::uint64_t id, const Result<pid_t>& pid) {
  const auto found = processes_.find(id);
  if (pid) {
    ids_.emplace(*pid, id);
    found->second->launched(*pid);
    return reap();  // it may have ended, and was not known then
  }
  const std::unique_ptr<Process> process = std::move(found->second);
  processes_.erase(found);
  process->not_run(pid.error().what);
  process->tell();
  reap();
}

// One signal may stand for several children. Those of ours are looked at before they are reaped.
// Others are about to be reported by their launch, which makes us look again, or are what a program
// left behind, where this process is the one that inherits them.
void Processes::reap() {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    const auto known = ids_.find(info.si_pid);
    if (known == ids_.end() && launches_.unreported(info.si_pid)) return;
    std::unique_ptr<Process> process;
    if (known != ids_.end()) {
      const auto found = processes_.find(known->second);
      process = std::move(found->second);
      processes_.erase(found);
      ids_.erase(known);
      process->ended(info);
    }
    ::waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED | WNOHANG);
    if (process) process->tell();
  }
}

bool Processes::idle() const {
  return std::all_of(processes_.begin(), processes_.end(),
                     [](const auto& entry) { return entry.second->given_up(); });
}

void Processes::stop() {
  for (const auto& [id, process] : processes_) process->stop();
}

void Processes::kill() {
  for (const auto& [id, process] : processes_) process->kill();
}

}  // namespace checkrelay
