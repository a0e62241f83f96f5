#include "spool/lane.h"

#include <algorithm>
#include <utility>

namespace checkrelay {

const char* to_string(Fate fate) {
  switch (fate) {
    case Fate::delivered:
      return "delivered";
    case Fate::dead:
      return "dead";
    case Fate::put_back:
      return "put back";
    case Fate::later:
      return "later";
    case Fate::superseded:
      return "superseded";
    case Fate::expired:
      return "expired";
    case Fate::retried:
      return "retried";
    case Fate::dropped:
      return "dropped";
  }
  return "unknown";
}

Lane::Entry Lane::entry_of(const RecordHeader& h) {
  Entry e;
  e.seq = h.seq;
  e.subject = h.subject;
  e.time = h.time;
  e.received = h.received;
  e.size = h.size;
  e.state = h.state;
  return e;
}

const Lane::Entry* Lane::window_entry(Seq seq) const {
  if (window_.empty() || seq < window_.front().seq) return nullptr;
  // Its distance from the first is its place where every result is this lane's; it is not behind
  // it.
  const auto place = std::min<std::size_t>(seq - window_.front().seq, window_.size() - 1);
  if (window_[place].seq == seq) return &window_[place];
  const auto end = window_.begin() + static_cast<std::ptrdiff_t>(place);
  auto it =
      std::lower_bound(window_.begin(), end, seq, [](const Entry& e, Seq s) { return e.seq < s; });
  return it != end && it->seq == seq ? &*it : nullptr;
}

Lane::Entry* Lane::window_entry(Seq seq) {
  return const_cast<Entry*>(std::as_const(*this).window_entry(seq));
}

Lane::Entry* Lane::entry(Seq seq) {
  auto it = aside_.find(seq);
  if (it != aside_.end()) return &it->second;
  if (!tail_.empty()) {
    auto t = tail_.find(seq);
    if (t != tail_.end()) return &t->second;
  }
  Entry* e = window_entry(seq);
  return e != nullptr && e->status < Status::passed ? e : nullptr;
}

bool Lane::superseded(Seq seq, std::uint64_t subject) const {
  return !rebuilding_ && indexed(seq) && index_.get(subject) != seq;
}

bool Lane::passes(const Entry& e) const {
  if (e.status >= Status::passed) return true;
  return e.status == Status::open && superseded(e.seq, e.subject);
}

// `old` is waiting no more: a newer record of its subject has taken its place.
void Lane::unlink(Seq old, std::uint64_t subject, LaneOutput& out) {
  forget_aside(old, out);
  if (!tail_.empty()) tail_.erase(old);
  auto it = busy_.find(subject);
  if (it == busy_.end() || it->second.head != old) return;
  if (it->second.phase == Phase::put_off) {
    it->second.head = 0;
  } else {
    promote(it);
  }
}

void Lane::displace(const RecordHeader& h, bool count, LaneOutput& out) {
  if (!indexed(h.seq)) return;
  const Seq old = index_.exchange(h.subject, h.seq);
  if (old == 0 || old == h.seq) return;
  if (fresh_first_) gap_.erase(h.subject, old);
  if (count) {
    --pending_;
    ++superseded_;
    changed_ = true;  // stored with the story, or a start would tell it again
    out.events.push_back({old, Fate::superseded, {}});
  }
  unlink(old, h.subject, out);
}

void Lane::forget_aside(Seq seq, LaneOutput& out) {
  if (aside_.erase(seq) == 0) return;
  out.aside.push_back({AsideChange::What::forget, seq, 0, {}, {}});
  changed_ = true;
}

void Lane::feed(const RecordHeader& h, LaneOutput& out) {
  ++pending_;
  displace(h, true, out);
  if (changes_) follow(h, out);
  if (loaded_ == folded_ && window_.size() < limits_.window) {
    window_.push_back(entry_of(h));
    loaded_ = h.seq;
  } else if (fresh_first_) {
    feed_tail(h);
  }
  folded_ = h.seq;
}

void Lane::fed_upto(Seq seq) {
  if (seq <= folded_) return;
  if (loaded_ == folded_) loaded_ = seq;
  folded_ = seq;
  advance();
}

bool Lane::wants_more() const { return loaded_ < folded_ && window_.size() < limits_.window; }

void Lane::load(const RecordHeader& h) {
  if (h.seq <= loaded_ || !wants_more()) return;
  loaded_ = h.seq;
  if (tail_.empty() || !leave_tail(h.seq)) window_.push_back(entry_of(h));
  if (done_.has(h.seq)) window_.back().status = Status::done;
  if (!fresh_first_) return;
  gap_.erase(h.subject, h.seq);
  caught_up();
}

void Lane::loaded_upto(Seq seq) {
  if (!wants_more()) return;
  loaded_ = std::max(loaded_, std::min(seq, folded_));
  if (fresh_first_) caught_up();
  advance();
}

void Lane::advance() {
  while (!window_.empty() && passes(window_.front())) {
    cursor_ = window_.front().seq;
    window_.pop_front();
    if (scan_ > 0) --scan_;
  }
  if (window_.empty()) cursor_ = loaded_;
  if (!done_.empty()) done_.forget_upto(cursor_);
}

// A record of the tail is gone with this.
void Lane::pass(Entry& e) {
  e.status = Status::passed;
  if (!tail_.empty() && tail_.count(e.seq) != 0) {
    done_.set(e.seq);
    tail_.erase(e.seq);
    return;
  }
  passed_upto_ = std::max(passed_upto_, e.seq);
}

void Lane::wait_no_more(Busy& busy) {
  if (busy.phase == Phase::put_off && busy.held) --held_;
  busy.phase = Phase::ready;
}

void Lane::promote(BusyMap::iterator it) {
  Busy& busy = it->second;
  wait_no_more(busy);
  if (fresh_first_) heads_.erase(busy.head);
  while (!busy.waiting.empty()) {
    const Seq next = busy.waiting.front();
    busy.waiting.erase(busy.waiting.begin());
    const Entry* e = entry(next);
    if (e == nullptr || superseded(next, it->first)) continue;
    busy.head = next;
    make_claimable(next);
    return;
  }
  busy_.erase(it);
}

void Lane::release(std::uint64_t subject, Seq head) {
  auto it = busy_.find(subject);
  if (it != busy_.end() && it->second.head == head) promote(it);
}

// The head may be claimed again, unless an older record of its subject was brought back meanwhile.
void Lane::make_ready(Busy& busy) {
  auto& waiting = busy.waiting;
  while (!waiting.empty() && entry(waiting.front()) == nullptr) waiting.erase(waiting.begin());
  if (!waiting.empty() && waiting.front() < busy.head) {
    const Seq head = std::exchange(busy.head, waiting.front());
    waiting.erase(waiting.begin());
    waiting.insert(std::lower_bound(waiting.begin(), waiting.end(), head), head);
  }
  wait_no_more(busy);
  make_claimable(busy.head);
}

void Lane::release_due(Steady now) {
  while (!due_.empty() && due_.top().at <= now) {
    auto it = busy_.find(due_.top().subject);
    due_.pop();
    if (it == busy_.end() || it->second.phase != Phase::put_off || it->second.due > now) continue;
    if (it->second.head == 0) {
      promote(it);
    } else {
      make_ready(it->second);
    }
  }
}

// A head that was superseded while that could not be seen makes place for the next.
bool Lane::claimable(Seq head) {
  const Entry* e = entry(head);
  if (e == nullptr || e->status != Status::open) return false;
  auto it = busy_.find(e->subject);
  const bool leads =
      it != busy_.end() && it->second.head == head && it->second.phase == Phase::ready;
  if (!superseded(head, e->subject)) return leads;
  if (leads) promote(it);
  return false;
}

// What was brought back waits until the window is there: an older one of its subject may come
// before it.
bool Lane::ready_in_reach() const {
  return !ready_.empty() && (ready_.top() <= loaded_ || loaded_ == folded_);
}

// Where a record of its subject is held, a newer one ends it and inherits the wait.
void Lane::take_place(const Entry& newer, LaneOutput& out) {
  auto it = busy_.find(newer.subject);
  if (it == busy_.end() || !it->second.held || it->second.phase != Phase::put_off) return;
  if (indexed(newer.seq)) return;  // superseded when it was fed
  Busy& busy = it->second;
  const bool is_head = busy.head != 0;
  if (!is_head && busy.waiting.empty()) return;
  const Seq old = is_head ? busy.head : busy.waiting.back();
  if (old >= newer.seq || !give_way(old, newer.subject, out)) return;
  if (is_head) {
    busy.head = 0;
  } else {
    busy.waiting.pop_back();
  }
}

// What lined up while the head was under way ends it when it comes back to be held, and is ended by
// the newest of them.
void Lane::leave_newest(Busy& busy, std::uint64_t subject, LaneOutput& out) {
  auto& waiting = busy.waiting;
  const auto gone = [&](Seq seq) { return entry(seq) == nullptr || superseded(seq, subject); };
  waiting.erase(std::remove_if(waiting.begin(), waiting.end(), gone), waiting.end());
  if (waiting.empty() || waiting.back() < busy.head) return;
  if (give_way(busy.head, subject, out)) busy.head = 0;
  while (waiting.size() > 1 && give_way(waiting.front(), subject, out))
    waiting.erase(waiting.begin());
}

// False where it does not wait. Whose place it had is the caller's to say.
bool Lane::give_way(Seq old, std::uint64_t subject, LaneOutput& out) {
  Entry* e = entry(old);
  if (e == nullptr || e->status != Status::open) return false;
  --pending_;
  ++superseded_;
  changed_ = true;
  out.events.push_back({old, Fate::superseded, {}});
  if (changes_) concluded(old, subject, Fate::superseded);
  index_.erase(subject, old);
  aside_.count(old) != 0 ? forget_aside(old, out) : pass(*e);
  return true;
}

// The oldest record that may be claimed now, or 0.
Seq Lane::peek(LaneOutput& out) {
  while (!ready_.empty()) {
    const Seq top = ready_.top();
    if (claimable(top)) break;
    if (ready_.top() == top) ready_.pop();  // an older one may have taken its place
  }
  for (; scan_ < window_.size(); ++scan_) {
    const Entry& e = window_[scan_];
    if (passes(e)) continue;
    if (busy_.find(e.subject) == busy_.end()) break;
    take_place(e, out);
    line_up(e.seq, e.subject);
  }
  const Seq fresh = scan_ < window_.size() ? window_[scan_].seq : 0;
  if (!ready_in_reach()) return fresh;
  return fresh == 0 ? ready_.top() : std::min(fresh, ready_.top());
}

void Lane::take(Entry& e) {
  Busy& busy = busy_[e.subject];
  busy.head = e.seq;
  busy.phase = Phase::flying;
  e.status = Status::flying;
  index_.erase(e.subject, e.seq);
  if (changes_) mark_sent(e, true);
  --pending_;
  ++in_flight_;
}

std::vector<Taken> Lane::claim(std::size_t records, std::size_t bytes, Instant now, LaneOutput& out,
                               const ClockJumps& jumps) {
  std::vector<Taken> taken;
  if (rebuilding_) return taken;
  release_due(now.steady);
  std::size_t sum = 0;
  while (taken.size() < records) {
    const Seq seq = fresh_first_ ? peek_fresh(out) : peek(out);
    if (seq == 0) break;
    Entry& e = *entry(seq);
    const bool old = max_age_.count() > 0 && e.time + max_age_ < now.wall - jumps.ahead_since(seq);
    if (!old && sum > 0 && sum + e.size > bytes) break;
    if (fresh_first_) {
      ++turn_;
      heads_.erase(seq);
    } else if (!ready_.empty() && ready_.top() == seq) {
      ready_.pop();
    } else {
      ++scan_;
    }
    if (old) {
      --pending_;
      ++expired_;
      index_.erase(e.subject, seq);
      end(e, Fate::expired, {}, out);
      continue;
    }
    sum += e.size;
    auto it = aside_.find(seq);
    const bool is_aside = it != aside_.end();
    taken.push_back({seq, e.tries, is_aside ? it->second.first_unknown : Wall{}, is_aside});
    take(e);
  }
  advance();
  return taken;
}

// The record has come to an end: the window and the cursor need it no more.
void Lane::end(Entry& e, Fate fate, std::string answer, LaneOutput& out) {
  const Seq seq = e.seq;
  const std::uint64_t subject = e.subject;
  out.events.push_back({seq, fate, answer});
  if (changes_) concluded(seq, subject, fate);
  if (fate == Fate::dead) {
    out.aside.push_back({AsideChange::What::bury, seq, e.tries, {}, std::move(answer)});
    if (aside_.erase(seq) == 0) pass(e);
  } else if (aside_.count(seq) != 0) {
    forget_aside(seq, out);
  } else {
    pass(e);
  }
  changed_ = true;
  release(subject, seq);
}

}  // namespace checkrelay
