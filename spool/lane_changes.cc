// Backlog::changes: a waiting record that neither changed its subject's state nor is the newest of
// it ends as superseded, when the newer one comes.
#include "spool/lane.h"

namespace checkrelay {

// Looks at the record before `h` of its subject, if it is known.
void Lane::follow(const RecordHeader& h, LaneOutput& out) {
  const auto before = last_.get(h.subject);
  const bool change = !before || before->state != h.state;
  last_.put(h.subject, {h.seq, h.state, change, false});
  if (change) news_.erase(h.subject);
  if (!before) return;
  if (!change && before->change) (void)news_.exchange(h.subject, before->seq);
  if (before->change) return;
  if (!before->sent) return thin_out(before->seq, h.subject, out);
  Entry* e = entry(before->seq);
  if (e != nullptr) e->outdated = true;  // in flight: should it come back, its time is over
}

void Lane::thin_out(Seq seq, std::uint64_t subject, LaneOutput& out) {
  if (pending_ > 0) {  // or it was counted before, and that is forgotten (settle_accounts)
    --pending_;
    ++superseded_;
  }
  changed_ = true;
  out.events.push_back({seq, Fate::superseded, {}});
  if (rebuilding_ && !accounts_settled_ && seq > cursor_) --plain_;
  if (aside_.count(seq) == 0) {
    done_.set(seq);
    if (Entry* e = window_entry(seq); e != nullptr) e->status = Status::done;
  }
  unlink(seq, subject, out);
}

void Lane::mark_sent(const Entry& e, bool sent) {
  auto last = last_.get(e.subject);
  if (!last || last->seq != e.seq) return;
  last->sent = sent;
  last_.put(e.subject, *last);
}

// A delivered record's state is remembered for the next one, within limits. What ended otherwise
// was never told: what says the same as it is news.
void Lane::concluded(Seq seq, std::uint64_t subject, Fate fate) {
  const bool behind = news_.get(subject) == seq;  // what follows says the same
  news_.erase(subject, seq);
  auto last = last_.get(subject);
  if (!last || fate == Fate::superseded) return;
  const bool newest = last->seq == seq;
  if (fate == Fate::delivered) {
    if (!newest || last_.size() <= limits_.remembered) return;
    last_.erase(subject);
    news_.erase(subject);
  } else if (newest) {
    last_.erase(subject);
    news_.erase(subject);
  } else if (behind) {
    last->change = true;
    last_.put(subject, *last);
  }
}

}  // namespace checkrelay
