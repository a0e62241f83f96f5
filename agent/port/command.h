// What an operator asks an upstream for (`checkrelay upstream NAME WORD…`), and what came of it.
#pragma once

#include <string>

namespace checkrelay {

// Filled in by the command's conversation before it closes; shared with whoever waits for it.
struct CommandReport {
  enum class End {
    unreachable,  // no answer, or none that could be read
    refused,      // the upstream said no, has no such object, or does not take the credentials
    done,
  };
  End end = End::unreachable;
  std::string
      json{};  // done: the upstream's answer, one valid JSON document; refused: may be empty
  std::string what{};  // not done: why, one line, no secrets
};

}  // namespace checkrelay
