#include "tests/bench/give_up.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace checkrelay::bench {

void give_up(const std::string& why) {
  fmt::print(stderr, "checkrelay-bench: {}\n", why);
  std::fflush(nullptr);
  _exit(1);
}

int checked(int result, const char* what) {
  if (result < 0) give_up("{}: {}", what, std::strerror(errno));
  return result;
}

}  // namespace checkrelay::bench
