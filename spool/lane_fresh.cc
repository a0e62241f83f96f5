// Drain::fresh_first: the newest results go first, one claim in kOldShare takes the oldest, and the
// order within a subject stands: a record is claimable when nothing older of its subject waits. So
// a fresh result of a subject that still has a backlog waits for its turn; with Backlog::changes or
// latest few have one.
//
// In memory are the window (the oldest that wait) and the tail (the newest); every record there
// stands in the line of its subject, whose head is claimable. Of the gap between them an index
// knows the subjects: what comes of one that is in the gap belongs to the gap as well. When the
// tail is full its oldest go into the gap, with all that they hold up. All three are bounded,
// however much waits: with more subjects in the gap than the index may hold the lane is blind, and
// drains in order until the window has caught up.
//
// After a start nothing is known of what waits behind the window. It is drained in order while the
// gap is surveyed, one row of the log a step, beside everything else: the start does not wait for
// that.
#include <algorithm>

#include "spool/lane.h"

namespace checkrelay {
namespace {
constexpr unsigned kOldShare = 4;
}  // namespace

void Lane::set_drain(bool fresh_first) {
  if (fresh_first == fresh_first_) return;
  fresh_first_ = fresh_first;
  turn_ = 0;
  if (fresh_first) {
    for (; !ready_.empty(); ready_.pop()) heads_.insert(ready_.top());
    begin_survey();
    return;
  }
  blind_ = true;  // nobody needs the index
  survey_to_ = 0;
  while (evict_oldest()) {
  }
  for (Seq seq : heads_) ready_.push(seq);
  heads_.clear();
  gap_ = SubjectIndex();
}

void Lane::make_claimable(Seq seq) {
  if (fresh_first_) {
    heads_.insert(seq);
  } else {
    ready_.push(seq);
  }
}

void Lane::begin_survey() {
  gap_ = SubjectIndex();
  blind_ = loaded_ < folded_;
  survey_from_ = loaded_;
  survey_to_ = blind_ ? folded_ : 0;
}

void Lane::survey(const RecordHeader& h) {
  const bool waits = h.seq > loaded_ && live(h.seq) && !superseded(h.seq, h.subject);
  if (waits && aside_.count(h.seq) == 0) into_gap(h.seq, h.subject);
}

void Lane::surveyed_upto(Seq seq) {
  if (!surveying()) return;
  survey_from_ = seq;
  if (seq < survey_to_) return;
  survey_to_ = 0;
  blind_ = false;
}

void Lane::into_gap(Seq seq, std::uint64_t subject) {
  if (blind_ && !surveying()) return;
  const Seq newer = gap_.exchange(subject, seq);
  if (newer > seq) gap_.exchange(subject, newer);
  if (gap_.size() <= limits_.subjects) return;
  blind_ = true;
  survey_to_ = 0;
  gap_ = SubjectIndex();
  while (evict_oldest()) {
  }
}

// A record for which the window has no room.
void Lane::feed_tail(const RecordHeader& h) {
  const bool known = !blind_ && !rebuilding_;
  if (known && tail_.size() >= limits_.tail) (void)evict_oldest();
  const bool room = tail_.size() < limits_.tail;
  if (!known || blind_ || !room || gap_.get(h.subject) != 0) return into_gap(h.seq, h.subject);
  tail_[h.seq] = entry_of(h);
  line_up(h.seq, h.subject);
}

// The oldest record of the tail that is not in flight goes into the gap. False where there is none.
bool Lane::evict_oldest() {
  for (const auto& [seq, e] : tail_) {
    if (e.status != Status::open) continue;
    const auto before = tail_.size();
    evict(e.subject);
    return tail_.size() < before;
  }
  return false;
}

// All of the subject in the tail that is not in flight goes with it: nothing may overtake.
void Lane::evict(std::uint64_t subject) {
  auto it = busy_.find(subject);
  if (it == busy_.end()) return;
  Busy& busy = it->second;
  Seq newest = 0;
  const auto leaves = [&](Seq seq) {
    auto e = tail_.find(seq);
    if (e == tail_.end() || e->second.status != Status::open) return false;
    tail_.erase(e);
    newest = std::max(newest, seq);
    return true;
  };
  busy.waiting.erase(std::remove_if(busy.waiting.begin(), busy.waiting.end(), leaves),
                     busy.waiting.end());
  if (busy.phase == Phase::ready && leaves(busy.head)) promote(it);
  if (newest != 0) into_gap(newest, subject);
}

// The window has come to the record.
bool Lane::leave_tail(Seq seq) {
  auto it = tail_.find(seq);
  if (it == tail_.end()) return false;
  window_.push_back(it->second);
  tail_.erase(it);
  return true;
}

void Lane::caught_up() {
  if (loaded_ < folded_) return;
  blind_ = false;
  survey_to_ = 0;
  gap_ = SubjectIndex();
}

// What of the heads may be claimed: where the gap is not known, only what stands before it.
Seq Lane::newest_head() const {
  if (heads_.empty()) return 0;
  if (!blind_) return *heads_.rbegin();
  auto it = heads_.upper_bound(loaded_);
  return it == heads_.begin() ? 0 : *std::prev(it);
}

Seq Lane::peek_fresh(LaneOutput& out) {
  for (; scan_ < window_.size(); ++scan_) {
    const Entry& e = window_[scan_];
    if (passes(e) || e.status != Status::open) continue;
    take_place(e, out);
    line_up(e.seq, e.subject);
  }
  for (;;) {
    Seq seq = newest_head();
    if (seq != 0 && turn_ % kOldShare == kOldShare - 1) seq = *heads_.begin();
    if (seq == 0 || claimable(seq)) return seq;
    heads_.erase(seq);
  }
}

}  // namespace checkrelay
