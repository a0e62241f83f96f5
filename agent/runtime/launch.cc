#include "agent/runtime/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "agent/base/text.h"

// The C library's clone() by its other name: thread sanitizers take the first for a fork().
extern "C" int __clone(int (*run)(void*), void* stack_top, int flags, void* argument, ...);

namespace checkrelay {
namespace {

constexpr rlim_t kDescriptors = 1024;  // soft limit: some programs still use select(), or close all

enum Stage { kBegin, kDirectory, kUser, kExec };

// Read and written by the child, in our memory, while we stand still.
struct Plan {
  const char* const* programs = nullptr;  // tried in order
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  Standard standard{};
  bool other_user = false;
  std::uint32_t uid = 0, gid = 0;
  const std::uint32_t* groups = nullptr;
  std::size_t group_count = 0;
  int error = 0;
  Stage stage = kBegin;
};

#ifdef SYS_setuid32
constexpr long kSetUid = SYS_setuid32, kSetGid = SYS_setgid32, kSetGroups = SYS_setgroups32;
#else
constexpr long kSetUid = SYS_setuid, kSetGid = SYS_setgid, kSetGroups = SYS_setgroups;
#endif

// All below runs in the child, on borrowed memory: bare system calls alone. The C library's
// setuid() would reach for our threads.
#define CHECKRELAY_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

constexpr std::size_t kSignalSet = 8;  // bytes, to the kernel

CHECKRELAY_IN_CHILD void forget_signals() {
  const std::uint64_t standard[8] = {};  // the kernel's sigaction: SIG_DFL, no flags, no mask
  for (int s = 1; s <= 64; ++s)
    if (s != SIGKILL && s != SIGSTOP) syscall(SYS_rt_sigaction, s, standard, nullptr, kSignalSet);
}

CHECKRELAY_IN_CHILD bool become(const Plan& plan) {
  return syscall(kSetGroups, plan.group_count, plan.groups) == 0 &&
         syscall(kSetGid, plan.gid) == 0 && syscall(kSetUid, plan.uid) == 0;
}

CHECKRELAY_IN_CHILD bool take_descriptors(const Standard& s) {
  if (syscall(SYS_dup3, s.in, 0, 0) < 0 || syscall(SYS_dup3, s.out, 1, 0) < 0 ||
      syscall(SYS_dup3, s.err, 2, 0) < 0)
    return false;
  // Where the kernel does not know it, what is ours is closed on exec anyway.
  syscall(SYS_close_range, 3U, ~0U, 0U);
  return true;
}

CHECKRELAY_IN_CHILD void run_first(Plan& plan) {
  int denied = 0;
  errno = ENOENT;
  for (const char* const* program = plan.programs; *program; ++program) {
    syscall(SYS_execve, *program, plan.arguments, plan.environment);
    if (errno == EACCES) denied = errno;
    if (errno != EACCES && errno != ENOENT && errno != ENOTDIR) break;
  }
  plan.error = denied != 0 && errno == ENOENT ? denied : errno;
}

CHECKRELAY_IN_CHILD int in_child(void* p) {
  Plan& plan = *static_cast<Plan*>(p);
  forget_signals();
  syscall(SYS_setsid);
  rlimit limit{};
  if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit) == 0 &&
      limit.rlim_cur > kDescriptors) {
    limit.rlim_cur = kDescriptors;
    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, nullptr);
  }
  if (take_descriptors(plan.standard)) {
    plan.stage = kDirectory;
    if (syscall(SYS_chdir, "/") == 0) {
      plan.stage = kUser;
      if (!plan.other_user || become(plan)) {
        plan.stage = kExec;
        syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // behind setuid(), which clears it
        const std::uint64_t none = 0;
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kSignalSet);
        run_first(plan);
      }
    }
  }
  if (plan.error == 0) plan.error = errno;
  syscall(SYS_exit_group, 127);
  return 127;
}

std::string_view path_of(const ChildCommand& command) {
  for (std::string_view item : command.environment)
    if (item.starts_with("PATH=")) return item.substr(5);
  return "";
}

std::vector<std::string> programs_of(const ChildCommand& command) {
  const std::string& name = command.arguments[0];
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> out;
  for (std::string_view directory : split(path_of(command), ':'))
    if (directory.starts_with('/')) out.push_back(std::string(directory) + "/" + name);
  return out;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

std::string words_of(const Plan& plan, const std::vector<std::string>& programs,
                     const ChildCommand& command) {
  const std::string reason = std::strerror(plan.error);
  if (plan.stage == kUser)
    return "cannot become user " + quoted(command.account->name) + ": " + reason;
  if (plan.stage != kExec) return "cannot prepare it: " + reason;
  struct stat info {};
  const bool there = programs.size() == 1 && ::stat(programs[0].c_str(), &info) == 0;
  if (plan.error == ENOENT && there) return "the interpreter that its first line names is missing";
  if (plan.error == ENOENT && command.arguments[0][0] != '/')
    return "not found in PATH (" + quoted(path_of(command), 200) + ")";
  if (plan.error == ENOEXEC) return reason + " (a script begins with #! and its interpreter)";
  return reason;
}

// No handler of ours may run in the child, whose memory is ours.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

struct Launcher::Stack {
  static constexpr std::size_t kBytes = 64 * 1024;
  alignas(64) std::array<std::byte, kBytes> bytes;
};

Launcher::Launcher() : stack_(new Stack) {}
Launcher::~Launcher() = default;

Result<pid_t> Launcher::launch(const ChildCommand& command, const Standard& standard) {
  const std::vector<std::string> programs = programs_of(command);
  const std::vector<char*> tried = pointers(programs);
  const std::vector<char*> arguments = pointers(command.arguments);
  const std::vector<char*> environment = pointers(command.environment);
  begun_ = 0;
  Plan plan;
  plan.programs = tried.data();
  plan.arguments = arguments.data();
  plan.environment = environment.data();
  plan.standard = standard;
  if (command.account) {
    plan.other_user = true;
    plan.uid = command.account->uid;
    plan.gid = command.account->gid;
    plan.groups = command.account->groups.data();
    plan.group_count = command.account->groups.size();
  }
  pid_t pid = -1;
  int failed = 0;
  {
    SignalsBlocked blocked;
    static_assert(sizeof begun_ == sizeof(pid_t) && decltype(begun_)::is_always_lock_free);
    pid = ::__clone(in_child, stack_->bytes.data() + Stack::kBytes,
                    CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, &plan, &begun_);
    failed = errno;
  }
  if (pid < 0) return fail(Errc::unavailable, std::string("clone: ") + std::strerror(failed));
  if (plan.error == 0) return pid;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  return fail(Errc::unavailable, words_of(plan, programs, command));
}

}  // namespace checkrelay
