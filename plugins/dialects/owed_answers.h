// The answers that the inbound half of an HTTP dialect owes: requests may follow each other on one
// pipe before the first is settled, and their answers leave in order.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <utility>

#include "agent/port/conversation.h"

namespace checkrelay {

// What a dialect remembers of a request derives from this.
struct OwedAnswer {
  Ticket ticket = 0;  // for what it submits
  std::optional<Message> reply{};
};

template <typename Owed>
class OwedAnswers {
 public:
  // For a request that came in; the reference holds until it is answered and flushed.
  Owed& add() {
    Owed& owed = owed_.emplace_back();
    owed.ticket = next_ticket_++;
    return owed;
  }
  // `reply_to` makes the answer of a request that was submitted and is not answered yet.
  template <typename ReplyTo>
  void settle(Ticket ticket, ReplyTo reply_to) {
    for (Owed& owed : owed_)
      if (owed.ticket == ticket && !owed.reply) owed.reply = reply_to(std::as_const(owed));
  }
  // Sends what is there and has nothing before it; closes behind the last once it is finished.
  void flush(Actions& out) {
    for (; !owed_.empty() && owed_.front().reply; owed_.pop_front())
      out.send.push_back(std::move(*owed_.front().reply));
    out.close = out.close || (finished_ && owed_.empty());
  }
  void finish(Actions& out) {
    finished_ = true;
    flush(out);
  }

 private:
  std::deque<Owed> owed_;
  Ticket next_ticket_ = 1;
  bool finished_ = false;
};

// The outcome of the result at `place` of a submission; trouble of ours where there is none.
inline Outcome outcome_at(std::span<const Outcome> outcomes, std::size_t place) {
  if (place < outcomes.size()) return outcomes[place];
  return {false, "", Errc::unavailable, "the journal gave no answer"};
}

}  // namespace checkrelay
