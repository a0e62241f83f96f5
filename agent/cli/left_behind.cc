#include "agent/cli/left_behind.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

namespace checkrelay {
namespace {

constexpr unsigned kLast = ~0U;

void close_all_but(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned next = 0;
  for (int fd : keep) {
    if (fd < 0 || static_cast<unsigned>(fd) < next) continue;
    if (static_cast<unsigned>(fd) > next) ::close_range(next, static_cast<unsigned>(fd) - 1, 0);
    next = static_cast<unsigned>(fd) + 1;
  }
  ::close_range(next, kLast, 0);
}

}  // namespace

bool left_behind(std::vector<int> keep) {
  if (::fork() != 0) return false;
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  close_all_but(std::move(keep));
  return true;
}

}  // namespace checkrelay
