#include "agent/cli/launch.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

// A terminal is the command's own; what was closed stays closed.
bool is_ours_to_pass(int fd) {
  return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0 && ::isatty(fd) == 0;
}

// One open file, or a file that both append to or that the kernel does not compare for us.
bool are_one(int a, int b) {
  struct stat x {};
  struct stat y {};
  if (::fstat(a, &x) != 0 || ::fstat(b, &y) != 0) return false;
  if (x.st_dev != y.st_dev || x.st_ino != y.st_ino) return false;
  if (!S_ISREG(x.st_mode)) return true;
  long same = ::syscall(SYS_kcmp, ::getpid(), ::getpid(), KCMP_FILE, a, b);
  return same <= 0;  // 0 = the same, -1 = it cannot be told
}

struct Ends {
  int read = -1;
  int write = -1;
};

bool open_pipe(Ends& ends) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return false;
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
  ends = {fds[0], fds[1]};
  return true;
}

// What PATH leads to, as execvp() looks for it.
std::string found_in_path(const std::string& name) {
  if (name.find('/') != name.npos) return name;
  const char* path = std::getenv("PATH");
  for (std::string_view dir : split(path ? path : "/bin:/usr/bin", ':')) {
    std::string candidate = (dir.empty() ? "." : std::string(dir)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return name;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

struct Spawn {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  Spawn() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~Spawn() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  void set_up(const Launch& launch) {
    ::posix_spawnattr_setsigmask(&attributes, &launch.mask);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    int flags = POSIX_SPAWN_SETSIGMASK | (launch.own_group ? POSIX_SPAWN_SETPGROUP : 0);
    ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
  }

  int go(std::vector<std::string> words, pid_t& pid) {
    std::vector<char*> argv = pointers(words);
    return ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  }
};

}  // namespace

// Without a descriptor to spare the streams are the command's own: it runs all the same.
int Launch::go() {
  Spawn spawn;
  spawn.set_up(*this);
  std::vector<int> writers;
  const bool one = is_ours_to_pass(1) && is_ours_to_pass(2) && are_one(1, 2);
  for (int to : {1, 2}) {
    Ends ends;
    if (to == 2 && one && !writers.empty()) {
      ::posix_spawn_file_actions_adddup2(&spawn.actions, writers[0], to);
    } else if (is_ours_to_pass(to) && open_pipe(ends)) {
      pipes.push_back({ends.read, to});
      writers.push_back(ends.write);
      ::posix_spawn_file_actions_adddup2(&spawn.actions, ends.write, to);
    }
  }
  std::vector<std::string> words(command.begin(), command.end());
  int error = spawn.go(words, pid);
  if (error == ENOEXEC) {  // a script without a first line that says whose it is
    words[0] = found_in_path(words[0]);
    words.insert(words.begin(), "/bin/sh");
    error = spawn.go(std::move(words), pid);
  }
  for (int fd : writers) ::close(fd);
  if (error == 0) return 0;
  for (const Pipe& p : pipes) ::close(p.from);
  pipes.clear();
  return error;
}

}  // namespace checkrelay
