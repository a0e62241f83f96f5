// The two halves of a dialect, talking to each other in memory. Between them are the bytes that our
// carrier would send, our own HTTP parser, fed in pieces, and the door that says who asks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/flow/http_door.h"
#include "agent/policy/logins.h"
#include "agent/port/dialect.h"

namespace checkrelay {

inline constexpr const char* kPairUser = "relay";
inline constexpr const char* kPairPassword = "hunter2-secret";

// The far end: one connection after the other, an intake that takes what `judge` takes.
class PairHub {
 public:
  explicit PairHub(const Dialect& dialect);
  // The answer to a request, which travels in pieces of `piece` bytes.
  [[nodiscard]] Message serve(Message request, std::size_t piece);
  void forget_logins();  // as after a restart
  void set_password(const std::string& password);

  std::vector<CheckResult> arrived;
  std::function<Outcome(const CheckResult&)> judge = [](const CheckResult&) {
    return Outcome{.ok = true, .id = "1"};
  };
  // What the client might have sent in the place of its message.
  std::function<void(Message&)> rewrite = [](Message&) {};
  int tokens = 0;           // made so far
  std::size_t longest = 0;  // request so far, in bytes
  Instant now{Steady(std::chrono::hours(1)), Wall(std::chrono::hours(24 * 365 * 50))};

 private:
  Message parse(const std::string& bytes, std::size_t piece);
  Message respond(Message request);

  const Dialect& dialect_;
  std::shared_ptr<Access> access_;
  std::shared_ptr<TokenTable> logins_;
};

// A conversation of the near end with the hub, to its close.
[[nodiscard]] std::map<std::size_t, Verdict> converse(std::unique_ptr<Conversation> client,
                                                      PairHub& hub, std::size_t piece);

}  // namespace checkrelay
