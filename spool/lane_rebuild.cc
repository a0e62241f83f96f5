// After a start or a change of mode: what a lane must know of all that waits is found by a walk
// over the log, one row of it a step.
#include <algorithm>
#include <utility>

#include "spool/lane.h"

namespace checkrelay {

void take_back(std::uint64_t n, std::initializer_list<std::uint64_t*> accounts) {
  for (std::uint64_t* account : accounts) {
    const auto some = std::min(n, *account);
    *account -= some;
    n -= some;
  }
}

void Lane::rebuild() {
  rebuilding_ = true;
  index_ = SubjectIndex();
  asides_recalled_ = false;
  thinned_ = latest_upto_ > cursor_;
  accounts_settled_ = !thinned_ && !(changes_ && in_flight_ == 0);
  plain_ = 0;
  reindex_from_ = cursor_;
}

// What was set aside comes before everything behind the cursor.
void Lane::recall_asides(LaneOutput& out) {
  if (std::exchange(asides_recalled_, true)) return;
  std::vector<RecordHeader> headers;
  for (const auto& [seq, e] : aside_) {
    if (seq > cursor_) break;
    RecordHeader& h = headers.emplace_back();
    h.seq = seq;
    h.subject = e.subject;
    h.state = e.state;
  }
  for (const RecordHeader& h : headers) reindex_one(h, out);
}

bool Lane::live(Seq seq) const {
  if (aside_.count(seq) != 0) return true;
  if (seq > loaded_) return !done_.has(seq);
  const Entry* e = window_entry(seq);
  return e != nullptr && e->status == Status::open;
}

void Lane::reindex(const RecordHeader& h, LaneOutput& out) {
  recall_asides(out);
  reindex_from_ = h.seq;
  if (h.seq <= folded_) return reindex_one(h, out);
  settle_accounts();
  feed(h, out);
}

void Lane::reindex_one(const RecordHeader& h, LaneOutput& out) {
  if (!indexed(h.seq)) return recall(h, out);
  const Entry* e = entry(h.seq);
  const bool flying = e != nullptr && e->status == Status::flying;
  const bool alive = !flying && live(h.seq);
  if (changes_) recall_latest(h, alive);
  if (flying) return;
  if (alive) return displace(h, false, out);
  // What came before it came to an end before it, unless it was brought back since.
  if (aside_.count(index_.get(h.subject)) == 0) index_.erase(h.subject);
}

// What the accounts hold as waiting and the index does not was superseded. What waits although the
// accounts do not hold it had come to an end that is forgotten: it is counted again.
void Lane::settle_accounts() {
  if (accounts_settled_) return;
  accounts_settled_ = true;
  for (const auto& [seq, e] : aside_)
    if (seq <= cursor_ && !indexed(seq) && e.status == Status::open) ++plain_;
  const std::uint64_t found = index_.size() + plain_;
  if (found < pending_ && thinned_) {
    superseded_ += pending_ - found;
    pending_ = found;
    changed_ = true;
  }
  if (found > pending_ && changes_) {
    take_back(found - pending_, {&superseded_, &delivered_, &expired_});
    pending_ = found;
    changed_ = true;
  }
}

void Lane::reindexed(LaneOutput& out) {
  recall_asides(out);
  settle_accounts();
  rebuilding_ = false;
  advance();
}

// While rebuilding. What has come to an end is passed over: it is unknown how.
void Lane::recall(const RecordHeader& h, LaneOutput& out) {
  const Entry* e = entry(h.seq);
  const bool flying = e != nullptr && e->status == Status::flying;
  if (!flying && !live(h.seq)) return;
  if (changes_) follow(h, out);
  if (!flying && h.seq > cursor_) ++plain_;
  if (changes_ && flying) mark_sent(*e, true);
}

// Records up to `latest_upto` were thinned out by Backlog::latest; the one that is left of a
// subject stays.
void Lane::recall_latest(const RecordHeader& h, bool alive) {
  if (alive) {
    last_.put(h.subject, {h.seq, h.state, true, false});
  } else {
    last_.erase(h.subject);
  }
}

}  // namespace checkrelay
