// A program that the agent runs, and what became of it: plain words that the flow and the runtime
// share. ChildRunner is the runtime's Processes, or a make-believe in tests.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/account.h"
#include "agent/base/result.h"
#include "agent/base/time.h"

namespace checkrelay {

constexpr std::size_t kMostPrinted = 1024 * 1024;  // bytes; whoever prints more is ended

struct ChildCommand {
  std::vector<std::string> arguments{};    // [0] is the program: absolute, or a name for PATH
  std::vector<std::string> environment{};  // NAME=VALUE; all that the program gets, PATH included
  std::optional<Account> account{};        // who it becomes; none: who the agent is
  Duration timeout{};                      // then it is ended
  std::size_t keep = 64 * 1024;            // bytes of its standard output
  bool operator==(const ChildCommand&) const = default;
};

struct ChildOutcome {
  enum class End {
    exited,     // `code` is its status
    signalled,  // `code` is the signal
    not_run,    // `error` says why
    hangs,  // it does not begin, or does not end; `error` says which. Told again once it is gone
  };
  End end = End::exited;
  int code = 0;
  std::string error{};
  bool timed_out = false;  // `timeout` was over; what ended it then is in `end`
  bool flooded = false;    // it printed more than kMostPrinted, and was ended
  bool stopped = false;    // it was ended since the agent stops
  std::string out{};       // standard output: the first `keep` bytes
  std::string err{};       // standard error: the first few KiB
  Duration took{};
};

class ChildRunner {
 public:
  using Done = std::function<void(ChildOutcome)>;
  virtual ~ChildRunner() = default;
  // `done` is called at a later turn: once, but after End::hangs a second time, when the program is
  // gone after all. A program is gone with all of its process group.
  virtual void start(const ChildCommand& command, Done done) = 0;
  virtual void stop() = 0;  // ends all, kindly first; nothing may be started any more
  virtual void kill() = 0;  // ends all at once
  [[nodiscard]] virtual bool idle() const = 0;
};

}  // namespace checkrelay
