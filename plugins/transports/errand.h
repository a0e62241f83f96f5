// One outbound conversation under way: performs what it asks for as far as no I/O is needed, and
// keeps what its carrier has still to send. Loop thread only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/port/conversation.h"

namespace checkrelay {

class Errand {
 public:
  using Done = std::function<void(std::vector<Verdict>)>;
  Errand(std::unique_ptr<Conversation> conversation, Done done);

  void start(Instant now);
  void receive(Message in, Instant now);
  void expire(Instant now);
  [[nodiscard]] std::optional<Steady> deadline() const;
  // The next message to carry, in order; none when there is nothing to do.
  [[nodiscard]] std::optional<Message> next();
  // True where the conversation has said all it has to say.
  [[nodiscard]] bool over() const { return closed_ && outbox_.empty(); }
  // Ends the conversation, which is started for it where that has not happened, and told `failure`
  // where it still waits for an answer; then reports its verdicts. Once.
  void end(std::optional<Message> failure, Instant now);

 private:
  void take(Actions&& actions);
  std::unique_ptr<Conversation> conversation_;
  Done done_;
  std::deque<Message> outbox_;
  std::vector<Verdict> verdicts_;
  bool started_ = false;
  bool closed_ = false;
};

}  // namespace checkrelay
