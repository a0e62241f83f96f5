// One exchange with one peer, in one dialect, without I/O and without a clock.
//
// Loop thread only. A transport feeds what it received and, after the call has returned, performs
// what `out` asks for, so nothing re-enters. Peer input never asserts. After `out.close`, no
// further calls but the destructor.
//
// Inbound: asks to submit results, and tells the peer "accepted" only from settle(). Submissions
// are settled in any order; replies leave in the order of the peer's results. Outbound: built with
// its batch; yields exactly one verdict an item before or at close, whatever the peer does, a
// failure Message included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/port/message.h"
#include "agent/port/verdict.h"

namespace checkrelay {

using Ticket = std::uint64_t;  // names a submission or an inquiry within one conversation

// Results to be journaled together; the order is the peer's.
struct Submission {
  Ticket ticket = 0;
  std::vector<CheckResult> results{};
  std::size_t mended = 0;  // sequences in their texts that were not UTF-8 and were replaced
};

// What became of one submitted result.
struct Outcome {
  bool ok = false;
  std::string id{};  // the result's identity, where ok
  Errc code =
      Errc::invalid;    // where not ok: invalid, refused (not this peer's host), full, unavailable
  std::string error{};  // where not ok
};

// A piece of input that was refused before it became a result.
struct Refusal {
  std::size_t line = 0;  // 1-based line or element; 0 where there are none
  std::string what{};    // field and fragment: `state: "9" is not 0-3`
};

struct Actions {
  std::vector<Message> send{};
  std::vector<Submission> submit{};
  std::vector<Refusal>
      refused{};  // for counters, logs and the spool's .why files; replies are in `send`
  std::vector<Verdict> verdicts{};  // outbound
  std::optional<Ticket>
      inquire{};       // the request just received is the operator's: answer() brings the response
  bool close = false;  // after `send` is written
};

class Conversation {
 public:
  virtual ~Conversation() = default;
  virtual void start(Instant now, Actions& out) = 0;
  virtual void receive(Message in, Instant now, Actions& out) = 0;
  // The peer sends no more (end of a stream or file). Replies that are still owed are still wanted.
  virtual void finish(Instant now, Actions& out) = 0;
  // `outcomes` holds one a result of the submission, in its order.
  virtual void settle(Ticket ticket, std::span<const Outcome> outcomes, Instant now,
                      Actions& out) = 0;
  virtual void answer(Ticket ticket, Message response, Instant now, Actions& out);
  // When expire() wants to be called; a spurious call before is a no-op.
  [[nodiscard]] virtual std::optional<Steady> deadline() const { return std::nullopt; }
  virtual void expire(Instant now, Actions& out);
  // Part of a message has come in and its rest has not: whoever would read no more waits for it, a
  // little. Of bytes alone; a whole message (HTTP, datagram) is never in part.
  [[nodiscard]] virtual bool midway() const { return false; }
};

}  // namespace checkrelay
