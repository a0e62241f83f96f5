#include "tests/bench/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

#include "tests/bench/give_up.h"
#include "tests/bench/series.h"

namespace checkrelay::bench {
namespace {

// The pointers live as long as the strings.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  return out;
}

std::vector<char*> terminated(std::vector<char*> list) {
  list.push_back(nullptr);
  return list;
}

// Between fork and exec: nothing that may lock or allocate.
[[noreturn]] void become(char* const* argv, char* const* envp, int log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execve(argv[0], argv, envp);
  _exit(127);
}

// The number behind "NAME:" in a status file of /proc; 0 where the process is gone.
std::uint64_t status_number(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    std::uint64_t value = 0;
    if (word == name && file >> value) return value;
  }
  return 0;
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
             const std::string& log) {
  std::vector<char*> argv = terminated(pointers(arguments));
  std::vector<char*> envp = pointers(environment);
  for (char** e = environ; *e != nullptr; ++e) envp.push_back(*e);
  envp.push_back(nullptr);
  int out = checked(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), "log file");
  pid_ = checked(fork(), "fork");
  if (pid_ == 0) become(argv.data(), envp.data(), out);
  close(out);
  handle_ = checked(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)), "pidfd_open");
}

Child::~Child() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    reap();
  }
  close(handle_);
}

int Child::reap() {
  int status = 0;
  checked(waitpid(std::exchange(pid_, -1), &status, 0), "waitpid");
  return status;
}

int Child::stop(double seconds) {
  kill(pid_, SIGTERM);
  pollfd end{handle_, POLLIN, 0};
  if (poll(&end, 1, static_cast<int>(seconds * 1000)) != 1) kill(pid_, SIGKILL);
  return reap();
}

double Child::cpu_seconds() const {
  clockid_t clock{};
  timespec t{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double Child::resident_mib() const {
  return static_cast<double>(status_number(fmt::format("/proc/{}/status", pid_), "VmRSS:")) / 1024;
}

std::uint64_t Child::voluntary_switches() const {
  std::uint64_t sum = 0;
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_), gone))
    sum += status_number(task.path() / "status", "voluntary_ctxt_switches:");
  return sum;
}

double timed_command(const std::vector<std::string>& arguments) {
  std::vector<char*> argv = terminated(pointers(arguments));
  double began = seconds_now();
  pid_t pid = 0;
  int failed = posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
  if (failed != 0) give_up("{}: cannot be run", arguments[0]);
  int status = 0;
  checked(waitpid(pid, &status, 0), "waitpid");
  double took = seconds_now() - began;
  if (status != 0) give_up("{} ended with wait status {}", arguments[0], status);
  return took;
}

}  // namespace checkrelay::bench
