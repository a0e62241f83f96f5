// Starts a command whose output comes to us. What it finds is as if we were not there: environment,
// working directory, standard input, signals; a terminal it gets as it is.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

namespace checkrelay {

struct Launch {
  std::span<const std::string> command{};
  sigset_t mask{};
  bool own_group = true;

  // 0, or errno and nothing is left. Both streams share a pipe where ours are one, so that their
  // order stays.
  [[nodiscard]] int go();

  struct Pipe {
    int from = -1;  // not blocking
    int to = -1;    // 1 or 2
  };
  pid_t pid = -1;
  std::vector<Pipe> pipes{};
};

}  // namespace checkrelay
